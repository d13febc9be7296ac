-- What lives on the shards of users. A bucket is a 4,096th of them (src/stores/catalog/postgres/ring.ts): of users by their name, of
-- payments by their id. It is wholly in one database, so one row of one database decides whose a name or an order is.
CREATE TABLE user_buckets (
  bucket integer PRIMARY KEY,
  next_number bigint NOT NULL DEFAULT 1
) WITH (fillfactor = 50);

-- A user's id is 4096 × number + bucket: it says where the user is.
CREATE TABLE users (
  user_id bigint PRIMARY KEY,
  name text NOT NULL,
  name_folded text COLLATE "C" NOT NULL CONSTRAINT one_user_a_name UNIQUE,
  role text NOT NULL,
  password_hash text,
  created_at_ms bigint NOT NULL
);

CREATE TABLE deposits (
  order_id text COLLATE "C" PRIMARY KEY,
  bucket integer NOT NULL,
  user_id bigint NOT NULL,
  amount_paise bigint NOT NULL,
  state text NOT NULL DEFAULT 'created',
  provider_order_id text COLLATE "C" CONSTRAINT one_deposit_an_order UNIQUE,
  payment_id text COLLATE "C" CONSTRAINT one_deposit_a_payment UNIQUE,
  created_at_ms bigint NOT NULL
);
CREATE INDEX deposits_by_user ON deposits (user_id, created_at_ms);

-- Which deposit a provider's order or payment belongs to, in the bucket of the provider's id: unique over all databases.
CREATE TABLE provider_claims (
  kind text NOT NULL,
  provider_id text COLLATE "C" NOT NULL,
  bucket integer NOT NULL,
  order_id text COLLATE "C" NOT NULL,
  PRIMARY KEY (kind, provider_id)
);

CREATE TABLE withdrawals (
  withdrawal_id text COLLATE "C" PRIMARY KEY,
  bucket integer NOT NULL,
  user_id bigint NOT NULL,
  amount_paise bigint NOT NULL,
  state text NOT NULL DEFAULT 'created',
  provider_payout_id text COLLATE "C",
  created_at_ms bigint NOT NULL
);
CREATE INDEX withdrawals_by_user ON withdrawals (user_id, created_at_ms);
CREATE INDEX withdrawals_by_state ON withdrawals (state, created_at_ms, withdrawal_id);
CREATE INDEX withdrawals_by_payout ON withdrawals (provider_payout_id) WHERE provider_payout_id IS NOT NULL;

-- The new user's id, or null where the name is taken.
CREATE FUNCTION create_user(
  p_bucket integer, p_name text, p_name_folded text, p_role text, p_password_hash text, p_created_at_ms bigint
) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  created bigint;
BEGIN
  IF EXISTS (SELECT FROM users WHERE name_folded = p_name_folded) THEN RETURN NULL; END IF;
  UPDATE user_buckets SET next_number = next_number + 1 WHERE bucket = p_bucket
    RETURNING (next_number - 1) * 4096 + bucket INTO created;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'bucket % of users is not in this database: the node''s list of databases is not the others''', p_bucket;
  END IF;
  INSERT INTO users VALUES (created, p_name, p_name_folded, p_role, p_password_hash, p_created_at_ms)
    ON CONFLICT (name_folded) DO NOTHING;
  RETURN CASE WHEN FOUND THEN created END;
END $$;
