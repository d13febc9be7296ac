/**
 * `make sim`: SEEDS seeds (1,000 unless said otherwise, a million on request) from one that was never played before, on all
 * cores. `make sim SEED=n`: that one again, exactly, with everything that happened in it; FROM=n says where a run begins.
 */
import { violationsOf } from "./checkers.ts";
import { coverageOf } from "./coverage.ts";
import { simulate } from "./simulation.ts";
import { playOnAllCores } from "./simulation-batch.ts";

/** Between two lines of progress. */
const SEEDS_PER_LINE = 2_000;

const number = (name: string): number | null => {
  const text = process.env[name];
  if (text === undefined || text === "") return null;
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  console.error(`${name}: "${text}" is not a whole number`);
  process.exit(2);
};

async function replay(seed: number): Promise<number> {
  const outcome = simulate(seed, {}, true);
  for (const line of outcome.trace!) console.log(line);
  for (const [what, count] of Object.entries(await coverageOf(outcome))) console.log(`${what}: ${count}`);
  const sentences = await violationsOf(outcome);
  for (const sentence of sentences) console.error(sentence);
  console.log(`seed ${seed}: ${outcome.eventCount} events, ${sentences.length} laws broken`);
  return sentences.length === 0 ? 0 : 1;
}

async function explore(firstSeed: number, seedCount: number): Promise<number> {
  const startedMs = performance.now();
  let eventCount = 0;
  for (let done = 0; done < seedCount;) {
    const share = Math.min(SEEDS_PER_LINE, seedCount - done);
    const result = await playOnAllCores(firstSeed + done, share);
    done += share;
    eventCount += result.eventCount;
    for (const { sentences } of result.failures) for (const sentence of sentences) console.error(sentence);
    if (result.failures.length > 0) {
      console.error(`replay one with: make sim SEED=${result.failures[0]!.seed}`);
      return 1;
    }
    const seconds = ((performance.now() - startedMs) / 1_000).toFixed(1);
    console.log(
      `${done} seeds from ${firstSeed}, ${eventCount.toLocaleString("en")} events, ${seconds} s, no law broken`,
    );
  }
  return 0;
}

const seed = number("SEED");
process.exitCode =
  seed === null ? await explore(number("FROM") ?? Date.now(), number("SEEDS") ?? 1_000) : await replay(seed);
