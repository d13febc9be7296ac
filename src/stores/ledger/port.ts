import { type AccountId, userAccount } from "../../domain/account.ts";
import { type EntryId, userOfEntry } from "../../domain/ids.ts";
import type { Paise } from "../../domain/money.ts";

/**
 * Double-entry money.
 *
 * Law:
 * - A transfer takes effect at most once for ever: its `txnId` replayed with the same body answers as the first time and
 *   moves nothing; with another body it is refused.
 * - No account goes below zero, but those that `mayOverdraw` names.
 * - A transfer debits and credits in one step: the sum of all balances is zero at every instant.
 * - A refused transfer leaves no trace: the same `txnId` may succeed later.
 * - When `transfer` resolves, its effects are durable. When it rejects (`StoreUnavailable`), each transfer of the batch may
 *   or may not have happened: send the same ids again.
 * - Balances are a cache of the transfers: `audit` re-derives them.
 */
export interface Ledger {
  /**
   * Each transfer of the batch stands for itself (they are not one transaction) and takes effect in order. Results are by
   * position.
   */
  transfer(batch: readonly Transfer[]): Promise<TransferResult[]>;
  /** As `transfer` of each of them, in their order; packed, because a settlement brings them by the million. */
  payEntries(payments: EntryPayments): Promise<TransferResult[]>;
  /** An account that no transfer touched has 0. */
  balances(accounts: readonly AccountId[]): Promise<Paise[]>;
  /** Newest first; `beforeSeq` pages. */
  history(account: AccountId, page: { readonly beforeSeq?: number; readonly limit: number }): Promise<LedgerLine[]>;
  /** The transfer with this id, or null. */
  find(txnId: string): Promise<LedgerTransfer | null>;
  /** Recomputes every balance from the transfers and compares. */
  audit(): Promise<LedgerAudit>;
  close(): Promise<void>;
}

export const TRANSFER_KINDS = [
  "deposit",
  "join",
  "refund",
  "prize_fund",
  "prize",
  "margin",
  "withdrawal_hold",
  "withdrawal_paid",
  "withdrawal_returned",
  "void",
] as const;
export type TransferKind = (typeof TRANSFER_KINDS)[number];

export interface Transfer {
  /** 1 … 120 characters, chosen by the caller from what the transfer is for, so that a retry has the same. */
  readonly txnId: string;
  readonly debit: AccountId;
  readonly credit: AccountId;
  readonly amountPaise: Paise;
  readonly kind: TransferKind;
  /** What it is for, to show and to reconcile: a contest, an order, a withdrawal. */
  readonly ref: string;
  readonly atMs: number;
}

/** Transfers out of one account into the wallets of the users of entries, each named `txnPrefix` and its entry. */
export interface EntryPayments extends Pick<Transfer, "debit" | "kind" | "ref" | "atMs"> {
  readonly txnPrefix: string;
  readonly entries: readonly EntryId[];
  /** By position. */
  readonly amountsPaise: readonly Paise[];
}

/** What the payments are, one by one. */
export const transfersOf = ({ txnPrefix, entries, amountsPaise, ...common }: EntryPayments): Transfer[] =>
  entries.map((entry, index) => ({
    ...common,
    txnId: `${txnPrefix}${entry}`,
    credit: userAccount(userOfEntry(entry)),
    amountPaise: amountsPaise[index]!,
  }));

/** In order of precedence: the first that applies is the answer. `atMs` is not compared: a retry has a later one. */
export type TransferRefusal = "txn_mismatch" | "same_account" | "amount_not_positive" | "insufficient_funds";

export type TransferResult =
  { readonly ok: true; readonly replayed: boolean } | { readonly ok: false; readonly refusal: TransferRefusal };

export interface LedgerTransfer extends Transfer {
  /** Order of effect within one ledger. */
  readonly seq: number;
}

/** A transfer seen from one account. */
export interface LedgerLine {
  readonly seq: number;
  readonly txnId: string;
  readonly kind: TransferKind;
  readonly ref: string;
  readonly atMs: number;
  /** Negative when the account was debited. */
  readonly amountPaise: Paise;
  readonly balanceAfterPaise: Paise;
}

export interface LedgerAudit {
  readonly transferCount: number;
  readonly accountCount: number;
  /** Zero, or the ledger is broken. */
  readonly sumPaise: Paise;
  /** Sum of all amounts by kind. */
  readonly totalsPaise: Readonly<Partial<Record<TransferKind, Paise>>>;
  /** Accounts whose cached balance is not what the transfers say, or that are below zero and may not. */
  readonly differences: readonly {
    readonly account: AccountId;
    readonly cachedPaise: Paise;
    readonly derivedPaise: Paise;
  }[];
}
