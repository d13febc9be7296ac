/**
 * Boards at the size of a final, beside their contenders, in one run on one machine; all must compute the same. Writes
 * bench/results/boards.json and boards.svg.
 *
 *   make bench-boards                      12 M, 60 M and 150 M entries; needs 8 GB of memory and about eight minutes
 *   ENTRIES=100000 make bench-boards       the same shapes at another size of the mega contest
 *   ONLY=mega,kernels make bench-boards    some scenarios: mega, kernels, delta, redis, many, final, deadline; prints, writes nothing
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, totalmem } from "node:os";
import { join } from "node:path";
import { type Bench, BenchBoard } from "./bench.ts";
import { chartOf } from "./chart.ts";
import { deadlineScenario } from "./deadline.ts";
import { deltaScenario } from "./delta.ts";
import { MEGA_ENTRIES } from "./entries.ts";
import { finalScenario } from "./final.ts";
import { kernelsScenario } from "./kernels.ts";
import { manyScenario } from "./many.ts";
import { openBenchMatch } from "./match.ts";
import { megaScenario } from "./mega.ts";
import { redisScenario, redisServer } from "./redis.ts";
import type { BoardsResult } from "./result.ts";
import { tableOf } from "./table.ts";

const LINE_UPS = 4_096;
const RESULTS = join(import.meta.dir, "../results");

const megaEntries = Number(process.env["ENTRIES"] ?? MEGA_ENTRIES);
const only = process.env["ONLY"]?.split(",");
const wanted = (scenario: string): boolean => only === undefined || only.includes(scenario);
const directory = mkdtempSync(join(process.env["BOARD_DIR"] ?? "/dev/shm", "bench-boards-"));
process.on("exit", () => rmSync(directory, { recursive: true, force: true }));

const bench: Bench = {
  directory,
  match: openBenchMatch(LINE_UPS),
  megaEntries,
  threads: availableParallelism(),
  log: (line) => console.log(line),
};

const step = async <Result>(name: string, run: () => Promise<Result>): Promise<Result | undefined> => {
  if (!wanted(name)) return undefined;
  const start = performance.now();
  const result = await run();
  console.log(`${name.padEnd(8)} ${((performance.now() - start) / 1_000).toFixed(1)} s`);
  return result;
};

const board = await BenchBoard.openMega(bench);
const mega = await step("mega", () => megaScenario(bench, board));
const kernels = await step("kernels", () => kernelsScenario(bench, board));
const delta = await step("delta", () => deltaScenario(bench, board));
if (redisServer() === null) console.log("redis    skipped: redis-server is not installed");
const redis = redisServer() === null ? undefined : await step("redis", () => redisScenario(bench, board));
await board.close();
const many = await step("many", () => manyScenario(bench));
const final = await step("final", () => finalScenario(bench));
const deadline = await step("deadline", () => deadlineScenario(bench));

const result: BoardsResult = {
  machine: {
    cpu: cpus()[0]?.model ?? "unknown",
    cores: availableParallelism(),
    memoryGb: Math.round(totalmem() / 2 ** 30),
    bun: Bun.version,
  },
  match: { name: bench.match.name, balls: bench.match.vectors.length },
  ...(mega && { mega }),
  ...(kernels && { kernels }),
  ...(delta && { delta }),
  ...(redis && { redis }),
  ...(many && { many }),
  ...(final && { final }),
  ...(deadline && { deadline }),
};
for (const line of tableOf(result)) console.log(line);
if (only === undefined) {
  mkdirSync(RESULTS, { recursive: true });
  writeFileSync(join(RESULTS, "boards.json"), `${JSON.stringify(result, rounded, 2)}\n`);
  writeFileSync(join(RESULTS, "boards.svg"), chartOf(result));
  console.log("written: bench/results/boards.json, bench/results/boards.svg");
}
process.exit(0);

function rounded(_key: string, value: unknown): unknown {
  return typeof value === "number" && !Number.isInteger(value) ? Number(value.toPrecision(4)) : value;
}
