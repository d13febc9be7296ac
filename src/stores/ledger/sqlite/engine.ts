import type { Database } from "bun:sqlite";
import { type AccountId, mayOverdraw, userAccount, userOfAccount } from "../../../domain/account.ts";
import { userOfEntry } from "../../../domain/ids.ts";
import { type Paise, paise } from "../../../domain/money.ts";
import type {
  EntryPayments,
  LedgerAudit,
  LedgerLine,
  LedgerTransfer,
  Transfer,
  TransferKind,
  TransferRefusal,
} from "../port.ts";
import { AccountsInHand, type HeldAccount } from "./accounts.ts";
import { audit } from "./audit.ts";
import { LEDGER_MIGRATIONS } from "./schema.ts";

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
  SELECT t.seq, t.txn_id, t.amount_paise, t.kind, t.ref, t.at_ms,
    coalesce(d.name, 'user:' || d.account_id) AS debit, coalesce(c.name, 'user:' || c.account_id) AS credit
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

/** Positions of those that were not simply done. */
export interface EntryPaymentsAnswer {
  readonly replayed: number[];
  readonly refused: [number, TransferRefusal][];
}

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
    const moved = move(transfer, accounts.open(transfer.debit), accounts.open(transfer.credit));
    return moved ? "done" : answerOfKnown(transfer)!;
  }

  /** false: the id is known, and nothing was moved. */
  function move(
    { txnId, amountPaise, kind, ref, atMs }: Omit<Transfer, "debit" | "credit">,
    from: HeldAccount,
    to: HeldAccount,
  ): boolean {
    const fromAfterPaise = paise(from.balancePaise - amountPaise);
    const toAfterPaise = paise(to.balancePaise + amountPaise);
    const { changes } = insert.run(txnId, from.id, to.id, amountPaise, kind, ref, atMs, fromAfterPaise, toAfterPaise);
    if (changes === 0) return false;
    accounts.set(from, fromAfterPaise);
    accounts.set(to, toAfterPaise);
    return true;
  }

  /** Whatever is not simply done is asked again in the plain way, which knows why. */
  function payEntries(payments: EntryPayments): EntryPaymentsAnswer {
    const { debit, kind, ref, atMs, txnPrefix, entries, amountsPaise } = payments;
    const answer: EntryPaymentsAnswer = { replayed: [], refused: [] };
    const from = accounts.open(debit);
    const isBounded = !mayOverdraw(debit);
    for (let index = 0; index < entries.length; index++) {
      const entry = entries[index]!;
      const amountPaise = amountsPaise[index]!;
      const txnId = `${txnPrefix}${entry}`;
      const user = userOfEntry(entry);
      const isSound = amountPaise > 0 && from.id !== user && !(isBounded && from.balancePaise < amountPaise);
      if (isSound && move({ txnId, amountPaise, kind, ref, atMs }, from, accounts.openWallet(user))) continue;
      const plain = apply({ txnId, debit, credit: userAccount(user), amountPaise, kind, ref, atMs });
      if (plain === "replayed") answer.replayed.push(index);
      else if (plain !== "done") answer.refused.push([index, plain]);
    }
    return answer;
  }

  return {
    operations: {
      transfer: (batch: readonly Transfer[]): TransferAnswer[] => batch.map(apply),
      payEntries,
    },
    beforeCommit: () => accounts.beforeCommit(),
    forget: () => accounts.forget(),
  };
}

function ledgerReads(db: Database) {
  const idByName = db.query<{ account_id: number }, [string]>("SELECT account_id FROM accounts WHERE name = ?");
  const balance = db.query<{ balance_paise: Paise }, [number]>(
    "SELECT balance_paise FROM accounts WHERE account_id = ?",
  );
  const idOf = (name: AccountId): number | null => userOfAccount(name) ?? idByName.get(name)?.account_id ?? null;
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
      names.map((name) => {
        const id = idOf(name);
        return (id === null ? null : balance.get(id))?.balance_paise ?? paise(0);
      }),
    history({ name, beforeSeq, limit }: { name: AccountId; beforeSeq: number; limit: number }): LedgerLine[] {
      const id = idOf(name);
      return id === null ? [] : lines.all(id, beforeSeq, limit).map(lineOf);
    },
    find(txnId: string): LedgerTransfer | null {
      const row = byTxn.get(txnId);
      return row && transferOf(row);
    },
    audit: (): LedgerAudit => audit(db),
  };
}

export const ledgerEngine = {
  migrations: LEDGER_MIGRATIONS,
  pageBytes: 4096,
  messages: "json" as const,
  writes: ledgerWrites,
  reads: ledgerReads,
};
