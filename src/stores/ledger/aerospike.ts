import { type AccountId } from "../../domain/account.ts";
import type { Paise } from "../../domain/money.ts";
import { aerospikeAddress } from "./aerospike/address.ts";
import { auditOf } from "./aerospike/audit.ts";
import { accountOf, Books } from "./aerospike/books.ts";
import { historyOf } from "./aerospike/history.ts";
import { installedLibraries, type LedgerLibraries } from "./aerospike/libraries.ts";
import { LedgerNode, type NodeOptions } from "./aerospike/node.ts";
import { Session } from "./aerospike/session.ts";
import { type Ledger, transfersOf } from "./port.ts";

export interface AerospikeLedgerOptions extends NodeOptions {
  /** `aerospike://[user:password@]host:3000[,host:3000]/NAMESPACE[?prefix=p]` */
  readonly url: string;
  /** Calls to the cluster under way at once; each has a thread that waits for it. */
  readonly threadCount: number;
  readonly callTimeoutMs: number;
  /** Absent: where `make install build` puts them. */
  readonly libraries?: LedgerLibraries;
}

/**
 * Transfers and balances in an Aerospike cluster; any number of nodes open the same ledger. How a transfer is made of changes
 * of single records is told at `Wave`; how the records look at `Books`.
 *
 * Where the law of the port is met in another way than by one database:
 * - Between the debit and the credit of a transfer the money is in neither balance. No balance shows money that is not there;
 *   the sum of what `balances` answers may be short by the transfers under way. `audit` counts them.
 * - A seq orders the lines of an account. The two lines of one transfer have the same, unless two nodes used the credited
 *   account at once; over all accounts it is an order that respects cause and effect.
 *
 * What is durable depends on the cluster:
 * - Community Edition acknowledges a write when the node that owns the record and its replicas have it in memory; it reaches
 *   the device within `flush-max-ms` (1,000 by default). So it takes `replication-factor 2` or more on machines that do not
 *   lose power together: with one copy, a node that is killed takes the last writes with it, and books that lost one of two
 *   balances do not balance (`audit` says where). `commit-to-device` is not to be had in this edition.
 * - It is available rather than consistent: when the network parts a cluster, both halves accept writes, and when they meet
 *   again one version of each record wins. Acknowledged transfers may then be lost. A wide `heartbeat timeout`, an odd number
 *   of racks and `min-cluster-size` above half of the nodes keep the smaller half from serving.
 * - What is removed may come back when a node starts from its device. Nothing is removed here that would matter then.
 * - Strong consistency of the Enterprise Edition takes the first two away: swaps are linearizable, a half without a majority
 *   refuses, and with `commit-to-device` an acknowledged write is on the device. Nothing here has to change for it.
 *
 * Rejects with an error that names the address and the remedy.
 */
export async function openAerospikeLedger(options: AerospikeLedgerOptions): Promise<Ledger> {
  const { url, libraries = installedLibraries(), ...limits } = options;
  const address = aerospikeAddress(url);
  const session = await Session.open(address, { ...limits, libraries });
  const books = new Books(address.prefix);
  const node = await LedgerNode.open(session, books, limits).catch((error: unknown) => {
    session.close();
    throw new Error(
      `Ledger on Aerospike at ${address.hosts}: connected, but it does not serve; look at the server's log`,
      {
        cause: error,
      },
    );
  });
  return {
    transfer: (batch) => node.transfer(batch),
    payEntries: (payments) => node.transfer(transfersOf(payments)),
    async balances(accounts: readonly AccountId[]): Promise<Paise[]> {
      const read = await node.read(accounts.map((account) => books.readAccount(account)));
      return read.map(({ bins }) => accountOf(bins).balancePaise);
    },
    history: (account, page) => historyOf(node, account, page),
    async find(txnId) {
      const done = await node.doneTransfer(txnId);
      return done && { ...done.transfer, seq: done.debitSeq };
    },
    audit: () => auditOf(node, session),
    close: () => node.close(),
  } satisfies Ledger;
}
