/**
 * Money: joins and transfers with durable acknowledgements beside Postgres, one transaction each, in the same run on the
 * same cores and disk; the hot spot; and the settlement of a contest of 12 M entries. All contenders do the same joins and
 * must leave the same books. Prints a table and writes build/bench-money.json.
 *
 *   JOINS=60000 ENTRIES=12000000 bun bench/money.ts [joins] [transfers] [settlement]
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

const JOINS = Number(process.env["JOINS"] ?? 60_000);
const ENTRIES = Number(process.env["ENTRIES"] ?? 12_000_000);
const CONTESTS = 1_000;
/** Joins under way at once: what one node has at a deadline, and as many as Postgres has connections. */
const CALLERS = [1_024, 64] as const;
const RUNS = 5;
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

const medianOf = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!;

const median = (runs: readonly Measured[]): Measured =>
  runs.toSorted((a, b) => a.perSecond - b.perSecond)[runs.length >> 1]!;

/** Round by round, so that a disk or a neighbour that changes its pace changes both sides. */
const ratioOf = (ours: readonly Measured[], theirs: readonly Measured[]): number =>
  medianOf(ours.map(({ perSecond }, round) => perSecond / theirs[round]!.perSecond));

interface Series {
  readonly what: string;
  readonly who: string;
  readonly callers: number;
  readonly run: () => Promise<Measured>;
}

/** Every series once a round; answers the runs of each. */
async function alternate(series: readonly Series[]): Promise<Measured[][]> {
  const runs = series.map((): Measured[] => []);
  for (let round = 0; round < RUNS; round++) {
    for (const [index, { run }] of series.entries()) runs[index]!.push(await run());
  }
  for (const [index, { what, who, callers }] of series.entries()) note(what, who, callers, median(runs[index]!));
  return runs;
}

function note(what: string, who: string, callers: number, measured: Measured): void {
  rows.push({ what, who, callers, ...measured });
  const { perSecond, p50Ms, p99Ms } = measured;
  const rate = Math.round(perSecond).toLocaleString("en").padStart(9);
  console.log(
    `${what.padEnd(24)} ${who.padEnd(24)} ${String(callers).padStart(5)} callers ${rate}/s  p50 ${p50Ms.toFixed(1)} ms  p99 ${p99Ms.toFixed(1)} ms`,
  );
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

async function benchJoins(cluster: PostgresCluster | null): Promise<void> {
  const plans = [
    { name: "one mega contest", contestCount: 1 },
    { name: `${CONTESTS} contests`, contestCount: CONTESTS },
  ] as const;
  const planOf = (plan: Omit<JoinPlan, "userCount">, userCount: number): JoinPlan => ({
    ...plan,
    userCount: Math.max(plan.contestCount, Math.floor(userCount / plan.contestCount) * plan.contestCount),
  });
  for (const callers of CALLERS) {
    const series: Series[] = plans.map((plan) => ({
      what: `joins, ${plan.name}`,
      who: "powerplay",
      callers,
      run: () => runJoins(planOf(plan, JOINS), callers, openPowerplayJoins),
    }));
    if (cluster !== null) {
      // A tenth of the joins: it is slower by as much, and its speed doesn't change with their number.
      for (const plan of plans) {
        series.push({
          what: `joins, ${plan.name}`,
          who: "postgres, 64 connections",
          callers,
          run: () => runJoins(planOf(plan, JOINS / 10), callers, () => openPostgresJoins(cluster, 64)),
        });
      }
    }
    const [mega, spread, megaThere, spreadThere] = await alternate(series);
    for (const [index, [ours, theirs]] of [
      [mega, megaThere],
      [spread, spreadThere],
    ].entries()) {
      const what = `joins, ${plans[index]!.name}, ${callers} callers`;
      const { p99Ms } = median(ours!);
      verdict(`${what}: p99 below ${P99_MS_MAX} ms`, `${p99Ms.toFixed(1)} ms`, p99Ms < P99_MS_MAX);
      if (theirs === undefined) continue;
      const ratio = ratioOf(ours!, theirs);
      const claim = `${what}: at least ${RATIO_MIN} x of Postgres with 64 connections`;
      verdict(claim, `${ratio.toFixed(1)} x`, ratio >= RATIO_MIN);
    }
    const cost = ratioOf(spread!, mega!);
    const claim = `hot spot, ${callers} callers: a join of the mega contest costs at most ${HOT_SPOT_MAX} x of one of ${CONTESTS} contests`;
    verdict(claim, `${cost.toFixed(2)} x`, cost <= HOT_SPOT_MAX);
  }
  if (cluster === null) return;
  await alternate(
    plans.map((plan) => ({
      what: `joins, ${plan.name}`,
      who: "postgres, 1 connection",
      callers: 1,
      run: () => runJoins(planOf(plan, JOINS / 20), 1, () => openPostgresJoins(cluster, 1)),
    })),
  );
}

async function benchTransfers(cluster: PostgresCluster | null): Promise<void> {
  for (const callers of CALLERS) {
    const what = "transfers";
    const series: Series[] = [{ what, who: "powerplay", callers, run: () => powerplayTransfers(JOINS, callers) }];
    if (cluster !== null) {
      const run = () => postgresTransfers(cluster, 64, Math.floor(JOINS / 10), callers);
      series.push({ what, who: "postgres, 64 connections", callers, run });
    }
    await alternate(series);
  }
  if (cluster === null) return;
  const run = () => postgresTransfers(cluster, 1, Math.floor(JOINS / 20), 1);
  await alternate([{ what: "transfers", who: "postgres, 1 connection", callers: 1, run }]);
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
