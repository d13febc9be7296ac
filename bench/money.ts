/**
 * Money: joins and transfers with durable acknowledgements beside Postgres, one transaction each, in the same run on the
 * same cores and disk; the hot spot; and the settlement of a contest of 12 M entries. All contenders do the same joins and
 * must leave the same books. Prints a table and writes build/bench-money.json.
 *
 *   JOINS=100000 ENTRIES=12000000 bun bench/money.ts [joins] [transfers] [settlement]
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { assert } from "../src/domain/assert.ts";
import { openPostgres, type PostgresCluster } from "./money/postgres-cluster.ts";
import { openPostgresJoins } from "./money/postgres-joins.ts";
import { openPowerplayJoins } from "./money/powerplay-joins.ts";
import { measureSettlement } from "./money/settlement.ts";
import { postgresTransfers, powerplayTransfers } from "./money/transfers.ts";
import { type Contender, drive, type JoinPlan, type Measured } from "./money/workload.ts";

const JOINS = Number(process.env["JOINS"] ?? 100_000);
const ENTRIES = Number(process.env["ENTRIES"] ?? 12_000_000);
const CONTESTS = 1_000;
/** Joins under way at once: what one node has at a deadline, and as many as Postgres has connections. */
const CALLERS = [1_024, 64] as const;
const RUNS = 3;
const RATIO_MIN = 5;
const P99_MS_MAX = 100;
const HOT_SPOT_MAX = 1.2;
const SETTLEMENT_SECONDS_MAX = 60;

interface Row extends Measured {
  readonly what: string;
  readonly who: string;
  readonly callers: number;
}

const rows: Row[] = [];
const verdicts: { readonly claim: string; readonly measured: string; readonly reached: boolean }[] = [];
const verdict = (claim: string, measured: string, reached: boolean) => void verdicts.push({ claim, measured, reached });

const median = (runs: readonly Measured[]): Measured =>
  runs.toSorted((a, b) => a.perSecond - b.perSecond)[runs.length >> 1]!;

function note(what: string, who: string, callers: number, runs: readonly Measured[]): Measured {
  const measured = median(runs);
  rows.push({ what, who, callers, ...measured });
  const { perSecond, p50Ms, p99Ms } = measured;
  const rate = Math.round(perSecond).toLocaleString("en").padStart(9);
  console.log(
    `${what.padEnd(22)} ${who.padEnd(24)} ${String(callers).padStart(5)} callers ${rate}/s  p50 ${p50Ms.toFixed(1)} ms  p99 ${p99Ms.toFixed(1)} ms`,
  );
  return measured;
}

async function runJoins(plan: JoinPlan, callers: number, open: () => Promise<Contender>): Promise<Measured> {
  const contender = await open();
  await contender.prepare(plan);
  const measured = await drive(plan.userCount, callers, (user) => contender.join(user));
  const digest = await contender.digest();
  const each = Math.ceil(plan.userCount / plan.contestCount);
  const expected = {
    entryCount: plan.userCount,
    escrowPaise: plan.userCount * 4_900,
    walletsPaise: plan.userCount * 5_100,
    announcedCount: plan.userCount,
    fullestContest: each,
  };
  assert(Bun.deepEquals(digest, expected), `${contender.name} left ${JSON.stringify(digest)}`);
  await contender.close();
  return measured;
}

const times = async <T>(count: number, work: () => Promise<T>): Promise<T[]> => {
  const results: T[] = [];
  for (let run = 0; run < count; run++) results.push(await work());
  return results;
};

async function benchJoins(cluster: PostgresCluster | null): Promise<void> {
  const planOf = (name: string, contestCount: number, userCount: number): JoinPlan => ({
    name,
    contestCount,
    userCount: Math.max(contestCount, Math.floor(userCount / contestCount) * contestCount),
  });
  const ours = new Map<string, Measured>();
  for (const [name, contests] of [
    ["one mega contest", 1],
    [`${CONTESTS} contests`, CONTESTS],
  ] as const) {
    const what = `joins, ${name}`;
    for (const callers of CALLERS) {
      const plan = planOf(name, contests, JOINS);
      const own = note(
        what,
        "powerplay",
        callers,
        await times(RUNS, () => runJoins(plan, callers, openPowerplayJoins)),
      );
      ours.set(`${contests} ${callers}`, own);
      if (cluster === null) continue;
      // A tenth of the joins: it is slower by as much, and its speed doesn't change with their number.
      const fewer = planOf(name, contests, JOINS / 10);
      const open = () => openPostgresJoins(cluster, 64);
      const theirs = note(
        what,
        "postgres, 64 connections",
        callers,
        await times(RUNS, () => runJoins(fewer, callers, open)),
      );
      const ratio = own.perSecond / theirs.perSecond;
      verdict(
        `${what}, ${callers} callers: at least ${RATIO_MIN} x of Postgres with 64 connections`,
        `${ratio.toFixed(1)} x`,
        ratio >= RATIO_MIN,
      );
      verdict(
        `${what}, ${callers} callers: p99 below ${P99_MS_MAX} ms`,
        `${own.p99Ms.toFixed(1)} ms`,
        own.p99Ms < P99_MS_MAX,
      );
    }
    if (cluster !== null) {
      const plan = planOf(name, contests, JOINS / 20);
      note(
        what,
        "postgres, 1 connection",
        1,
        await times(RUNS, () => runJoins(plan, 1, () => openPostgresJoins(cluster, 1))),
      );
    }
  }
  for (const callers of CALLERS) {
    const cost = ours.get(`${CONTESTS} ${callers}`)!.perSecond / ours.get(`1 ${callers}`)!.perSecond;
    verdict(
      `hot spot, ${callers} callers: one mega contest costs at most ${HOT_SPOT_MAX} x of ${CONTESTS} contests`,
      `${cost.toFixed(2)} x`,
      cost <= HOT_SPOT_MAX,
    );
  }
}

async function benchTransfers(cluster: PostgresCluster | null): Promise<void> {
  for (const callers of CALLERS) {
    note("transfers", "powerplay", callers, await times(RUNS, () => powerplayTransfers(JOINS, callers)));
    if (cluster === null) continue;
    const theirs = () => postgresTransfers(cluster, 64, Math.floor(JOINS / 10), callers);
    note("transfers", "postgres, 64 connections", callers, await times(RUNS, theirs));
  }
  if (cluster !== null) {
    const alone = () => postgresTransfers(cluster, 1, Math.floor(JOINS / 20), 1);
    note("transfers", "postgres, 1 connection", 1, await times(RUNS, alone));
  }
}

async function benchSettlement(): Promise<void> {
  const plan = { entryCount: ENTRIES, teamsPerUser: 4, winnerCount: ENTRIES };
  const { seconds, peakMebibytes, auditSeconds } = await measureSettlement(plan);
  const entries = ENTRIES.toLocaleString("en");
  console.log(
    `settlement of ${entries} entries, all of which win: ${seconds.toFixed(1)} s, ${Math.round(ENTRIES / seconds).toLocaleString("en")} credits/s, ` +
      `${peakMebibytes} MiB more at the peak; every balance derived again in ${auditSeconds.toFixed(1)} s`,
  );
  verdict(
    `settlement of ${entries} entries in at most ${SETTLEMENT_SECONDS_MAX} s`,
    `${seconds.toFixed(1)} s`,
    seconds <= SETTLEMENT_SECONDS_MAX,
  );
}

const chosen = process.argv.slice(2);
const isChosen = (name: string) => chosen.length === 0 || chosen.includes(name);
const cluster = isChosen("joins") || isChosen("transfers") ? await openPostgres() : null;
console.log(
  `${availableParallelism()} cores · ${cluster === null ? "no Postgres found" : `Postgres ${cluster.version}, fsync on`} · medians of ${RUNS} runs`,
);
try {
  if (isChosen("joins")) await benchJoins(cluster);
  if (isChosen("transfers")) await benchTransfers(cluster);
} finally {
  await cluster?.stop();
}
if (isChosen("settlement")) await benchSettlement();
console.log();
for (const { claim, measured, reached } of verdicts)
  console.log(`${reached ? "reached" : "MISSED "}  ${claim}: ${measured}`);
mkdirSync("build", { recursive: true });
writeFileSync("build/bench-money.json", `${JSON.stringify({ rows, verdicts }, null, 2)}\n`);
