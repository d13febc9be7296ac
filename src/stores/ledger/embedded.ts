import { SqliteStore, type SqliteStoreOptions, type StoreCalls } from "../sqlite/store.ts";
import type { Ledger } from "./port.ts";

/** Transfers and balances in one SQLite file; the transfers of all callers share commits. */
export const openEmbeddedLedger = async (options: SqliteStoreOptions): Promise<Ledger> =>
  ledgerOver(await SqliteStore.open("Ledger", "ledger", options));

export function ledgerOver(store: StoreCalls<"ledger">): Ledger {
  return {
    transfer: (batch) => store.write("transfer", batch),
    balances: (accounts) => store.read("balances", accounts),
    history: (account, { beforeSeq = Number.MAX_SAFE_INTEGER, limit }) =>
      store.read("history", { name: account, beforeSeq, limit }),
    find: (txnId) => store.read("find", txnId),
    audit: () => store.scan("audit", undefined),
    close: () => store.close(),
  } satisfies Ledger;
}
