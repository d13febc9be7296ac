import type { PeerHandlers } from "../../cluster/peers.ts";
import type { Ledger, Transfer, TransferResult } from "./port.ts";

/** What became of one caller's batch. */
export type ServedTransfers = { readonly results: readonly TransferResult[] } | { readonly failed: string };

/** A ledger as calls of the peer protocol; `remote.ts` makes them, with the cluster's secret, so arguments are as typed there. */
export const ledgerHandlers = (ledger: Ledger): PeerHandlers => ({
  // Callers share a question and not their fate.
  "ledger-transfer": async (batches): Promise<ServedTransfers[]> => {
    const settled = await Promise.allSettled((batches as Transfer[][]).map((batch) => ledger.transfer(batch)));
    return settled.map((each) =>
      each.status === "fulfilled" ? { results: each.value } : { failed: String(each.reason) },
    );
  },
  "ledger-payEntries": (payments) => ledger.payEntries(payments as Parameters<Ledger["payEntries"]>[0]),
  "ledger-balances": (accounts) => ledger.balances(accounts as Parameters<Ledger["balances"]>[0]),
  "ledger-history": (question) => ledger.history(...(question as Parameters<Ledger["history"]>)),
  "ledger-find": (txnId) => ledger.find(txnId as string),
  "ledger-audit": () => ledger.audit(),
});
