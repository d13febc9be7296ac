/**
 * Plays and judges a run of seeds in a process of its own, so that all cores play, and prints the result as JSON.
 *
 *   bun simulation-batch.ts <first seed> <count> [trace]
 */
import { availableParallelism } from "node:os";
import { violationsOf } from "./checkers.ts";
import { coverageOf } from "./coverage.ts";
import { simulate } from "./simulation.ts";

export interface BatchResult {
  readonly seedCount: number;
  readonly eventCount: number;
  readonly failures: readonly { readonly seed: number; readonly sentences: readonly string[] }[];
  readonly coverage: Readonly<Record<string, number>>;
  /** Of everything that happened, in its order; null unless traced. */
  readonly traceHash: string | null;
}

/** Failures that are listed; a broken build fails everywhere, and a few seeds tell as much as all. */
const FAILURES_MAX = 10;

async function playBatch(firstSeed: number, seedCount: number, traced: boolean): Promise<BatchResult> {
  const failures: { seed: number; sentences: readonly string[] }[] = [];
  const coverage: Record<string, number> = {};
  let eventCount = 0;
  let played = 0;
  let traceHash: string | null = null;
  for (let seed = firstSeed; seed < firstSeed + seedCount && failures.length < FAILURES_MAX; seed++) {
    const outcome = simulate(seed, {}, traced);
    const sentences = await violationsOf(outcome);
    for (const [what, count] of Object.entries(await coverageOf(outcome)))
      coverage[what] = (coverage[what] ?? 0) + count;
    await outcome.close();
    if (sentences.length > 0) failures.push({ seed, sentences });
    if (outcome.trace) traceHash = Bun.hash(outcome.trace.join("\n")).toString(16);
    eventCount += outcome.eventCount;
    played++;
  }
  return { seedCount: played, eventCount, failures, coverage, traceHash };
}

/** The same seeds on as many processes as there are cores. */
export async function playOnAllCores(firstSeed: number, seedCount: number, traced = false): Promise<BatchResult> {
  const processCount = Math.min(availableParallelism(), seedCount);
  const shares = Array.from({ length: processCount }, (_, index) => {
    const from = Math.floor((index * seedCount) / processCount);
    return { from, count: Math.floor(((index + 1) * seedCount) / processCount) - from };
  });
  const results = await Promise.all(shares.map(({ from, count }) => playInChild(firstSeed + from, count, traced)));
  const coverage: Record<string, number> = {};
  for (const result of results) {
    for (const [what, count] of Object.entries(result.coverage)) coverage[what] = (coverage[what] ?? 0) + count;
  }
  const sum = (of: (result: BatchResult) => number) => results.reduce((total, result) => total + of(result), 0);
  return {
    seedCount: sum((result) => result.seedCount),
    eventCount: sum((result) => result.eventCount),
    failures: results.flatMap((result) => result.failures),
    coverage,
    traceHash: results.at(-1)!.traceHash,
  };
}

async function playInChild(firstSeed: number, seedCount: number, traced: boolean): Promise<BatchResult> {
  const child = Bun.spawn(
    [process.execPath, import.meta.path, String(firstSeed), String(seedCount), ...(traced ? ["trace"] : [])],
    { stdout: "pipe", stderr: "inherit" },
  );
  const text = await new Response(child.stdout).text();
  if ((await child.exited) !== 0) throw new Error(`the process of seeds ${firstSeed} … died`);
  return JSON.parse(text) as BatchResult;
}

if (import.meta.main) {
  const [firstSeed, seedCount, traced] = process.argv.slice(2);
  console.log(JSON.stringify(await playBatch(Number(firstSeed), Number(seedCount), traced === "trace")));
}
