/**
 * Durable operations a second of the embedded stores: many callers whose calls share commits, beside the naive design, one
 * transaction and one fsync a call, on the same schema and the same statements. Both must leave the same data behind. The
 * naive side is one caller that awaits each answer, so about 70 µs of each of its calls are the way to the thread and back.
 *
 *   bun bench/stores.ts [directory on the disk to measure]
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Bench } from "tinybench";
import { assert } from "../src/domain/assert.ts";
import { gatewayAccount, userAccount } from "../src/domain/account.ts";
import { systemClock } from "../src/domain/clock.ts";
import { type ContestId, entryId, matchId, type MatchId, teamNo, userId } from "../src/domain/ids.ts";
import { paise } from "../src/domain/money.ts";
import { openEmbeddedCatalog } from "../src/stores/catalog/embedded.ts";
import type { Catalog, JoinRequest } from "../src/stores/catalog/port.ts";
import { openEmbeddedEventLog } from "../src/stores/event-log/embedded.ts";
import type { EventLog } from "../src/stores/event-log/port.ts";
import { openEmbeddedLedger } from "../src/stores/ledger/embedded.ts";
import type { Ledger, Transfer } from "../src/stores/ledger/port.ts";
import { openEmbeddedTeamStore } from "../src/stores/team-store/embedded.ts";
import type { TeamStore, TeamVersion } from "../src/stores/team-store/port.ts";
import { openEmbeddedHotStore } from "../src/stores/hot-store/embedded.ts";

const NAIVE_COUNT = 2_000;
const CALLERS = 4_000;
const RUNS = 3;

interface Scenario<Store extends { close(): Promise<void> }> {
  readonly name: string;
  readonly count: number;
  open(options: { file: string; pendingMax: number }): Promise<Store>;
  /** What every measured run starts from; answers operation `index`, the same one for the same index. */
  prepare(store: Store): Promise<(index: number) => Promise<unknown>>;
  /** All that the first `count` operations left behind. */
  digest(store: Store, count: number): Promise<unknown>;
}

const directory = mkdtempSync(join(process.argv[2] ?? tmpdir(), "powerplay-bench-"));
let files = 0;

/** `callers` loops, each of which awaits its answer before it asks again. */
async function drive(count: number, callers: number, operate: (index: number) => Promise<unknown>): Promise<number> {
  let next = 0;
  const caller = async () => {
    while (next < count) await operate(next++);
  };
  const start = performance.now();
  await Promise.all(Array.from({ length: callers }, caller));
  return (count / (performance.now() - start)) * 1_000;
}

async function run<Store extends { close(): Promise<void> }>(
  scenario: Scenario<Store>,
  count: number,
  callers: number,
): Promise<{ perSecond: number; digest: unknown }> {
  const file = join(directory, `${files++}.sqlite`);
  const store = await scenario.open({ file, pendingMax: 100_000 });
  const perSecond = await drive(count, callers, await scenario.prepare(store));
  const digest = await scenario.digest(store, NAIVE_COUNT);
  await store.close();
  return { perSecond, digest };
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!;

/** Alternating, so that a disk that changes its pace changes both. */
async function compare<Store extends { close(): Promise<void> }>(scenario: Scenario<Store>): Promise<void> {
  const naive: number[] = [];
  const grouped: number[] = [];
  for (let round = 0; round < RUNS; round++) {
    const one = await run(scenario, NAIVE_COUNT, 1);
    const many = await run(scenario, scenario.count, CALLERS);
    // The first operations of both runs are the same, and what they left behind must be.
    assert(Bun.deepEquals(one.digest, many.digest, true), `${scenario.name}: both designs leave the same data`);
    naive.push(one.perSecond);
    grouped.push(many.perSecond);
  }
  const [alone, together] = [median(naive), median(grouped)];
  const rates = `${Math.round(together).toLocaleString("en")}/s grouped, ${Math.round(alone).toLocaleString("en")}/s one a commit`;
  console.log(`${scenario.name.padEnd(34)} ${rates}, ratio ${(together / alone).toFixed(0)}`);
}

const record = (index: number): Uint8Array => {
  const bytes = new Uint8Array(64);
  new DataView(bytes.buffer).setUint32(0, index);
  return bytes;
};

const appends: Scenario<EventLog> = {
  name: "log appends (64 bytes)",
  count: 400_000,
  open: openEmbeddedEventLog,
  prepare: async (log) => (index) => log.append("team-saves", index, record(index)),
  async digest(log, count) {
    const batches = [];
    for (let partition = 0; partition < 8; partition++) {
      const { ends, bytes } = await log.read("team-saves", partition, 0, 1 << 24, 0);
      batches.push(Bun.hash(bytes.subarray(0, ends[count / 8 - 1])));
    }
    return batches;
  },
};

const transfer = (index: number): Transfer => ({
  txnId: `deposit:${index}`,
  debit: gatewayAccount,
  credit: userAccount(userId(1 + ((index * 7_919) % 50_000))),
  amountPaise: paise(10_000),
  kind: "deposit",
  ref: `order:${index}`,
  atMs: 1_780_000_000_000 + index,
});

const transfers = (name: string, batchSize: number): Scenario<Ledger> => ({
  name,
  count: Math.ceil(200_000 / batchSize),
  open: openEmbeddedLedger,
  prepare: async (ledger) => (index) =>
    ledger.transfer(Array.from({ length: batchSize }, (_, at) => transfer(index * batchSize + at))),
  async digest(ledger, count) {
    const found = await Promise.all(
      Array.from({ length: count * batchSize }, (_, index) => ledger.find(transfer(index).txnId)),
    );
    const { sumPaise, differences } = await ledger.audit();
    return { found: found.map((line) => ({ ...line, seq: 0 })), sumPaise, differences };
  },
});

const joinOf = (contest: { id: ContestId; matchId: MatchId }, index: number): JoinRequest => {
  const user = userId(1 + ((index * 7_919) % 1_000_003));
  return {
    idempotencyKey: `join:${contest.id}:${index}`,
    userId: user,
    matchId: contest.matchId,
    contestId: contest.id,
    entryId: entryId(user, teamNo(1)),
    feePaise: paise(4_900),
    receivedAtMs: 1_780_000_000_000 + index,
  };
};

const joins: Scenario<Catalog> = {
  name: "joins (begin and confirm)",
  count: 100_000,
  open: openEmbeddedCatalog,
  async prepare(catalog) {
    const match = await catalog.createMatch({
      name: "Bench v Mark",
      sides: ["Bench", "Mark"],
      format: "T20",
      startMs: 1_790_000_000_000,
      scoringRules: "t20-2026",
      rosterRules: "modern",
    });
    const contest = await catalog.createContest({
      matchId: match.id,
      kind: "mega",
      name: "Mega",
      entryFeePaise: paise(4_900),
      entriesMax: 1_000_000,
      entriesPerUserMax: 1,
      prizePoolPaise: paise(0),
      prizes: [],
      guaranteed: true,
      inviteCode: null,
    });
    return async (index) => {
      const begun = await catalog.beginJoin(joinOf(contest, index));
      assert(begun.ok, "a seat is free");
      const confirmed = await catalog.confirmJoin(begun.saga.sagaId);
      assert(confirmed.ok, "the contest is open");
    };
  },
  async digest(catalog, count) {
    const [match] = await catalog.matches({ limit: 1 });
    const [contest] = await catalog.contests(match!.id);
    const requests = Array.from({ length: count }, (_, index) => joinOf(contest!, index));
    return Promise.all(requests.map(({ userId: user }) => catalog.entriesOfUser(user, match!.id)));
  },
};

const versionOf = (index: number): TeamVersion => ({
  matchId: matchId(1),
  entryId: entryId(userId(1 + ((index * 7_919) % 1_000_003)), teamNo(1)),
  version: index + 1,
  savedAtMs: 1_780_000_000_000 + index,
  roster: Uint8Array.from({ length: 11 }, (_, slot) => (slot * 5 + index) % 64),
});

const teams: Scenario<TeamStore> = {
  name: "team versions, one a call",
  count: 200_000,
  open: openEmbeddedTeamStore,
  prepare: async (store) => (index) => store.appendTeams(index % 8, [versionOf(index)], index + 1),
  digest: (store, count) =>
    Promise.all(Array.from({ length: count }, (_, index) => store.versions(matchId(1), versionOf(index).entryId))),
};

/** Nothing durable, so nothing to group: what a call costs. */
async function benchHotStore(): Promise<void> {
  const store = openEmbeddedHotStore({
    clock: systemClock,
    bytesMax: 64 << 20,
    bucketsMax: 100_000,
    boardBytesMax: 1 << 20,
  });
  const value = new Uint8Array(11);
  const bucket = { capacity: 10, refillPerSecond: 10 };
  const bench = new Bench({ time: 500 });
  let turn = 0;
  const key = () => `user:${turn++ % 50_000}`;
  bench.add("hot store set", () => store.set(key(), value, 60_000));
  bench.add("hot store get", () => store.get(key()));
  bench.add("hot store take", () => store.take(key(), bucket));
  for (const { name, result } of await bench.run().then(() => bench.tasks)) {
    assert(result.state === "completed", `${name} ran`);
    console.log(`${name.padEnd(34)} ${Math.round(result.throughput.mean).toLocaleString("en")}/s`);
  }
  await store.close();
}

try {
  console.log(`${CALLERS} callers, medians of ${RUNS} runs, in ${directory}`);
  await compare(appends);
  await compare(transfers("ledger calls of one transfer", 1));
  await compare(transfers("ledger calls of 10 transfers", 10));
  await compare(joins);
  await compare(teams);
  await benchHotStore();
} finally {
  rmSync(directory, { recursive: true });
}
