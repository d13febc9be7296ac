-- A call that arrives late must not undo what came after it, so every opening of a spool has a number; the newest is kept
-- when it is closed.
ALTER TABLE spools ADD COLUMN opening integer NOT NULL DEFAULT 0, ADD COLUMN is_open boolean NOT NULL DEFAULT true;
