import type { Database } from "bun:sqlite";
import { type AccountId, mayOverdraw } from "../../../domain/account.ts";
import { type Paise, paise } from "../../../domain/money.ts";
import type { LedgerAudit, LedgerLine, LedgerTransfer, Transfer, TransferKind, TransferRefusal } from "../port.ts";
import { AccountsInHand } from "./accounts.ts";
import { audit } from "./audit.ts";

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

interface NumberedTransfer {
  debit_id: number;
  credit_id: number;
  amount_paise: Paise;
  kind: TransferKind;
  ref: string;
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

/** One word a transfer crosses threads, not an object. */
export type TransferAnswer = "done" | "replayed" | TransferRefusal;

function ledgerWrites(db: Database) {
  const accounts = new AccountsInHand(db);
  // By account number: accounts that this group opened get their rows, and so their names, only before the commit.
  const byTxn = db.query<NumberedTransfer, [string]>(
    "SELECT debit_id, credit_id, amount_paise, kind, ref FROM transfers WHERE txn_id = ?",
  );
  const insert = db.query<null, [string, number, number, number, string, string, number, number, number]>(
    `INSERT INTO transfers (txn_id, debit_id, credit_id, amount_paise, kind, ref, at_ms, debit_after_paise,
       credit_after_paise) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (txn_id) DO NOTHING`,
  );

  function refusalOf({ debit, credit, amountPaise }: Transfer): TransferRefusal | null {
    if (debit === credit) return "same_account";
    if (amountPaise <= 0) return "amount_not_positive";
    if (!mayOverdraw(debit) && accounts.balancePaise(debit) < amountPaise) return "insufficient_funds";
    return null;
  }

  /** What a known id answers, whatever else is wrong with the transfer; null for a new one. */
  function answerOfKnown(transfer: Transfer): TransferAnswer | null {
    const first = byTxn.get(transfer.txnId);
    if (!first) return null;
    const same =
      first.debit_id === accounts.idOf(transfer.debit) &&
      first.credit_id === accounts.idOf(transfer.credit) &&
      first.amount_paise === transfer.amountPaise &&
      first.kind === transfer.kind &&
      first.ref === transfer.ref;
    return same ? "replayed" : "txn_mismatch";
  }

  /** The index that makes ids unique is asked once, by the insert: nearly every transfer is new and refused by nothing. */
  function apply(transfer: Transfer): TransferAnswer {
    const refusal = refusalOf(transfer);
    if (refusal) return answerOfKnown(transfer) ?? refusal;
    const { txnId, debit, credit, amountPaise, kind, ref, atMs } = transfer;
    const from = accounts.open(debit);
    const to = accounts.open(credit);
    const fromAfterPaise = paise(from.balancePaise - amountPaise);
    const toAfterPaise = paise(to.balancePaise + amountPaise);
    const { changes } = insert.run(txnId, from.id, to.id, amountPaise, kind, ref, atMs, fromAfterPaise, toAfterPaise);
    if (changes === 0) return answerOfKnown(transfer)!;
    accounts.set(from, fromAfterPaise);
    accounts.set(to, toAfterPaise);
    return "done";
  }

  return {
    operations: {
      transfer: (batch: readonly Transfer[]): TransferAnswer[] => batch.map(apply),
    },
    beforeCommit: () => accounts.beforeCommit(),
    forget: () => accounts.forget(),
  };
}

function ledgerReads(db: Database) {
  const account = db.query<{ account_id: number; balance_paise: Paise }, [string]>(
    "SELECT account_id, balance_paise FROM accounts WHERE name = ?",
  );
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

export const ledgerEngine = {
  migrations: [FIRST_SCHEMA] as const,
  pageBytes: 4096,
  messages: "json" as const,
  writes: ledgerWrites,
  reads: ledgerReads,
};
