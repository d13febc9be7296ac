import { SqliteStore, type SqliteStoreOptions, type StoreCalls } from "../sqlite/store.ts";
import type { Ledger, TransferResult } from "./port.ts";
import type { TransferAnswer } from "./sqlite/engine.ts";

const refused = (refusal: Extract<TransferResult, { ok: false }>["refusal"]): TransferResult => ({
  ok: false,
  refusal,
});

const RESULTS: Readonly<Record<TransferAnswer, TransferResult>> = {
  done: { ok: true, replayed: false },
  replayed: { ok: true, replayed: true },
  txn_mismatch: refused("txn_mismatch"),
  same_account: refused("same_account"),
  amount_not_positive: refused("amount_not_positive"),
  insufficient_funds: refused("insufficient_funds"),
};

/** Transfers and balances in one SQLite file; the transfers of all callers share commits. */
export const openEmbeddedLedger = async (options: SqliteStoreOptions): Promise<Ledger> =>
  ledgerOver(await SqliteStore.open("Ledger", "ledger", options));

export function ledgerOver(store: StoreCalls<"ledger">): Ledger {
  return {
    transfer: async (batch) => (await store.write("transfer", batch)).map((answer) => RESULTS[answer]),
    async payEntries(payments) {
      const { refused, replayed } = await store.write("payEntries", payments);
      const results = Array.from(payments.entries, () => RESULTS.done);
      for (const index of replayed) results[index] = RESULTS.replayed;
      for (const [index, refusal] of refused) results[index] = RESULTS[refusal];
      return results;
    },
    balances: (accounts) => store.read("balances", accounts),
    history: (account, { beforeSeq = Number.MAX_SAFE_INTEGER, limit }) =>
      store.read("history", { name: account, beforeSeq, limit }),
    find: (txnId) => store.read("find", txnId),
    audit: () => store.scan("audit", undefined),
    close: () => store.close(),
  } satisfies Ledger;
}
