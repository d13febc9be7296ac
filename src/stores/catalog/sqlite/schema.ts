/**
 * Seats of joins under way and entries share one table: clustered by (contest, entry), so that uniqueness, a user's count
 * (entry ids of one user are neighbours) and paging 12 M entries by id are all one range of it.
 */
const FIRST_SCHEMA = `
CREATE TABLE users (
  user_id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  name_folded TEXT NOT NULL UNIQUE,
  role TEXT NOT NULL,
  password_hash TEXT,
  created_at_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE matches (
  match_id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  side_0 TEXT NOT NULL,
  side_1 TEXT NOT NULL,
  format TEXT NOT NULL,
  start_ms INTEGER NOT NULL,
  state TEXT NOT NULL,
  scoring_rules TEXT NOT NULL,
  roster_rules TEXT NOT NULL
) STRICT;
CREATE INDEX matches_by_start ON matches (start_ms);

CREATE TABLE squads (match_id INTEGER PRIMARY KEY, squad TEXT NOT NULL) STRICT;

CREATE TABLE contests (
  contest_id INTEGER PRIMARY KEY,
  match_id INTEGER NOT NULL,
  terms TEXT NOT NULL,
  entries_max INTEGER NOT NULL,
  entries_per_user_max INTEGER NOT NULL,
  state TEXT NOT NULL,
  seats_taken INTEGER NOT NULL CHECK (seats_taken BETWEEN 0 AND entries_max),
  entry_count INTEGER NOT NULL CHECK (entry_count BETWEEN 0 AND seats_taken),
  payout_cursor TEXT
) STRICT;
CREATE INDEX contests_by_match ON contests (match_id);

CREATE TABLE sagas (
  saga_id INTEGER PRIMARY KEY,
  user_id INTEGER NOT NULL,
  idempotency_key TEXT NOT NULL,
  match_id INTEGER NOT NULL,
  contest_id INTEGER NOT NULL,
  entry_id INTEGER NOT NULL,
  fee_paise INTEGER NOT NULL,
  received_at_ms INTEGER NOT NULL,
  entered INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX sagas_by_key ON sagas (user_id, idempotency_key);
CREATE INDEX sagas_reserved ON sagas (received_at_ms, match_id) WHERE entered = 0;

CREATE TABLE saga_counter (saga_id_next INTEGER NOT NULL) STRICT;
INSERT INTO saga_counter VALUES (1);

CREATE TABLE seats (
  contest_id INTEGER NOT NULL,
  entry_id INTEGER NOT NULL,
  match_id INTEGER NOT NULL,
  fee_paise INTEGER NOT NULL,
  joined_at_ms INTEGER NOT NULL,
  entered INTEGER NOT NULL,
  PRIMARY KEY (contest_id, entry_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX seats_by_entry ON seats (match_id, entry_id);

CREATE TABLE outbox (
  saga_id INTEGER PRIMARY KEY,
  match_id INTEGER NOT NULL,
  contest_id INTEGER NOT NULL,
  entry_id INTEGER NOT NULL,
  fee_paise INTEGER NOT NULL,
  joined_at_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE deposits (
  order_id TEXT PRIMARY KEY,
  user_id INTEGER NOT NULL,
  amount_paise INTEGER NOT NULL,
  state TEXT NOT NULL,
  provider_order_id TEXT UNIQUE,
  payment_id TEXT,
  created_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX deposits_by_user ON deposits (user_id, created_at_ms);

CREATE TABLE withdrawals (
  withdrawal_id TEXT PRIMARY KEY,
  user_id INTEGER NOT NULL,
  amount_paise INTEGER NOT NULL,
  state TEXT NOT NULL,
  provider_payout_id TEXT,
  created_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX withdrawals_by_user ON withdrawals (user_id, created_at_ms);
CREATE INDEX withdrawals_by_state ON withdrawals (state, created_at_ms);
CREATE INDEX withdrawals_by_payout ON withdrawals (provider_payout_id) WHERE provider_payout_id IS NOT NULL;
`;

/**
 * Approving a result and releasing its prizes became two states. Contests that are over are nearly all there are, so those
 * that still have to end get an index of their own; and what every commit counts moves out of the rows that hold a
 * contest's whole terms. Whether a seat is an entry's is said by its saga alone: confirming a join then touches no seat, and
 * seats of a thousand contests are a thousand pages to write.
 */
const RELEASED_MATCHES = `
UPDATE matches SET state = 'released' WHERE state = 'settled'
  AND EXISTS (SELECT 1 FROM contests WHERE contests.match_id = matches.match_id AND contests.state != 'open');

CREATE TABLE contest_counts (
  contest_id INTEGER PRIMARY KEY,
  entries_max INTEGER NOT NULL,
  seats_taken INTEGER NOT NULL CHECK (seats_taken BETWEEN 0 AND entries_max),
  entry_count INTEGER NOT NULL CHECK (entry_count BETWEEN 0 AND seats_taken)
) STRICT;
INSERT INTO contest_counts SELECT contest_id, entries_max, seats_taken, entry_count FROM contests;

CREATE TABLE contests_without_counts (
  contest_id INTEGER PRIMARY KEY,
  match_id INTEGER NOT NULL,
  terms TEXT NOT NULL,
  entries_max INTEGER NOT NULL,
  entries_per_user_max INTEGER NOT NULL,
  state TEXT NOT NULL,
  payout_cursor TEXT
) STRICT;
INSERT INTO contests_without_counts
  SELECT contest_id, match_id, terms, entries_max, entries_per_user_max, state,
    -- Of a settlement it was a place in the ranking; it is an entry now, and going through all of them again pays nobody twice.
    CASE WHEN state = 'settling' THEN NULL ELSE payout_cursor END FROM contests;
DROP TABLE contests;
ALTER TABLE contests_without_counts RENAME TO contests;
CREATE INDEX contests_by_match ON contests (match_id);
DROP INDEX sagas_reserved;
CREATE INDEX sagas_reserved ON sagas (contest_id, entry_id, match_id) WHERE entered = 0;
ALTER TABLE seats DROP COLUMN entered;

CREATE UNIQUE INDEX deposits_by_payment ON deposits (payment_id) WHERE payment_id IS NOT NULL;
CREATE INDEX contests_not_over ON contests (state, match_id) WHERE state IN ('open', 'settling', 'cancelling');
`;

/** Which saves count is decided once for all nodes and for ever; of matches locked before, when their boards open next. */
const LOCK_POSITIONS = "ALTER TABLE matches ADD COLUMN lock_positions TEXT;";

/** Nodes that hold acknowledged saves which are not in the log yet. */
const SPOOLS = "CREATE TABLE spools (node_id TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;";

/** One row; what is derived from the data bears its name. */
const IDENTITY = `
CREATE TABLE identity (identity TEXT NOT NULL) STRICT;
INSERT INTO identity VALUES (lower(hex(randomblob(16))));
`;

/** A call that arrives late must not undo what came after it; the newest opening is kept when it is closed. */
const SPOOL_OPENINGS = `
ALTER TABLE spools ADD COLUMN opening INTEGER NOT NULL DEFAULT 0;
ALTER TABLE spools ADD COLUMN is_open INTEGER NOT NULL DEFAULT 1;
`;

export const CATALOG_MIGRATIONS = [
  FIRST_SCHEMA,
  RELEASED_MATCHES,
  LOCK_POSITIONS,
  SPOOLS,
  IDENTITY,
  SPOOL_OPENINGS,
] as const;
