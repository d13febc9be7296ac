import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Bench, BenchBoard } from "./bench.ts";
import { chartOf } from "./chart.ts";
import { deadlineScenario } from "./deadline.ts";
import { deltaScenario } from "./delta.ts";
import { finalContests } from "./entries.ts";
import { finalScenario } from "./final.ts";
import { kernelsScenario } from "./kernels.ts";
import { manyScenario } from "./many.ts";
import { openBenchMatch } from "./match.ts";
import { megaScenario } from "./mega.ts";
import { BENCH_LIBRARY_PATH } from "./native.ts";
import { redisScenario, redisServer } from "./redis.ts";
import { tableOf } from "./table.ts";

/** Every scenario with some thousand entries: they check each other's answers, so what is measured stays right. */
const directory = mkdtempSync(join(tmpdir(), "bench-boards-"));
const match = openBenchMatch(64);
const bench: Bench = {
  directory,
  match: { ...match, vectors: match.vectors.filter((_, index) => index % 40 === 0) },
  megaEntries: 6_000,
  threads: 2,
  log: () => {},
};
let board: BenchBoard;
beforeAll(async () => {
  board = await BenchBoard.openMega(bench);
});
afterAll(async () => {
  await board.close();
  rmSync(directory, { recursive: true, force: true });
});

const machine = { cpu: "a test", cores: 2, memoryGb: 1, bun: Bun.version };
const named = { machine, match: { name: match.name, balls: 7 } };

test("the final has 10,000 contests and 150 M entries", () => {
  const contests = finalContests();
  expect(contests).toHaveLength(10_000);
  expect(contests.reduce((sum, { entryCount }) => sum + entryCount, 0)).toBe(150_000_040);
});

test("a mega contest: ranks, pages and neighbours are those of a sort", async () => {
  const mega = await megaScenario(bench, board);
  expect(mega.entries).toBe(6_000);
  expect(tableOf({ ...named, mega })[0]).toContain("(a) re-rank");
});

test("many contests, and the final in a node of its own", async () => {
  const many = await manyScenario(bench);
  expect(many.entries).toBe(30_000);
  const final = await finalScenario(bench);
  expect(final.node.foundVersion).toBeGreaterThan(0);
  const svg = chartOf({ ...named, many, final });
  expect(svg).toContain("More entries");
  expect(svg).not.toContain("NaN");
});

test("a deadline: from the log, followed, and by the TypeScript index, the same board and commitment", async () => {
  const deadline = await deadlineScenario(bench);
  expect(deadline.fromLog.teams).toBe(6_000);
  expect(tableOf({ ...named, deadline })[0]).toContain("to ranks");
});

const noLibrary = existsSync(BENCH_LIBRARY_PATH) ? null : "no C compiler";
test.skipIf(noLibrary !== null)(`kernels and the delta pass agree${noLibrary ? ` (${noLibrary})` : ""}`, async () => {
  const kernels = await kernelsScenario(bench, board);
  expect(kernels.kernels.length).toBeGreaterThan(1);
  await deltaScenario(bench, board);
});

const noRedis = redisServer() === null ? "redis-server is not installed" : null;
if (noRedis) console.log(`bench/boards: the comparison with Redis is skipped, ${noRedis}`);
test.skipIf(noRedis !== null)("a sorted set in Redis has the same ranks", async () => {
  const redis = await redisScenario(bench, board);
  expect(redis.six.increments).toBeGreaterThan(0);
  expect(existsSync(join(directory, "redis.sock"))).toBe(false);
});
