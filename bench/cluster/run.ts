/**
 * Saves and joins a second over real servers, by one, two and four nodes, beside one node over its embedded stores and beside the
 * design that everybody starts with, one Postgres behind an HTTP server. The same requests from the same generator over HTTP, one
 * under way on each connection, as apps behave; each answered when it is durable, and all that was acknowledged is looked for
 * afterwards, in the log, the team store, the catalog and the ledger. Nodes, servers and generator share the machine's cores, so
 * more nodes show what sharing costs, not what more machines give. What those give is asked of nodes that may each use a small share of
 * one core, until the servers and all of them together fill the machine.
 *
 * Prints a table, and writes bench/results/cluster.json. ROUNDS=, USERS=, WIDTH= change the run; arguments choose designs by the
 * beginnings of their names.
 */
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { type LoadResult, runLoad } from "../load.ts";
import type { Contender } from "./contender.ts";
import { CpuShares } from "./cpu-shares.ts";
import { openEmbedded } from "./embedded.ts";
import { Meters, type Use } from "./meters.ts";
import { openNaive } from "./naive.ts";
import { openNodes } from "./nodes.ts";
import { missingServers, startServers, stopServers } from "./servers.ts";
import { type Load, joinsOf, type Plan, savesOf, warmJoinsOf } from "./workload.ts";

const ROUNDS = Number(process.env["ROUNDS"] ?? 3);
const WIDTH = Number(process.env["WIDTH"] ?? 256);
const WARM_ROUNDS = 2;
const NODE_COUNTS = [1, 2, 4];
const SMALL_NODE_COUNTS = [1, 2, 4, 8];
/** Of one core. */
const SMALL_NODE_SHARE = Number(process.env["NODE_SHARE"] ?? 0.15);
const RESULTS = join(import.meta.dir, "../results/cluster.json");
/** Of each node, so that a node has the same to do however many there are. */
const PLAN: Plan = {
  userCount: Number(process.env["USERS"] ?? 4_000),
  warmTeams: 2,
  teams: 4,
  smallContests: 40,
  smallJoins: 3,
};

interface Measured {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Of CPU for one operation, by part, with what it leaves to be done when it is acknowledged. */
  readonly cpuMicros: Readonly<Record<string, number>>;
  /** While the load lasted. */
  readonly use: Use;
}

interface Run {
  readonly saves: Measured;
  readonly joins: Measured;
}

/** Throws unless all of them are acknowledged. */
async function send(urls: readonly string[], { requests }: Load<unknown>, onReady?: () => void): Promise<LoadResult> {
  const result = await runLoad({ urls, width: WIDTH * urls.length, requests }, onReady);
  if (result.failures.length > 0) throw new Error(`${result.failures.length} requests were refused`);
  return result;
}

async function measure(contender: Contender): Promise<Run> {
  const { nodeCount } = contender;
  const plan = { ...PLAN, userCount: PLAN.userCount * nodeCount, smallContests: PLAN.smallContests * nodeCount };
  const { caughtUp, check, close, parts, stage, urls } = await contender.open(plan);
  try {
    const measured = async (load: Load<unknown>): Promise<Measured> => {
      let meters = new Meters(parts);
      const { perSecond, p50Ms, p99Ms, cpuSeconds } = await send(urls, load, () => (meters = new Meters(parts)));
      const use = meters.read(cpuSeconds);
      await caughtUp();
      const micros = Object.entries(meters.read(cpuSeconds).parts).map(
        ([name, part]) => [name, (part.cpuSeconds * 1e6) / load.requests.length] as const,
      );
      return { perSecond, p50Ms, p99Ms, cpuMicros: Object.fromEntries(micros), use };
    };
    const [warmSaves, saves] = [savesOf(stage, 1, plan.warmTeams), savesOf(stage, 1 + plan.warmTeams, plan.teams)];
    const [warmJoins, joins] = [warmJoinsOf(stage), joinsOf(stage, plan)];
    await send(urls, warmSaves);
    await caughtUp();
    const measuredSaves = await measured(saves);
    await send(urls, warmJoins);
    await caughtUp();
    const measuredJoins = await measured(joins);
    await check([...warmSaves.promised, ...saves.promised], [...warmJoins.promised, ...joins.promised]);
    return { saves: measuredSaves, joins: measuredJoins };
  } finally {
    await close();
  }
}

const directory = mkdtempSync(join(tmpdir(), "powerplay-bench-servers-"));
// Postgres runs as a user of its own.
chmodSync(directory, 0o755);
const missing = missingServers();
if (missing.length > 0) throw new Error(`a cluster needs servers that are not here\n${missing.join("\n")}`);
const servers = await startServers(directory);
const ledger = servers.aerospike === null ? "one process over SQLite (no Aerospike server here: ASD=)" : "Aerospike";
const noShares = CpuShares.missing();
if (noShares !== null) console.log(`no nodes with a share of a core: ${noShares}`);
const chosen = process.argv.slice(2);
const contenders = [
  openNaive(servers),
  openEmbedded(),
  ...NODE_COUNTS.map((nodeCount) => openNodes(servers, nodeCount)),
  ...(noShares === null ? SMALL_NODE_COUNTS.map((nodeCount) => openNodes(servers, nodeCount, SMALL_NODE_SHARE)) : []),
].filter(({ name }) => chosen.length === 0 || chosen.some((start) => name.startsWith(start)));
const runs = new Map<string, Run[]>(contenders.map(({ name }) => [name, []]));
const machine = `${cpus().length} cores of ${cpus()[0]!.model}`;
console.log(
  `${machine} · a node: ${PLAN.userCount} users, ${WIDTH} connections, medians of ${ROUNDS} · ledger of the cluster: ${ledger}`,
);
try {
  // Servers that have just started are slow: Java compiles as it goes.
  const cluster = contenders.find(({ name }) => name.endsWith("over servers"));
  for (let round = 0; round < WARM_ROUNDS; round++) if (cluster !== undefined) await measure(cluster);
  // Round by round, so that a disk or a neighbour that changes its pace changes all.
  for (let round = 0; round < ROUNDS; round++) {
    for (const contender of contenders) {
      const run = await measure(contender);
      runs.get(contender.name)!.push(run);
      for (const what of ["saves", "joins"] as const) tell(what, contender.name, run[what]);
    }
  }
} finally {
  await stopServers(servers);
  rmSync(directory, { recursive: true, force: true });
}

const median = (name: string, what: keyof Run): Measured =>
  runs
    .get(name)!
    .map((run) => run[what])
    .toSorted((a, b) => a.perSecond - b.perSecond)[ROUNDS >> 1]!;

console.log("\nmedians");
for (const what of ["saves", "joins"] as const) {
  for (const { name } of contenders) tell(what, name, median(name, what));
}
if (chosen.length === 0) {
  const results = contenders.map(({ name, nodeCount }) => ({
    name,
    nodeCount,
    saves: median(name, "saves"),
    joins: median(name, "joins"),
    rounds: runs.get(name)!,
  }));
  const report = { machine, planOfNode: PLAN, connectionsOfNode: WIDTH, ledger, results };
  await Bun.write(RESULTS, `${JSON.stringify(report, (_, value: unknown) => rounded(value), 2)}\n`);
}

function rounded(value: unknown): unknown {
  return typeof value === "number" ? Math.round(value * 10) / 10 : value;
}

function tell(what: string, who: string, { cpuMicros, p50Ms, p99Ms, perSecond, use }: Measured): void {
  const rate = Math.round(perSecond).toLocaleString("en").padStart(7);
  const cpu = Object.entries(cpuMicros).map(([name, micros]) => {
    const { syncs } = use.parts[name]!;
    return `${name} ${Math.round(micros)}${syncs === null ? "" : ` (${Math.round(syncs / use.seconds)} fsync/s)`}`;
  });
  const together = Object.values(cpuMicros).reduce((sum, micros) => sum + micros, 0);
  const bound = Math.round((cpus().length * 1e6) / together).toLocaleString("en");
  console.log(
    `${what.padEnd(6)} ${who.padEnd(30)} ${rate}/s  p50 ${p50Ms.toFixed(1)} ms  p99 ${p99Ms.toFixed(1)} ms\n` +
      `       µs of CPU each: ${cpu.join(" · ")} · together ${Math.round(together)}, of which ${cpus().length} cores ` +
      `carry ${bound}/s · others' ${Math.round(use.othersPercent)} % of a core · idle ${Math.round(use.idlePercent)} %`,
  );
}
