import { randomBytes } from "node:crypto";
import { limits } from "../../../config.ts";
import type { OpenStore } from "../../contract.ts";
import { type AerospikeLedgerOptions, openAerospikeLedger } from "../aerospike.ts";
import type { Ledger } from "../port.ts";
import { aerospikeAddress } from "./address.ts";
import { recordsOf } from "./audit.ts";
import { accountOf, Books, DIRECTORY, LINES_PER_PAGE, SETS, transferRecordOf, waveOf } from "./books.ts";
import { installedLibraries } from "./libraries.ts";
import type { RecordOperation } from "./records.ts";
import { Session } from "./session.ts";

export const openSession = (url: string): Promise<Session> =>
  Session.open(aerospikeAddress(url), { libraries: installedLibraries(), threadCount: 1, callTimeoutMs: 2_000 });

/** null, and one printed line, where there is no server to test with. */
export const testUrl = await (async (): Promise<string | null> => {
  const url = process.env["TEST_AEROSPIKE_URL"];
  if (!url) {
    console.log("ledger on Aerospike: not tested, TEST_AEROSPIKE_URL is not set (make services)");
    return null;
  }
  try {
    (await openSession(url)).close();
    return url;
  } catch (error) {
    console.log(`ledger on Aerospike: not tested, ${error instanceof Error ? error.message : String(error)}`);
    return null;
  }
})();

/** A ledger that nobody else uses, on the server of `url`. */
export function ownUrl(url: string): string {
  return `${url.split("?")[0]}?prefix=t${randomBytes(6).toString("hex")}`;
}

export const openLedgerAt = (url: string, options: Partial<AerospikeLedgerOptions> = {}): Promise<Ledger> =>
  openAerospikeLedger({ ...limits.aerospikeLedger, pendingMax: limits.storePendingMax, ...options, url });

/** Empty ledgers of their own, thrown away at the end. */
export function openTestLedger(serverUrl: string): OpenStore<Ledger> {
  return async () => {
    const url = ownUrl(serverUrl);
    let store = await openLedgerAt(url);
    return {
      store,
      async reopen() {
        await store.close();
        return (store = await openLedgerAt(url));
      },
      async dispose() {
        await store.close();
        await throwAway(url);
      },
    };
  };
}

/** Removes every record of the ledger. */
export async function throwAway(url: string): Promise<void> {
  const { prefix } = aerospikeAddress(url);
  const books = new Books(prefix);
  const session = await openSession(url);
  try {
    const [directory] = await session.batch([books.readWave(DIRECTORY)]);
    const nodes = directory!.kind === "done" ? waveOf(directory!.bins).ids : [];
    const keys: [set: string, name: string][] = [DIRECTORY, ...nodes].map((node) => [SETS.waves, node]);
    for await (const bins of recordsOf(session, SETS.transfers, prefix)) {
      keys.push([SETS.transfers, transferRecordOf(bins).transfer.txnId]);
    }
    for await (const bins of recordsOf(session, SETS.accounts, prefix)) {
      const { pagedCount, lines } = accountOf(bins);
      const pageCount = Math.ceil((pagedCount + lines.length) / LINES_PER_PAGE);
      keys.push([SETS.accounts, String(bins["n"])]);
      for (let page = 0; page < pageCount; page++) keys.push([SETS.lines, `${String(bins["n"])}#${page}`]);
    }
    const operations = keys.map(([set, name]): RecordOperation => ({ kind: "remove", set, key: `${prefix}:${name}` }));
    for (let at = 0; at < operations.length; at += 1_000) await session.batch(operations.slice(at, at + 1_000));
  } finally {
    session.close();
  }
}
