/**
 * Joins of the catalog, begun and confirmed, each with its two durable commits: the Postgres engine beside the embedded one and
 * beside the naive design, one transaction a join over 64 connections of the same server (which does both in one commit, and
 * nothing of a saga). In one run on the same cores and disk, round by round; all must leave the same seats, entries
 * and announcements.
 *
 *   JOINS=40000 RUNS=3 LANES=2 GROUPS=2 bun bench/catalog.ts
 */
import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { limits } from "../src/config.ts";
import { assert } from "../src/domain/assert.ts";
import { contestId, entryId, matchId, teamNo, userId } from "../src/domain/ids.ts";
import { paise } from "../src/domain/money.ts";
import { openEmbeddedCatalog } from "../src/stores/catalog/embedded.ts";
import type { Catalog, JoinRequest } from "../src/stores/catalog/port.ts";
import { openPostgresCatalog } from "../src/stores/catalog/postgres.ts";
import { openPostgres, type PostgresCluster } from "./money/postgres-cluster.ts";
import { drive, type Measured } from "./money/workload.ts";

const JOINS = Number(process.env["JOINS"] ?? 40_000);
const RUNS = Number(process.env["RUNS"] ?? 3);
const LANES = Number(process.env["LANES"] ?? limits.postgres.joins.lanes);
const GROUPS = Number(process.env["GROUPS"] ?? limits.postgres.joins.groupsMax);
const CONTESTS = [1, 1_000] as const;
const CALLERS = [1_024, 64] as const;
const NAIVE_CONNECTIONS = 64;

interface Contender {
  readonly name: string;
  /** Of JOINS: what is slow does fewer, its pace is the same. */
  readonly share: number;
  run(contests: number, callers: number, joins: number): Promise<Measured>;
}

const contestOf = (user: number, contests: number): number => 1 + (user % contests);

const requestOf = (user: number, contest: number, match: number): JoinRequest => ({
  idempotencyKey: `${user}:${contest}:1`,
  userId: userId(user),
  matchId: matchId(match),
  contestId: contestId(contest),
  entryId: entryId(userId(user), teamNo(1)),
  feePaise: paise(4_900),
  receivedAtMs: 1_780_000_000_000,
});

async function runCatalog(catalog: Catalog, contests: number, callers: number, joins: number): Promise<Measured> {
  const match = await catalog.createMatch({
    name: "Bench v Mark",
    sides: ["Bench", "Mark"],
    format: "T20",
    startMs: 1_790_000_000_000,
    scoringRules: "t20-2026",
    rosterRules: "modern",
  });
  for (let contest = 0; contest < contests; contest++) {
    await catalog.createContest({
      matchId: match.id,
      kind: "mega",
      name: "Mega",
      entryFeePaise: paise(4_900),
      entriesMax: 12_000_000,
      entriesPerUserMax: 1,
      prizePoolPaise: paise(0),
      prizes: [],
      guaranteed: true,
      inviteCode: null,
    });
  }
  const measured = await drive(joins, callers, async (user) => {
    const result = await catalog.beginJoin(requestOf(user, contestOf(user, contests), match.id));
    assert(result.ok && result.begun, `user ${user} begins`);
    assert((await catalog.confirmJoin(result.saga.sagaId)).ok, `user ${user} enters`);
  });
  assert((await catalog.outboxCount(match.id)) === joins, "each join is announced");
  let entries = 0;
  let seats = 0;
  for (const contest of await catalog.contests(match.id)) {
    entries += await catalog.entryCount(contest.id);
    seats += contest.seatsTaken;
  }
  assert(entries === joins && seats === joins, `${entries} entries in ${seats} seats`);
  await catalog.close();
  return measured;
}

const embedded: Contender = {
  name: "embedded",
  share: 1,
  async run(contests, callers, joins) {
    const directory = mkdtempSync(join(tmpdir(), "powerplay-bench-"));
    const catalog = await openEmbeddedCatalog({ file: join(directory, "catalog.sqlite"), pendingMax: 100_000 });
    const measured = await runCatalog(catalog, contests, callers, joins);
    rmSync(directory, { recursive: true });
    return measured;
  },
};

async function emptySchema(cluster: PostgresCluster): Promise<void> {
  const sql = cluster.connect(1);
  await sql.unsafe("DROP SCHEMA public CASCADE; CREATE SCHEMA public;").simple();
  await sql.unsafe("CHECKPOINT").simple();
  await sql.close();
}

const engine = (cluster: PostgresCluster): Contender => ({
  name: `postgres engine, ${LANES} x ${GROUPS}`,
  share: 1,
  async run(contests, callers, joins) {
    await emptySchema(cluster);
    const { calls } = limits.postgres;
    const lanes = { ...limits.postgres.joins, lanes: LANES, groupsMax: GROUPS };
    const catalog = await openPostgresCatalog({ url: cluster.url, userUrls: [], replicaUrls: [], calls, joins: lanes });
    return runCatalog(catalog, contests, callers, joins);
  },
});

const naive = (cluster: PostgresCluster): Contender => ({
  name: `one transaction a join, ${NAIVE_CONNECTIONS} connections`,
  share: 0.25,
  async run(contests, callers, joins) {
    await emptySchema(cluster);
    const sql = cluster.connect(NAIVE_CONNECTIONS);
    await sql.unsafe(await Bun.file(new URL("./money/catalog-schema.sql", import.meta.url)).text()).simple();
    await sql`INSERT INTO naive_contests SELECT id, 'open', 12000000, 1, 0 FROM generate_series(1, ${contests}) id`;
    await Promise.all(Array.from({ length: NAIVE_CONNECTIONS }, () => sql`SELECT pg_sleep(0.05)`));
    const measured = await drive(joins, callers, async (user) => {
      const { idempotencyKey, contestId: contest, entryId: entry } = requestOf(user, contestOf(user, contests), 1);
      const [row] =
        await sql`SELECT naive_join(${user}, ${idempotencyKey}, ${contest}, ${entry}, 4900, ${Date.now()}) AS answer`;
      assert(row.answer === "ok", `user ${user} joins`);
    });
    const [left] = await sql`SELECT (SELECT count(*) FROM naive_entries)::int AS entries,
      (SELECT count(*) FROM naive_outbox)::int AS announced, (SELECT sum(seats_taken) FROM naive_contests)::int AS seats`;
    assert(left.entries === joins && left.announced === joins && left.seats === joins, JSON.stringify(left));
    await sql.close();
    return measured;
  },
});

const cluster = await openPostgres();
const contenders = cluster === null ? [embedded] : [engine(cluster), embedded, naive(cluster)];
console.log(
  `${availableParallelism()} cores, ${cluster === null ? "no Postgres found" : `Postgres ${cluster.version}`}, medians of ${RUNS} runs`,
);
try {
  for (const contests of CONTESTS) {
    for (const callers of CALLERS) {
      const runs = contenders.map((): Measured[] => []);
      for (let round = 0; round < RUNS; round++) {
        for (const [index, { run, share }] of contenders.entries()) {
          runs[index]!.push(await run(contests, callers, Math.floor(JOINS * share)));
        }
      }
      for (const [index, { name }] of contenders.entries()) {
        const { perSecond, p50Ms, p99Ms } = runs[index]!.toSorted((a, b) => a.perSecond - b.perSecond)[RUNS >> 1]!;
        const rate = Math.round(perSecond).toLocaleString("en").padStart(8);
        console.log(
          `${String(contests).padStart(5)} contests ${String(callers).padStart(5)} callers ${name.padEnd(44)} ${rate}/s  p50 ${p50Ms.toFixed(1)} ms  p99 ${p99Ms.toFixed(1)} ms`,
        );
      }
    }
  }
} finally {
  await cluster?.stop();
}
