-- Matches, contests and joins. A saga and the seat that it takes are one row: clustered by nothing, found by its number, by
-- (user, key), by (contest, entry) and by (match, entry). It is written once and never changed: whether the join is still under
-- way is a row of its own beside it, so entering costs no new version of a row with four indices.
CREATE TABLE matches (
  match_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text NOT NULL,
  side_0 text NOT NULL,
  side_1 text NOT NULL,
  format text NOT NULL,
  start_ms bigint NOT NULL,
  state text NOT NULL DEFAULT 'upcoming',
  scoring_rules text NOT NULL,
  roster_rules text NOT NULL,
  lock_positions bigint[]
);
CREATE INDEX matches_by_start ON matches (start_ms, match_id);

CREATE TABLE squads (match_id integer PRIMARY KEY, squad jsonb NOT NULL);

CREATE TABLE contests (
  contest_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  match_id integer NOT NULL,
  terms jsonb NOT NULL,
  state text NOT NULL DEFAULT 'open',
  payout_cursor text
);
CREATE INDEX contests_by_match ON contests (match_id, contest_id);
CREATE INDEX contests_not_over ON contests (contest_id) WHERE state IN ('settling', 'cancelling');

-- What a group of joins locks and counts, and nothing else: small rows with room on their page for the next version. What
-- a join asks of the contest's and the match's state stands here too, so one lock decides between a join and a move.
CREATE TABLE contest_counts (
  contest_id integer PRIMARY KEY,
  match_id integer NOT NULL,
  entries_max integer NOT NULL,
  entries_per_user_max integer NOT NULL,
  is_open boolean NOT NULL DEFAULT true,
  match_is_upcoming boolean NOT NULL,
  seats_taken integer NOT NULL DEFAULT 0,
  entry_count integer NOT NULL DEFAULT 0,
  CONSTRAINT seats_within_capacity CHECK (seats_taken BETWEEN 0 AND entries_max),
  CONSTRAINT entries_within_seats CHECK (entry_count BETWEEN 0 AND seats_taken)
) WITH (fillfactor = 40);
CREATE INDEX contest_counts_by_match ON contest_counts (match_id);

-- A saga's number is 256 n + contest_id % 256: so whoever has the number alone knows in which group its contest goes.
CREATE SEQUENCE saga_numbers;

CREATE TABLE seats (
  saga_id bigint PRIMARY KEY,
  user_id bigint NOT NULL,
  match_id integer NOT NULL,
  contest_id integer NOT NULL,
  entry_id bigint NOT NULL,
  fee_paise bigint NOT NULL,
  received_at_ms bigint NOT NULL,
  idempotency_key text NOT NULL,
  CONSTRAINT one_saga_a_key UNIQUE (user_id, idempotency_key),
  CONSTRAINT one_entry_a_contest UNIQUE (contest_id, entry_id)
);
CREATE INDEX seats_by_match ON seats (match_id, entry_id);

-- Both stay short and turn over all the time: vacuumed by their number of dead rows alone, and without a pause.
CREATE TABLE joins_under_way (
  saga_id bigint PRIMARY KEY,
  contest_id integer NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000, autovacuum_vacuum_cost_delay = 0);
CREATE TABLE outbox (
  saga_id bigint PRIMARY KEY,
  match_id integer NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000, autovacuum_vacuum_cost_delay = 0);

-- One row: the name of this catalog's data.
CREATE TABLE identity (identity uuid NOT NULL);
INSERT INTO identity VALUES (gen_random_uuid());

CREATE TABLE spools (node_id text COLLATE "C" PRIMARY KEY);

-- Compare-and-set: true if it is in the state now. From the return on, no join of the match begins unless it is upcoming.
CREATE FUNCTION move_match(p_match integer, p_from text, p_to text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  UPDATE matches SET state = p_to WHERE match_id = p_match AND state IN (p_from, p_to);
  IF NOT FOUND THEN RETURN false; END IF;
  -- Contests are always locked in the order of their ids: that is why no two writers wait for each other in a circle.
  PERFORM FROM contest_counts WHERE match_id = p_match ORDER BY contest_id FOR UPDATE;
  UPDATE contest_counts SET match_is_upcoming = (p_to = 'upcoming')
    WHERE match_id = p_match AND match_is_upcoming <> (p_to = 'upcoming');
  RETURN true;
END $$;

CREATE FUNCTION create_contest(p_match integer, p_terms jsonb, p_entries_max integer, p_per_user_max integer)
RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
  upcoming boolean;
  created integer;
BEGIN
  -- Shared with other creators, exclusive of the match's move: a contest never believes a match that has just moved.
  SELECT state = 'upcoming' INTO upcoming FROM matches WHERE match_id = p_match FOR SHARE;
  INSERT INTO contests (match_id, terms) VALUES (p_match, p_terms) RETURNING contest_id INTO created;
  INSERT INTO contest_counts (contest_id, match_id, entries_max, entries_per_user_max, match_is_upcoming)
    VALUES (created, p_match, p_entries_max, p_per_user_max, coalesce(upcoming, true));
  RETURN created;
END $$;

CREATE FUNCTION move_contest(p_contest integer, p_from text, p_to text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  UPDATE contests SET state = p_to WHERE contest_id = p_contest AND state IN (p_from, p_to);
  IF NOT FOUND THEN RETURN false; END IF;
  UPDATE contest_counts SET is_open = (p_to = 'open') WHERE contest_id = p_contest AND is_open <> (p_to = 'open');
  RETURN true;
END $$;

-- Joins that begin, are confirmed and are released, all of one moment, as one commit.
--
-- The row that a mega contest counts in is locked last: seats are inserted and joins entered before it, side by side with
-- other groups, and what proves wrong under the lock (the contest filled, closed, or the user took a seat on another node) is
-- taken back. The lock is then held for a check, one update and the commit.
--
-- begun, one a request: its saga's number; minus the number of the saga that the key already had (see known); -1 … -6 the
-- refusals in the order of their type; 0: something changed in between, ask again.
-- known: the sagas that keys already had. confirmed, five numbers a saga: match, contest, entry, fee, received at; or -1
-- (released) or -2 (contest not open) and zeros. released, one a saga.
CREATE FUNCTION join_group(
  p_users bigint[], p_keys text[], p_matches integer[], p_contests integer[], p_entries bigint[], p_fees bigint[],
  p_received bigint[], p_confirms bigint[], p_releases bigint[],
  OUT begun text, OUT known jsonb, OUT confirmed text, OUT released text
)
LANGUAGE plpgsql
-- Every look-up is of a few hundred rows by index. A plan made while the tables were empty must not read them whole for ever.
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
DECLARE
  sagas bigint[] := '{}';
  seated bigint[] := '{}';
  seated_contests integer[] := '{}';
  entered bigint[] := '{}';
  entered_contests integer[] := '{}';
  freed_contests integer[] := '{}';
  suspects bigint[];
  suspect bigint;
  refused bigint[] := '{}';
BEGIN
  IF cardinality(p_users) > 0 THEN
    sagas := ARRAY(SELECT nextval('saga_numbers') * 256 + contest % 256 FROM unnest(p_contests) contest);
    -- In the order of users, so that two groups which want the same keys don't wait for each other.
    WITH seat AS (
      INSERT INTO seats
      SELECT saga_id, user_id, a.match_id, a.contest_id, entry_id, fee_paise, received_at_ms, idempotency_key
      FROM unnest(sagas, p_users, p_matches, p_contests, p_entries, p_fees, p_received, p_keys)
        a (saga_id, user_id, match_id, contest_id, entry_id, fee_paise, received_at_ms, idempotency_key)
      JOIN contest_counts c ON c.contest_id = a.contest_id AND c.match_id = a.match_id
      WHERE c.is_open AND c.match_is_upcoming AND c.seats_taken < c.entries_max
      ORDER BY user_id, saga_id
      ON CONFLICT DO NOTHING
      RETURNING saga_id, contest_id
    ), way AS (INSERT INTO joins_under_way SELECT saga_id, contest_id FROM seat)
    SELECT coalesce(array_agg(saga_id), '{}'), coalesce(array_agg(contest_id), '{}')
      INTO seated, seated_contests FROM seat;
  END IF;

  IF cardinality(p_confirms) > 0 THEN
    WITH gone AS (
      DELETE FROM joins_under_way way
      USING (SELECT saga_id FROM unnest(p_confirms) saga_id ORDER BY saga_id) asked
      WHERE way.saga_id = asked.saga_id
        AND EXISTS (SELECT FROM contest_counts c WHERE c.contest_id = way.contest_id AND c.is_open)
      RETURNING way.saga_id, way.contest_id
    ), told AS (
      INSERT INTO outbox
      SELECT gone.saga_id, c.match_id FROM gone JOIN contest_counts c ON c.contest_id = gone.contest_id
    )
    SELECT coalesce(array_agg(saga_id), '{}'), coalesce(array_agg(contest_id), '{}')
      INTO entered, entered_contests FROM gone;
  END IF;

  IF cardinality(p_releases) > 0 THEN
    WITH gone AS (
      DELETE FROM joins_under_way way
      USING (SELECT saga_id FROM unnest(p_releases) saga_id ORDER BY saga_id) asked
      WHERE way.saga_id = asked.saga_id RETURNING way.saga_id
    ), freed AS (DELETE FROM seats USING gone WHERE seats.saga_id = gone.saga_id RETURNING seats.contest_id)
    SELECT coalesce(array_agg(contest_id), '{}') INTO freed_contests FROM freed;
  END IF;

  PERFORM FROM contest_counts
    WHERE contest_id = ANY (ARRAY(
      SELECT DISTINCT contest FROM unnest(seated_contests || entered_contests || freed_contests) contest))
    ORDER BY contest_id FOR UPDATE;

  IF cardinality(seated) > 0 THEN
    SELECT array_agg(s.saga_id ORDER BY s.saga_id DESC) INTO suspects
      FROM unnest(seated) mine (saga_id) JOIN seats s ON s.saga_id = mine.saga_id
      JOIN contest_counts c ON c.contest_id = s.contest_id
      WHERE NOT (c.is_open AND c.match_is_upcoming)
        OR c.entries_per_user_max < (SELECT count(*) FROM seats o WHERE o.contest_id = s.contest_id
             AND o.entry_id BETWEEN s.user_id * 64 AND s.user_id * 64 + 63);
    -- The last first, so that of a user's own joins the earlier ones stay.
    FOREACH suspect IN ARRAY coalesce(suspects, '{}') LOOP
      DELETE FROM seats s USING contest_counts c
        WHERE s.saga_id = suspect AND c.contest_id = s.contest_id
          AND (NOT (c.is_open AND c.match_is_upcoming)
            OR c.entries_per_user_max < (SELECT count(*) FROM seats o WHERE o.contest_id = s.contest_id
                 AND o.entry_id BETWEEN s.user_id * 64 AND s.user_id * 64 + 63));
      IF FOUND THEN refused := refused || suspect; END IF;
    END LOOP;

    WITH ranked AS (
      SELECT mine.saga_id, mine.contest_id,
        row_number() OVER (PARTITION BY mine.contest_id ORDER BY mine.saga_id) AS place
      FROM unnest(seated, seated_contests) mine (saga_id, contest_id)
      WHERE cardinality(refused) = 0 OR NOT mine.saga_id = ANY (refused)
    ), surplus AS (
      SELECT ranked.saga_id FROM ranked JOIN contest_counts c ON c.contest_id = ranked.contest_id
      WHERE place > c.entries_max - c.seats_taken
    ), gone AS (DELETE FROM seats USING surplus WHERE seats.saga_id = surplus.saga_id RETURNING seats.saga_id)
    SELECT refused || coalesce(array_agg(saga_id), '{}') INTO refused FROM gone;

    IF cardinality(refused) > 0 THEN
      DELETE FROM joins_under_way WHERE saga_id = ANY (refused);
      SELECT coalesce(array_agg(saga_id), '{}'), coalesce(array_agg(contest_id), '{}') INTO seated, seated_contests
        FROM unnest(seated, seated_contests) mine (saga_id, contest_id) WHERE NOT saga_id = ANY (refused);
    END IF;
  END IF;

  IF EXISTS (SELECT FROM contest_counts WHERE contest_id = ANY (entered_contests) AND NOT is_open) THEN
    INSERT INTO joins_under_way
      SELECT mine.saga_id, mine.contest_id FROM unnest(entered, entered_contests) mine (saga_id, contest_id)
      JOIN contest_counts c ON c.contest_id = mine.contest_id WHERE NOT c.is_open;
    DELETE FROM outbox USING joins_under_way way WHERE outbox.saga_id = ANY (entered) AND way.saga_id = outbox.saga_id;
    SELECT coalesce(array_agg(mine.contest_id), '{}') INTO entered_contests
      FROM unnest(entered_contests) mine (contest_id)
      JOIN contest_counts c ON c.contest_id = mine.contest_id WHERE c.is_open;
  END IF;

  UPDATE contest_counts c
    SET seats_taken = c.seats_taken + d.seats, entry_count = c.entry_count + d.entries
    FROM (
      SELECT contest_id, sum(seats)::integer AS seats, sum(entries)::integer AS entries FROM (
        SELECT unnest(seated_contests), 1, 0
        UNION ALL SELECT unnest(entered_contests), 0, 1
        UNION ALL SELECT unnest(freed_contests), -1, 0
      ) changes (contest_id, seats, entries) GROUP BY contest_id
    ) d WHERE c.contest_id = d.contest_id;

  IF cardinality(seated) = cardinality(sagas) THEN
    begun := array_to_string(sagas, ',');
  ELSE
    SELECT string_agg((CASE
        WHEN own.saga_id IS NOT NULL THEN own.saga_id
        WHEN k.contest_id = a.contest_id AND k.entry_id = a.entry_id THEN -k.saga_id
        WHEN k.saga_id IS NOT NULL THEN -1
        WHEN c.contest_id IS NULL THEN -2
        WHEN NOT (c.is_open AND c.match_is_upcoming) THEN -3
        WHEN EXISTS (SELECT FROM seats o WHERE o.contest_id = a.contest_id AND o.entry_id = a.entry_id) THEN -4
        WHEN c.entries_per_user_max <= (SELECT count(*) FROM seats o WHERE o.contest_id = a.contest_id
               AND o.entry_id BETWEEN a.user_id * 64 AND a.user_id * 64 + 63) THEN -5
        WHEN c.seats_taken >= c.entries_max THEN -6
        ELSE 0 END)::text, ',' ORDER BY a.place),
      jsonb_agg(jsonb_build_object('sagaId', k.saga_id, 'idempotencyKey', k.idempotency_key, 'userId', k.user_id,
        'matchId', k.match_id, 'contestId', k.contest_id, 'entryId', k.entry_id, 'feePaise', k.fee_paise,
        'receivedAtMs', k.received_at_ms, 'state', CASE WHEN way.saga_id IS NULL THEN 'entered' ELSE 'reserved' END))
        FILTER (WHERE k.contest_id = a.contest_id AND k.entry_id = a.entry_id)
      INTO begun, known
      FROM unnest(sagas, p_users, p_keys, p_matches, p_contests, p_entries) WITH ORDINALITY
        a (saga_id, user_id, idempotency_key, match_id, contest_id, entry_id, place)
      LEFT JOIN seats own ON own.saga_id = a.saga_id
      LEFT JOIN seats k ON own.saga_id IS NULL AND k.user_id = a.user_id AND k.idempotency_key = a.idempotency_key
      LEFT JOIN joins_under_way way ON way.saga_id = k.saga_id
      LEFT JOIN contest_counts c ON c.contest_id = a.contest_id AND c.match_id = a.match_id;
  END IF;

  IF cardinality(p_confirms) > 0 THEN
    SELECT string_agg(CASE
        WHEN s.saga_id IS NULL THEN '-1,0,0,0,0'
        WHEN way.saga_id IS NOT NULL THEN '-2,0,0,0,0'
        ELSE concat_ws(',', s.match_id, s.contest_id, s.entry_id, s.fee_paise, s.received_at_ms) END, ',' ORDER BY a.place)
      INTO confirmed
      FROM unnest(p_confirms) WITH ORDINALITY a (saga_id, place)
      LEFT JOIN seats s ON s.saga_id = a.saga_id LEFT JOIN joins_under_way way ON way.saga_id = a.saga_id;
  END IF;
  IF cardinality(p_releases) > 0 THEN
    -- What is left is an entry's.
    SELECT string_agg((s.saga_id IS NULL)::integer::text, ',' ORDER BY a.place) INTO released
      FROM unnest(p_releases) WITH ORDINALITY a (saga_id, place) LEFT JOIN seats s ON s.saga_id = a.saga_id;
  END IF;
END $$;
