/**
 * A node that comes back in the middle of a final: a process of its own that attaches a sealed board as it is after a restart,
 * re-scores it ball by ball and says how long that took and what it takes in memory. Reads a `NodePlan`, writes a `NodeReport`.
 */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { assert } from "../../src/domain/assert.ts";
import type { ContestId } from "../../src/domain/ids.ts";
import { BoardEngine } from "../../src/realtime/board/engine.ts";
import { IDENTITY } from "./entries.ts";
import { type TimerDelays, timerDelays } from "./event-loop.ts";
import { timed, type Times } from "./timing.ts";

export interface NodePlan {
  readonly directory: string;
  readonly spawnedAtMs: number;
  readonly largest: ContestId;
  readonly vectors: readonly (readonly number[])[];
  readonly idleMs: number;
}

export interface NodeReport {
  readonly kernel: string;
  /** From the start of the process to the first standing being read, every byte of the board checked. */
  readonly restartMs: number;
  /** Of these, from the start of the engine on. */
  readonly attachMs: number;
  /** null for a board that nothing has been published on yet. */
  readonly foundVersion: number | null;
  /** Of every ball, from the points to all standings being readable. */
  readonly pass: Times;
  readonly eventLoop: { readonly idle: TimerDelays; readonly underPasses: TimerDelays; readonly passes: number };
  readonly memory: { readonly sharedMb: number; readonly processMb: number };
}

export async function runNode(plan: Omit<NodePlan, "spawnedAtMs">): Promise<NodeReport> {
  const child = Bun.spawn([process.execPath, import.meta.path], { stdin: "pipe", stdout: "pipe", stderr: "inherit" });
  child.stdin.write(JSON.stringify({ ...plan, spawnedAtMs: Date.now() } satisfies NodePlan));
  await child.stdin.end();
  const report = await new Response(child.stdout).text();
  assert((await child.exited) === 0, "the node ends well");
  return JSON.parse(report) as NodeReport;
}

async function node(plan: NodePlan): Promise<NodeReport> {
  const start = performance.now();
  const engine = await BoardEngine.start({ directory: plan.directory });
  const attached = await engine.attach(IDENTITY);
  assert(attached.ok, "the sealed board attaches");
  const found = engine.standing(IDENTITY, plan.largest);
  const attachMs = performance.now() - start;
  const restartMs = Date.now() - plan.spawnedAtMs;

  const vectors = plan.vectors.map((vector) => Int16Array.from(vector));
  let pointsVersion = found?.pointsVersion ?? 0;
  const rescore = (index: number) =>
    engine.rescore(IDENTITY, {
      pointsVersion: ++pointsVersion,
      timeMs: pointsVersion,
      points: vectors[index % vectors.length]!,
    });
  await rescore(0);
  const pass = await timed(vectors.length, rescore);

  const idle = await timerDelays(plan.idleMs);
  let passes = 0;
  const underPasses = await timerDelays(0, async () => {
    const end = performance.now() + plan.idleMs;
    while (performance.now() < end) await rescore(passes++);
  });
  const report: NodeReport = {
    kernel: engine.kernelName,
    restartMs,
    attachMs,
    foundVersion: found?.pointsVersion ?? null,
    pass,
    eventLoop: { idle, underPasses, passes },
    memory: { sharedMb: sharedBytes(plan.directory) / 1e6, processMb: processBytes() / 1e6 },
  };
  engine.stop();
  return report;
}

/** The files of all boards; mapped or not, they are taken. */
function sharedBytes(directory: string): number {
  return readdirSync(directory, { recursive: true }).reduce((bytes, name) => {
    const { blocks } = statSync(join(directory, String(name)));
    return bytes + blocks * 512;
  }, 0);
}

/** What this process has to itself, at its peak or now, whichever the system tells. */
function processBytes(): number {
  const anonymous = /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"));
  return anonymous === null ? process.memoryUsage().rss : Number(anonymous[1]) * 1024;
}

if (import.meta.main) {
  console.log(JSON.stringify(await node((await Bun.stdin.json()) as NodePlan)));
  process.exit(0);
}
