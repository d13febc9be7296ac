-- The whole join as one transaction of one database, as good as we know how to write it: one round trip, constraints for
-- every law that the join saga keeps, the hottest rows locked last and by nothing else (a foreign key on contests would lock
-- the row of the mega contest in every join, which costs ten times as much). Ledger and indices as in our own ledger.
CREATE TABLE contests (
  contest_id bigint PRIMARY KEY,
  state text NOT NULL,
  start_ms bigint NOT NULL,
  fee_paise bigint NOT NULL CHECK (fee_paise >= 0),
  entries_max int NOT NULL,
  entries_per_user_max int NOT NULL,
  escrow_stripes int NOT NULL,
  seats_taken int NOT NULL CHECK (seats_taken BETWEEN 0 AND entries_max)
) WITH (fillfactor = 50);
CREATE TABLE accounts (
  account text PRIMARY KEY,
  balance_paise bigint NOT NULL CHECK (balance_paise >= 0 OR account LIKE 'gateway:%')
) WITH (fillfactor = 80);
CREATE TABLE transfers (
  seq bigint GENERATED ALWAYS AS IDENTITY,
  txn_id text PRIMARY KEY,
  debit text NOT NULL,
  credit text NOT NULL CHECK (credit <> debit),
  amount_paise bigint NOT NULL CHECK (amount_paise > 0),
  kind text NOT NULL,
  ref text NOT NULL,
  at_ms bigint NOT NULL,
  debit_after_paise bigint NOT NULL,
  credit_after_paise bigint NOT NULL
);
CREATE INDEX ON transfers (debit, seq);
CREATE INDEX ON transfers (credit, seq);
CREATE TABLE joins (
  user_id bigint NOT NULL,
  idempotency_key text NOT NULL,
  contest_id bigint NOT NULL,
  entry_id bigint NOT NULL,
  PRIMARY KEY (user_id, idempotency_key)
);
CREATE TABLE entries (
  contest_id bigint NOT NULL,
  entry_id bigint NOT NULL,
  user_id bigint NOT NULL,
  fee_paise bigint NOT NULL,
  joined_at_ms bigint NOT NULL,
  PRIMARY KEY (contest_id, entry_id)
);
CREATE TABLE outbox (
  outbox_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  contest_id bigint NOT NULL,
  entry_id bigint NOT NULL
);

CREATE FUNCTION transfer(p_txn text, p_debit text, p_credit text, p_amount bigint, p_kind text, p_ref text, p_at_ms bigint)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  known transfers;
  debit_after bigint;
  credit_after bigint;
BEGIN
  SELECT * INTO known FROM transfers WHERE txn_id = p_txn;
  IF FOUND THEN
    RETURN CASE WHEN (known.debit, known.credit, known.amount_paise, known.kind, known.ref)
      = (p_debit, p_credit, p_amount, p_kind, p_ref) THEN 'ok' ELSE 'txn_mismatch' END;
  END IF;
  UPDATE accounts SET balance_paise = balance_paise + p_amount
    WHERE account = p_credit RETURNING balance_paise INTO credit_after;
  UPDATE accounts SET balance_paise = balance_paise - p_amount
    WHERE account = p_debit RETURNING balance_paise INTO debit_after;
  INSERT INTO transfers (txn_id, debit, credit, amount_paise, kind, ref, at_ms, debit_after_paise, credit_after_paise)
    VALUES (p_txn, p_debit, p_credit, p_amount, p_kind, p_ref, p_at_ms, debit_after, credit_after);
  RETURN 'ok';
END $$;

CREATE FUNCTION join_contest(p_user bigint, p_contest bigint, p_entry bigint, p_key text, p_now_ms bigint)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  contest contests;
  seen joins;
  wallet text := 'user:' || p_user;
  escrow text;
  wallet_after bigint;
  escrow_after bigint;
BEGIN
  SELECT * INTO seen FROM joins WHERE user_id = p_user AND idempotency_key = p_key;
  IF FOUND THEN
    RETURN CASE WHEN seen.contest_id = p_contest AND seen.entry_id = p_entry THEN 'ok' ELSE 'idempotency_key_reused' END;
  END IF;
  SELECT * INTO contest FROM contests WHERE contest_id = p_contest;
  IF NOT FOUND THEN RETURN 'contest_not_found'; END IF;
  IF contest.start_ms <= p_now_ms THEN RETURN 'match_started'; END IF;
  IF contest.state <> 'open' THEN RETURN 'contest_not_open'; END IF;
  IF (SELECT count(*) FROM entries WHERE contest_id = p_contest AND entry_id BETWEEN p_user * 64 AND p_user * 64 + 63)
     >= contest.entries_per_user_max THEN RETURN 'entry_limit'; END IF;

  INSERT INTO joins VALUES (p_user, p_key, p_contest, p_entry);
  INSERT INTO entries VALUES (p_contest, p_entry, p_user, contest.fee_paise, p_now_ms);
  INSERT INTO outbox (contest_id, entry_id) VALUES (p_contest, p_entry);
  UPDATE accounts SET balance_paise = balance_paise - contest.fee_paise
    WHERE account = wallet AND balance_paise >= contest.fee_paise RETURNING balance_paise INTO wallet_after;
  IF NOT FOUND THEN RAISE EXCEPTION 'insufficient_funds'; END IF;
  escrow := 'escrow:' || p_contest || ':' || (p_user % contest.escrow_stripes);
  UPDATE accounts SET balance_paise = balance_paise + contest.fee_paise
    WHERE account = escrow RETURNING balance_paise INTO escrow_after;
  INSERT INTO transfers (txn_id, debit, credit, amount_paise, kind, ref, at_ms, debit_after_paise, credit_after_paise)
    VALUES ('join:' || p_user || ':' || p_contest || ':' || p_entry, wallet, escrow, contest.fee_paise, 'join',
            p_contest::text, p_now_ms, wallet_after, escrow_after);
  UPDATE contests SET seats_taken = seats_taken + 1
    WHERE contest_id = p_contest AND state = 'open' AND seats_taken < entries_max;
  IF NOT FOUND THEN RAISE EXCEPTION 'contest_full'; END IF;
  RETURN 'ok';
END $$;
