import { type AccountId, mayOverdraw } from "../domain/account.ts";
import { type Paise, paise } from "../domain/money.ts";
import {
  type Ledger,
  type LedgerLine,
  type LedgerTransfer,
  type Transfer,
  type TransferKind,
  type TransferResult,
  transfersOf,
} from "../stores/ledger/port.ts";

/** The port's law in the plainest form: a map and a list. Lives as long as the object, so it outlives simulated crashes. */
export function openSimulatedLedger(): Ledger {
  const balances = new Map<AccountId, number>();
  const transfers = new Map<string, LedgerTransfer>();
  const lines = new Map<AccountId, LedgerLine[]>();

  const balanceOf = (account: AccountId): Paise => paise(balances.get(account) ?? 0);

  function post(transfer: LedgerTransfer, account: AccountId, amountPaise: Paise): void {
    const balanceAfterPaise = paise(balanceOf(account) + amountPaise);
    balances.set(account, balanceAfterPaise);
    const { seq, txnId, kind, ref, atMs } = transfer;
    const line = { seq, txnId, kind, ref, atMs, amountPaise, balanceAfterPaise };
    const existing = lines.get(account);
    if (existing) existing.push(line);
    else lines.set(account, [line]);
  }

  function apply(transfer: Transfer): TransferResult {
    const first = transfers.get(transfer.txnId);
    if (first) return sameBody(first, transfer) ? { ok: true, replayed: true } : { ok: false, refusal: "txn_mismatch" };
    if (transfer.debit === transfer.credit) return { ok: false, refusal: "same_account" };
    if (transfer.amountPaise <= 0) return { ok: false, refusal: "amount_not_positive" };
    if (!mayOverdraw(transfer.debit) && balanceOf(transfer.debit) < transfer.amountPaise) {
      return { ok: false, refusal: "insufficient_funds" };
    }
    const done: LedgerTransfer = { ...transfer, seq: transfers.size + 1 };
    transfers.set(done.txnId, done);
    post(done, done.debit, paise(-done.amountPaise));
    post(done, done.credit, done.amountPaise);
    return { ok: true, replayed: false };
  }

  return {
    transfer: async (batch) => batch.map(apply),
    payEntries: async (payments) => transfersOf(payments).map(apply),
    balances: async (accounts) => accounts.map(balanceOf),
    async history(account, { beforeSeq = Number.POSITIVE_INFINITY, limit }) {
      const newestFirst = (lines.get(account) ?? []).filter((line) => line.seq < beforeSeq).toReversed();
      return newestFirst.slice(0, limit);
    },
    find: async (txnId) => transfers.get(txnId) ?? null,
    async audit() {
      const derived = new Map<AccountId, number>();
      const totalsPaise: Partial<Record<TransferKind, Paise>> = {};
      for (const { debit, credit, amountPaise, kind } of transfers.values()) {
        derived.set(debit, (derived.get(debit) ?? 0) - amountPaise);
        derived.set(credit, (derived.get(credit) ?? 0) + amountPaise);
        totalsPaise[kind] = paise((totalsPaise[kind] ?? 0) + amountPaise);
      }
      const accounts = new Set([...derived.keys(), ...balances.keys()]);
      const differences = [...accounts]
        .map((account) => ({
          account,
          cachedPaise: balanceOf(account),
          derivedPaise: paise(derived.get(account) ?? 0),
        }))
        .filter(
          ({ account, cachedPaise, derivedPaise }) =>
            cachedPaise !== derivedPaise || (derivedPaise < 0 && !mayOverdraw(account)),
        );
      const sumPaise = paise([...balances.values()].reduce((sum, balance) => sum + balance, 0));
      return { transferCount: transfers.size, accountCount: accounts.size, sumPaise, totalsPaise, differences };
    },
    close: async () => undefined,
  };
}

const sameBody = (a: Transfer, b: Transfer): boolean =>
  a.debit === b.debit &&
  a.credit === b.credit &&
  a.amountPaise === b.amountPaise &&
  a.kind === b.kind &&
  a.ref === b.ref;
