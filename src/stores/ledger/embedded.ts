import { SqliteStore, type SqliteStoreOptions } from "../sqlite/store.ts";
import type { Ledger } from "./port.ts";

/** Transfers and balances in one SQLite file; the transfers of all callers share commits. */
export async function openEmbeddedLedger(options: SqliteStoreOptions): Promise<Ledger> {
  const store = await SqliteStore.open("Ledger", "ledger", options);
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
