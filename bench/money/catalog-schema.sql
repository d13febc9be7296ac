-- The catalog's part of a join as one transaction of one database: seat, entry, announcement, one round trip, and the row of the
-- contest locked last. No wallet: what beginJoin and confirmJoin do, and nothing else.
CREATE TABLE naive_contests (
  contest_id bigint PRIMARY KEY,
  state text NOT NULL,
  entries_max int NOT NULL,
  entries_per_user_max int NOT NULL,
  seats_taken int NOT NULL CHECK (seats_taken BETWEEN 0 AND entries_max)
) WITH (fillfactor = 50);
CREATE TABLE naive_entries (
  entry_seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  user_id bigint NOT NULL,
  idempotency_key text NOT NULL,
  match_id int NOT NULL,
  contest_id bigint NOT NULL,
  entry_id bigint NOT NULL,
  fee_paise bigint NOT NULL,
  joined_at_ms bigint NOT NULL,
  UNIQUE (user_id, idempotency_key),
  UNIQUE (contest_id, entry_id)
);
CREATE INDEX ON naive_entries (match_id, entry_id);
CREATE TABLE naive_outbox (
  outbox_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  contest_id bigint NOT NULL,
  entry_id bigint NOT NULL
);

CREATE FUNCTION naive_join(p_user bigint, p_key text, p_contest bigint, p_entry bigint, p_fee bigint, p_now_ms bigint)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  contest naive_contests;
BEGIN
  IF EXISTS (SELECT FROM naive_entries WHERE user_id = p_user AND idempotency_key = p_key) THEN RETURN 'known'; END IF;
  SELECT * INTO contest FROM naive_contests WHERE contest_id = p_contest;
  IF NOT FOUND THEN RETURN 'contest_not_found'; END IF;
  IF (SELECT count(*) FROM naive_entries WHERE contest_id = p_contest AND entry_id BETWEEN p_user * 64 AND p_user * 64 + 63)
     >= contest.entries_per_user_max THEN RETURN 'entry_limit'; END IF;
  INSERT INTO naive_entries (user_id, idempotency_key, match_id, contest_id, entry_id, fee_paise, joined_at_ms)
    VALUES (p_user, p_key, 1, p_contest, p_entry, p_fee, p_now_ms);
  INSERT INTO naive_outbox (contest_id, entry_id) VALUES (p_contest, p_entry);
  UPDATE naive_contests SET seats_taken = seats_taken + 1
    WHERE contest_id = p_contest AND state = 'open' AND seats_taken < entries_max;
  IF NOT FOUND THEN RAISE EXCEPTION 'contest_full'; END IF;
  RETURN 'ok';
END $$;
