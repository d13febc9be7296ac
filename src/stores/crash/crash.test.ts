/**
 * A process killed under load, again and again over the same files. Verified: whatever it acknowledged is there, and the
 * laws hold. Not verified: a power cut, which also takes what the system had not yet written; `synchronous = FULL` is for
 * that, and no test here can pull the plug.
 */
import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { seededRandom } from "../../domain/random.ts";
import { textOf } from "../contract.ts";
import { forEachRecord, TOPICS } from "../event-log/port.ts";
import { type Acknowledged, acknowledgedOf, openContest, openStores, type Stores } from "./stores.ts";

const ROUNDS = 6;
const LINES_MAX = 6_000;

/** Runs a victim until it has acknowledged `lineCount` writes, kills it, and answers all that it acknowledged. */
async function runAndKill(directory: string, round: number, lineCount: number): Promise<Acknowledged[]> {
  const victim = Bun.spawn([process.execPath, join(import.meta.dir, "victim.ts"), directory, String(round)], {
    stdout: "pipe",
    stderr: "inherit",
  });
  let text = "";
  let seen = 0;
  const decoder = new TextDecoder();
  for await (const chunk of victim.stdout) {
    const part = decoder.decode(chunk, { stream: true });
    text += part;
    seen += part.split("\n").length - 1;
    if (seen >= lineCount) victim.kill("SIGKILL");
  }
  await victim.exited;
  expect(victim.signalCode).toBe("SIGKILL");
  // The last line may be cut; the rest of it was never said.
  return text.split("\n").slice(0, -1).map(acknowledgedOf);
}

async function readLog({ log }: Stores): Promise<string[][]> {
  const partitions: string[][] = [];
  for (let partition = 0; partition < TOPICS["team-saves"].partitionCount; partition++) {
    const texts: string[] = [];
    const end = await log.endOffset("team-saves", partition);
    while (texts.length < end) {
      const batch = await log.read("team-saves", partition, texts.length, 1 << 20, 0);
      expect(batch.firstOffset).toBe(texts.length);
      forEachRecord(batch, (value) => texts.push(textOf(value)));
    }
    partitions.push(texts);
  }
  return partitions;
}

async function checkLog(stores: Stores, acknowledged: readonly Acknowledged[]): Promise<void> {
  const partitions = await readLog(stores);
  const lost = acknowledged.filter(
    (one) => one.kind === "append" && partitions[one.partition]?.[one.offset] !== one.text,
  );
  expect(lost).toEqual([]);
  const stepsByCaller = new Map<string, number[]>();
  for (const text of partitions.flat()) {
    const [round, caller, step] = text.split(":");
    const name = `${round}:${caller}`;
    const steps = stepsByCaller.get(name);
    if (steps) steps.push(Number(step));
    else stepsByCaller.set(name, [Number(step)]);
  }
  for (const steps of stepsByCaller.values()) expect(steps).toEqual(Array.from(steps, (_, index) => index));
}

async function checkLedger({ ledger }: Stores, acknowledged: readonly Acknowledged[]): Promise<void> {
  const txnIds = acknowledged.flatMap((one) => (one.kind === "transfer" ? [one.txnId] : []));
  const lost: string[] = [];
  for (let at = 0; at < txnIds.length; at += 5_000) {
    const some = txnIds.slice(at, at + 5_000);
    const found = await Promise.all(some.map((txnId) => ledger.find(txnId)));
    lost.push(...some.filter((_, index) => found[index] === null));
  }
  expect(lost).toEqual([]);
  const audit = await ledger.audit();
  expect({ sumPaise: Number(audit.sumPaise), differences: audit.differences }).toEqual({
    sumPaise: 0,
    differences: [],
  });
}

async function checkCatalog({ catalog }: Stores, acknowledged: readonly Acknowledged[]): Promise<void> {
  const contest = await openContest(catalog);
  const entries = await catalog.entriesOfContest(contest.id, 0, 1_000_000);
  const ids = new Set<number>(entries.map(({ entryId }) => entryId));
  expect(acknowledged.filter((one) => one.kind === "entered" && !ids.has(one.entryId))).toEqual([]);
  const reserved = await catalog.reservedJoins(Number.MAX_SAFE_INTEGER, 1_000_000);
  const held = new Set(reserved.map(({ sagaId }) => sagaId));
  expect(acknowledged.filter((one) => one.kind === "released" && held.has(one.sagaId))).toEqual([]);
  // An entry is announced if and only if it exists, and every seat is an entry's or a join's under way.
  const announced = await catalog.outbox(1_000_000);
  expect(new Set(announced.map(({ entry }) => Number(entry.entryId)))).toEqual(ids);
  expect(await catalog.entryCount(contest.id)).toBe(ids.size);
  expect(contest.seatsTaken).toBe(ids.size + reserved.length);
}

test("a process killed at any moment loses no acknowledged write, and the laws hold over its files", async () => {
  const directory = mkdtempSync(join(tmpdir(), "powerplay-crash-"));
  const random = seededRandom(20_261_123);
  const acknowledged: Acknowledged[] = [];
  try {
    for (let round = 1; round <= ROUNDS; round++) {
      acknowledged.push(...(await runAndKill(directory, round, 1 + random.int(LINES_MAX))));
      const stores = await openStores(directory);
      await checkLog(stores, acknowledged);
      await checkLedger(stores, acknowledged);
      await checkCatalog(stores, acknowledged);
      await Promise.all([stores.log.close(), stores.ledger.close(), stores.catalog.close()]);
    }
    for (const kind of ["append", "transfer", "entered", "released"]) {
      expect(acknowledged.filter((one) => one.kind === kind).length).toBeGreaterThan(0);
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
});
