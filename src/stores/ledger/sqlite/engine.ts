import type { Database } from "bun:sqlite";
import { type AccountId, mayOverdraw } from "../../../domain/account.ts";
import { type Paise, paise } from "../../../domain/money.ts";
import type { LedgerAudit, LedgerLine, LedgerTransfer, Transfer, TransferKind, TransferResult } from "../port.ts";

/**
 * A transfer is one row with both balances after it, so that history is read and never recomputed. Accounts are numbered:
 * two integers a row instead of two names.
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
CREATE INDEX transfers_by_debit ON transfers (debit_id, seq);
CREATE INDEX transfers_by_credit ON transfers (credit_id, seq);
`;

interface AccountRow {
  account_id: number;
  name: AccountId;
  balance_paise: Paise;
}

interface TransferRow {
  seq: number;
  txn_id: string;
  debit: AccountId;
  credit: AccountId;
  amount_paise: Paise;
  kind: TransferKind;
  ref: string;
  at_ms: number;
}

interface LineRow {
  seq: number;
  txn_id: string;
  kind: TransferKind;
  ref: string;
  at_ms: number;
  amount_paise: Paise;
  balance_after_paise: Paise;
}

const NAMED_TRANSFERS = `
  SELECT t.seq, t.txn_id, d.name AS debit, c.name AS credit, t.amount_paise, t.kind, t.ref, t.at_ms
  FROM transfers t JOIN accounts d ON d.account_id = t.debit_id JOIN accounts c ON c.account_id = t.credit_id`;

const transferOf = (row: TransferRow): LedgerTransfer => ({
  seq: row.seq,
  txnId: row.txn_id,
  debit: row.debit,
  credit: row.credit,
  amountPaise: row.amount_paise,
  kind: row.kind,
  ref: row.ref,
  atMs: row.at_ms,
});

const lineOf = (row: LineRow): LedgerLine => ({
  seq: row.seq,
  txnId: row.txn_id,
  kind: row.kind,
  ref: row.ref,
  atMs: row.at_ms,
  amountPaise: row.amount_paise,
  balanceAfterPaise: row.balance_after_paise,
});

interface HeldAccount {
  readonly id: number;
  balancePaise: number;
  dirty: boolean;
}

/** Accounts touched since the last commit, in memory: a hot account is written once a group, not once a transfer. */
class AccountsInHand {
  readonly #find;
  readonly #create;
  readonly #store;
  readonly #held = new Map<AccountId, HeldAccount>();

  constructor(db: Database) {
    this.#find = db.query<AccountRow, [string]>("SELECT * FROM accounts WHERE name = ?");
    this.#create = db.query<AccountRow, [string]>(
      "INSERT INTO accounts (name, balance_paise) VALUES (?, 0) RETURNING *",
    );
    this.#store = db.query<null, [number, number]>("UPDATE accounts SET balance_paise = ? WHERE account_id = ?");
  }

  balancePaise(name: AccountId): number {
    return this.#held.get(name)?.balancePaise ?? this.#find.get(name)?.balance_paise ?? 0;
  }

  /** Adds to the balance; answers the account as it is then. */
  add(name: AccountId, amountPaise: number): HeldAccount {
    let account = this.#held.get(name);
    if (!account) {
      const row = this.#find.get(name) ?? this.#create.get(name)!;
      account = { id: row.account_id, balancePaise: row.balance_paise, dirty: false };
      this.#held.set(name, account);
    }
    account.balancePaise += amountPaise;
    account.dirty = true;
    return account;
  }

  beforeCommit(): void {
    for (const account of this.#held.values()) if (account.dirty) this.#store.run(account.balancePaise, account.id);
    this.#held.clear();
  }

  forget(): void {
    this.#held.clear();
  }
}

function ledgerWrites(db: Database) {
  const accounts = new AccountsInHand(db);
  const byTxn = db.query<TransferRow, [string]>(`${NAMED_TRANSFERS} WHERE t.txn_id = ?`);
  const insert = db.query<null, [string, number, number, number, string, string, number, number, number]>(
    `INSERT INTO transfers (txn_id, debit_id, credit_id, amount_paise, kind, ref, at_ms, debit_after_paise,
       credit_after_paise) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );

  function apply(transfer: Transfer): TransferResult {
    const { txnId, debit, credit, amountPaise, kind, ref, atMs } = transfer;
    const first = byTxn.get(txnId);
    if (first) {
      const same =
        first.debit === debit &&
        first.credit === credit &&
        first.amount_paise === amountPaise &&
        first.kind === kind &&
        first.ref === ref;
      return same ? { ok: true, replayed: true } : { ok: false, refusal: "txn_mismatch" };
    }
    if (debit === credit) return { ok: false, refusal: "same_account" };
    if (amountPaise <= 0) return { ok: false, refusal: "amount_not_positive" };
    if (!mayOverdraw(debit) && accounts.balancePaise(debit) < amountPaise) {
      return { ok: false, refusal: "insufficient_funds" };
    }
    // After this point the transfer must take effect.
    const from = accounts.add(debit, -amountPaise);
    const to = accounts.add(credit, amountPaise);
    insert.run(txnId, from.id, to.id, amountPaise, kind, ref, atMs, from.balancePaise, to.balancePaise);
    return { ok: true, replayed: false };
  }

  return {
    operations: {
      transfer: (batch: readonly Transfer[]): TransferResult[] => batch.map(apply),
    },
    beforeCommit: () => accounts.beforeCommit(),
    forget: () => accounts.forget(),
  };
}

function ledgerReads(db: Database) {
  const account = db.query<AccountRow, [string]>("SELECT * FROM accounts WHERE name = ?");
  const byTxn = db.query<TransferRow, [string]>(`${NAMED_TRANSFERS} WHERE t.txn_id = ?`);
  const lines = db.query<LineRow, [number, number, number]>(`
    SELECT seq, txn_id, kind, ref, at_ms, -amount_paise AS amount_paise, debit_after_paise AS balance_after_paise
      FROM transfers WHERE debit_id = ?1 AND seq < ?2
    UNION ALL
    SELECT seq, txn_id, kind, ref, at_ms, amount_paise, credit_after_paise
      FROM transfers WHERE credit_id = ?1 AND seq < ?2
    ORDER BY seq DESC LIMIT ?3`);
  return {
    balances: (names: readonly AccountId[]): Paise[] =>
      names.map((name) => account.get(name)?.balance_paise ?? paise(0)),
    history({ name, beforeSeq, limit }: { name: AccountId; beforeSeq: number; limit: number }): LedgerLine[] {
      const row = account.get(name);
      return row ? lines.all(row.account_id, beforeSeq, limit).map(lineOf) : [];
    },
    find(txnId: string): LedgerTransfer | null {
      const row = byTxn.get(txnId);
      return row && transferOf(row);
    },
    audit: (): LedgerAudit => audit(db),
  };
}

function audit(db: Database): LedgerAudit {
  const counts = db
    .query<{ transfers: number; accounts: number; sum: Paise }, []>(
      "SELECT (SELECT COUNT(*) FROM transfers) AS transfers, COUNT(*) AS accounts, COALESCE(SUM(balance_paise), 0) AS sum FROM accounts",
    )
    .get()!;
  const totals = db
    .query<{ kind: TransferKind; total: Paise }, []>(
      "SELECT kind, SUM(amount_paise) AS total FROM transfers GROUP BY kind",
    )
    .all();
  const derived = db
    .query<{ account: AccountId; cachedPaise: Paise; derivedPaise: Paise }, []>(
      `SELECT a.name AS account, a.balance_paise AS cachedPaise, COALESCE(moved.sum, 0) AS derivedPaise
       FROM accounts a LEFT JOIN (
         SELECT account_id, SUM(amount) AS sum FROM (
           SELECT debit_id AS account_id, -amount_paise AS amount FROM transfers
           UNION ALL SELECT credit_id, amount_paise FROM transfers
         ) GROUP BY account_id
       ) moved ON moved.account_id = a.account_id
       WHERE a.balance_paise <> COALESCE(moved.sum, 0) OR a.balance_paise < 0`,
    )
    .all();
  return {
    transferCount: counts.transfers,
    accountCount: counts.accounts,
    sumPaise: counts.sum,
    totalsPaise: Object.fromEntries(totals.map(({ kind, total }) => [kind, total])),
    differences: derived.filter((row) => row.cachedPaise !== row.derivedPaise || !mayOverdraw(row.account)),
  };
}

export const ledgerEngine = {
  migrations: [FIRST_SCHEMA] as const,
  pageBytes: 4096,
  writes: ledgerWrites,
  reads: ledgerReads,
};
