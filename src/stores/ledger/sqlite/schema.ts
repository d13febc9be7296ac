/**
 * A transfer is one row with both balances after it, so that history is read and never recomputed. Accounts are numbered:
 * two integers a row instead of two names. An index holds the row's seq behind its column, so the two
 * by account also order and page an account's history.
 */
const FIRST_SCHEMA = `
CREATE TABLE accounts (
  account_id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  balance_paise INTEGER NOT NULL
) STRICT;

CREATE TABLE transfers (
  seq INTEGER PRIMARY KEY,
  txn_id TEXT NOT NULL,
  debit_id INTEGER NOT NULL,
  credit_id INTEGER NOT NULL,
  amount_paise INTEGER NOT NULL CHECK (amount_paise > 0),
  kind TEXT NOT NULL,
  ref TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  debit_after_paise INTEGER NOT NULL,
  credit_after_paise INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX transfers_by_txn ON transfers (txn_id);
CREATE INDEX transfers_by_debit ON transfers (debit_id);
CREATE INDEX transfers_by_credit ON transfers (credit_id);
`;

/**
 * A wallet has the number of its user, other accounts have negative ones: no name is stored or looked up for a wallet, and
 * what is paid in the order of users is written in the order of the file.
 */
const WALLETS_BY_USER = `
CREATE TABLE renumbered (old_id INTEGER PRIMARY KEY, new_id INTEGER NOT NULL) STRICT;
INSERT INTO renumbered
  SELECT account_id, CASE WHEN name LIKE 'user:%' THEN CAST(substr(name, 6) AS INTEGER) ELSE -account_id END
  FROM accounts;
UPDATE transfers SET
  debit_id = (SELECT new_id FROM renumbered WHERE old_id = debit_id),
  credit_id = (SELECT new_id FROM renumbered WHERE old_id = credit_id);

CREATE TABLE numbered_accounts (
  account_id INTEGER PRIMARY KEY,
  name TEXT CHECK ((name IS NULL) = (account_id > 0)),
  balance_paise INTEGER NOT NULL
) STRICT;
INSERT INTO numbered_accounts
  SELECT new_id, CASE WHEN new_id > 0 THEN NULL ELSE name END, balance_paise
  FROM accounts JOIN renumbered ON old_id = account_id;
DROP TABLE accounts;
DROP TABLE renumbered;
ALTER TABLE numbered_accounts RENAME TO accounts;
CREATE UNIQUE INDEX accounts_by_name ON accounts (name) WHERE name IS NOT NULL;
`;

export const LEDGER_MIGRATIONS = [FIRST_SCHEMA, WALLETS_BY_USER] as const;
