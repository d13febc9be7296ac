/**
 * Copies of boards in Redis: how long a mega contest of 12 M entries and the smaller contests of a match take to be back after Redis lost
 * everything, and what the balls of a match hear of a Redis that stands still. Pages out of the copies are compared with the board's own.
 *
 *   bun bench/engines/board-mirror.ts [scale]       with a redis-server of its own; 1 is 12 M entries and 500 contests more
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { limits } from "../../src/config.ts";
import { assert } from "../../src/domain/assert.ts";
import type { ContestId } from "../../src/domain/ids.ts";
import { Metrics } from "../../src/metrics.ts";
import { BoardEngine } from "../../src/realtime/board/engine.ts";
import { LockedSlice } from "../../src/realtime/locked-slice.ts";
import { BoardMirror, type MirrorLimits } from "../../src/realtime/mirror/board-mirror.ts";
import { mirroredPage } from "../../src/realtime/mirror/mirrored-page.ts";
import { openRedisHotStore } from "../../src/stores/hot-store/redis.ts";
import { startService } from "../../src/testing/services.ts";
import { contestsOf, IDENTITY, MEGA_ENTRIES, writeBoard } from "../boards/entries.ts";
import { openBenchMatch } from "../boards/match.ts";

const scale = Number(process.argv[2] ?? "1");
const BALLS = 30;
const BALL_EVERY_MS = 340;
const LINE_UPS = 5_000;
const OTHER_CONTESTS = [
  ...Array<number>(50).fill(7_000),
  ...Array<number>(150).fill(1_200),
  ...Array<number>(300).fill(48),
];

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(2)} s`;

const match = openBenchMatch(LINE_UPS);
const root = mkdtempSync(join(Bun.env["BOARD_DIR"] ?? "/dev/shm", "powerplay-bench-"));
const redisRoot = mkdtempSync(join(tmpdir(), "powerplay-bench-"));
const server = await startService("redis", {
  directory: join(redisRoot, "0"),
  settings: { appendonly: "no", save: "" },
});
const admin = new Redis(server.url);
const store = await openRedisHotStore({ url: server.url, ...limits.redis });
try {
  const sizes = [MEGA_ENTRIES, ...OTHER_CONTESTS].map((entries) => Math.max(2, Math.round(entries * scale)));
  const contests = contestsOf(sizes);
  writeBoard(root, contests, match.rosters);
  const engine = await BoardEngine.start({ directory: root });
  const attached = await engine.attach(IDENTITY);
  assert(attached.ok, "a board that was written opens");
  const slice = new LockedSlice(IDENTITY, engine.board(IDENTITY));
  const entryCounts = new Map(contests.map(({ contestId, entryCount }) => [contestId, entryCount]));
  console.log(`${sizes.reduce((sum, size) => sum + size, 0).toLocaleString()} entries in ${sizes.length} contests`);
  let version = 0;

  /** All its threads. */
  async function redisCpuSeconds(): Promise<number> {
    const cpu = await admin.info("cpu");
    return ["sys", "user"].reduce((sum, kind) => sum + Number(new RegExp(`used_cpu_${kind}:(\\S+)`).exec(cpu)![1]), 0);
  }

  /** The longest that a small question and the event loop waited meanwhile. */
  async function watched<T>(work: () => Promise<T>) {
    let [worstCallMs, worstLoopMs, lastMs] = [0, 0, performance.now()];
    const timer = setInterval(() => {
      const nowMs = performance.now();
      worstLoopMs = Math.max(worstLoopMs, nowMs - lastMs - 10);
      lastMs = nowMs;
      store.get("k").then(
        () => (worstCallMs = Math.max(worstCallMs, performance.now() - nowMs)),
        () => (worstCallMs = Number.POSITIVE_INFINITY),
      );
    }, 10);
    const startMs = performance.now();
    const redisCpu = await redisCpuSeconds();
    const cpu = process.cpuUsage();
    await work();
    const { system, user } = process.cpuUsage(cpu);
    const elapsedMs = performance.now() - startMs;
    clearInterval(timer);
    const redisShown = ((await redisCpuSeconds()) - redisCpu).toFixed(1);
    const cpuShown = `CPU ${seconds((system + user) / 1_000)} here, ${redisShown} s of Redis`;
    const worst = `worst wait of the event loop ${worstLoopMs.toFixed(0)} ms, of a small call ${worstCallMs.toFixed(0)} ms`;
    return { elapsedMs, shown: `${seconds(elapsedMs)}; ${cpuShown}; ${worst}` };
  }

  const ball = async (mirror: BoardMirror | null): Promise<number> => {
    const points = match.vectors[++version % match.vectors.length]!;
    const startMs = performance.now();
    await engine.rescore(IDENTITY, { points, pointsVersion: version, timeMs: startMs });
    mirror?.published(IDENTITY.matchId);
    return performance.now() - startMs;
  };

  /** From a ball to its ranks, over and over. */
  async function balls(mirror: BoardMirror | null): Promise<string> {
    const tookMs: number[] = [];
    for (let played = 0; played < BALLS; played++) {
      tookMs.push(await ball(mirror));
      await Bun.sleep(BALL_EVERY_MS);
    }
    tookMs.sort((a, b) => a - b);
    const at = (share: number) => tookMs[Math.floor(share * (tookMs.length - 1))]!.toFixed(1);
    return `ball → board median ${at(0.5)} ms, p90 ${at(0.9)} ms, worst ${at(1)} ms`;
  }

  async function compare(contest: ContestId, places: readonly number[]): Promise<void> {
    for (const place of places) {
      const own = await engine.page(IDENTITY, contest, place, 50);
      const copied = await mirroredPage(store, contest, place, 50);
      assert(Bun.deepEquals(own, copied), `the copy of contest ${contest} at place ${place} is its board`);
    }
  }

  await ball(null);
  console.log(`without copies:               ${await balls(null)}`);
  for (const [name, over] of [
    ["the best 1,000 of contests above 10,000", {}],
    ["all entries of all contests", { wholeEntriesMax: MEGA_ENTRIES }],
  ] as const) {
    console.log(`\n${name}`);
    const mirrorLimits: MirrorLimits = { ...limits.mirror, ...over };
    const mirror = new BoardMirror({
      hotStore: store,
      boards: { openSlices: () => [slice] },
      engine,
      entryCounts: async () => entryCounts,
      followed: () => [],
      limits: mirrorLimits,
      metrics: new Metrics(),
      onTrouble: (error) => console.error(error),
    });
    const upToDate = async () => {
      while (mirror.behindCount > 0) await Bun.sleep(5);
    };
    await ball(mirror);
    console.log(`copied first after            ${(await watched(upToDate)).shown}`);
    const deep = "wholeEntriesMax" in over ? [Math.floor(sizes[0]! / 2), sizes[0]! - 50] : [900];
    const mega = contests[0]!.contestId;
    const check = async () => {
      await compare(mega, [0, ...deep]);
      for (const { contestId } of contests.slice(1, 40)) await compare(contestId, [0]);
    };
    await check();
    const memory = /used_memory_human:(\S+)/.exec(await admin.info("memory"))![1];
    console.log(`Redis takes                   ${memory}`);
    await admin.flushall("SYNC");
    const back = await watched(async () => {
      while (mirror.behindCount === 0) await Bun.sleep(5);
      await upToDate();
    });
    console.log(`back after FLUSHALL in        ${back.shown}`);
    await check();
    console.log(`while copies are written:     ${await balls(mirror)}`);
    await upToDate();
    await server.pause();
    console.log(
      `Redis stands still for ${seconds(BALLS * BALL_EVERY_MS)}: ${await balls(mirror)}, lag ${seconds(mirror.lagMs)}`,
    );
    server.resume();
    console.log(`caught up after               ${(await watched(upToDate)).shown}`);
    await check();
    await mirror.stop();
    await admin.flushall("ASYNC");
  }
  engine.stop();
} finally {
  admin.disconnect();
  await store.close();
  await server.remove();
  rmSync(root, { recursive: true, force: true });
  rmSync(redisRoot, { recursive: true, force: true });
}
process.exit(0);
