import { expect, test } from "bun:test";
import { gatewayAccount, userAccount } from "../../../domain/account.ts";
import { userId } from "../../../domain/ids.ts";
import { paise } from "../../../domain/money.ts";
import { until } from "../../../testing/until.ts";
import { Books, EVICTED_VERSION, SETS } from "./books.ts";
import { LedgerNode } from "./node.ts";
import type { RecordBins, RecordOperation, RecordOutcome } from "./records.ts";

/** A cluster's records in memory. While `isAway` nothing is known of any call. */
function openCluster() {
  const records = new Map<string, RecordBins>();
  const carryOut = (operation: RecordOperation): RecordOutcome => {
    const at = `${operation.set} ${operation.key}`;
    const bins = records.get(at) ?? null;
    if (operation.kind === "read") return { kind: "done", bins };
    if (operation.kind === "remove") records.delete(at);
    else if (operation.kind === "create" && bins !== null) return { kind: "refused" };
    else if (operation.kind === "swap" && bins?.[operation.bin] !== operation.is) return { kind: "refused" };
    else records.set(at, { ...bins, ...operation.bins });
    return { kind: "done", bins: null };
  };
  const cluster = {
    records,
    isAway: false,
    callCount: 0,
    async batch(operations: readonly RecordOperation[]): Promise<RecordOutcome[]> {
      cluster.callCount++;
      await new Promise<void>((resolve) => void setImmediate(resolve));
      return operations.map((operation) => (cluster.isAway ? { kind: "unknown", status: -1 } : carryOut(operation)));
    },
    close: () => undefined,
  };
  return cluster;
}

/** Of all lines that an account's record has. */
const lineCountOf = (bins: RecordBins): number => String(bins["r"]).split("\n").length;

const LIMITS = {
  waveTransfersMax: 10,
  pendingMax: 100,
  timeoutMs: 5,
  accountsMax: 100,
  sweepEveryMs: 1,
  staleMs: 60_000,
};

const deposit = (txnId: string) => ({
  txnId,
  debit: gatewayAccount,
  credit: userAccount(userId(1)),
  amountPaise: paise(100),
  kind: "deposit" as const,
  ref: "",
  atMs: 0,
});

test("a node that was taken for dead while the cluster went away takes another name when it is back", async () => {
  const cluster = openCluster();
  const node = await LedgerNode.open(cluster, new Books("p"), LIMITS);
  const name = node.node;
  const { batch } = cluster;
  // Others evict it in the moment in which it would say that it has nothing left to do.
  cluster.batch = async (operations) => {
    const [first] = operations;
    const isRest = first?.kind === "swap" && first.set === SETS.waves && first.bins["r"] === "[]";
    if (!isRest) return batch(operations);
    cluster.records.set(`${first.set} ${first.key}`, { v: EVICTED_VERSION, r: "[]" });
    cluster.batch = async (later) => {
      // Only its own record is still to be had.
      const isOwn = later[0]?.kind === "read" && later[0].key === first.key;
      cluster.isAway = !isOwn;
      return batch(later);
    };
    return batch(operations);
  };
  expect(await node.transfer([deposit("a")])).toEqual([{ ok: true, replayed: false }]);
  await until("it has tried for longer than it is patient", () => cluster.isAway && cluster.callCount > 50);
  cluster.batch = batch;
  cluster.isAway = false;
  expect(await node.transfer([deposit("b"), deposit("a")])).toEqual([
    { ok: true, replayed: false },
    { ok: true, replayed: true },
  ]);
  expect(node.node).not.toBe(name);
  await node.close();
});

test("lines leave an account that two nodes use, and neither asks what became of the other's", async () => {
  const cluster = openCluster();
  const nodes = [
    await LedgerNode.open(cluster, new Books("p"), LIMITS),
    await LedgerNode.open(cluster, new Books("p"), LIMITS),
  ];
  const { batch } = cluster;
  let transfersRead = 0;
  cluster.batch = (operations) => {
    transfersRead += operations.filter(({ kind, set }) => kind === "read" && set === SETS.transfers).length;
    return batch(operations);
  };
  const account = userAccount(userId(1));
  let [paidIn, longest] = [0, 0];
  for (let round = 0; round < 100; round++) {
    // Both at once, so that each is refused now and then and reads the account again.
    const waves = nodes.map((node, index) =>
      node.transfer(Array.from({ length: 5 }, (_, at) => deposit(`${round} ${index} ${at}`))),
    );
    for (const result of (await Promise.all(waves)).flat()) {
      expect(result).toEqual({ ok: true, replayed: false });
      paidIn += 100;
    }
    longest = Math.max(longest, lineCountOf(cluster.records.get(`${SETS.accounts} p:${account}`)!));
  }
  expect(cluster.records.get(`${SETS.accounts} p:${account}`)!["b"]).toBe(paidIn);
  // A page that is full, and what both have under way.
  expect(longest).toBeLessThanOrEqual(64 + 64);
  expect(transfersRead).toBeLessThanOrEqual(nodes.length * 100);
  await Promise.all(nodes.map((node) => node.close()));
});
