import { afterAll, afterEach, describe, expect, test } from "bun:test";
import { Redis } from "ioredis";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ContestId, contestId, type EntryId, matchId } from "../../domain/ids.ts";
import { POOL_SIZE_MAX, type PointsVector } from "../../domain/points.ts";
import { scoreRoster } from "../../domain/roster.ts";
import { Metrics } from "../../metrics.ts";
import { openRedisHotStore } from "../../stores/hot-store/redis.ts";
import type { BoardHead, MirroredBoards } from "../../stores/hot-store/boards.ts";
import { StoreUnavailable } from "../../stores/unavailable.ts";
import { missingService, startService } from "../../testing/services.ts";
import { openSimulatedHotStore } from "../../testing/simulated-hot-store.ts";
import { openSimulatedTeamStore } from "../../testing/simulated-team-store.ts";
import { BoardEngine } from "../board/engine.ts";
import { BoardWriter } from "../board/board-writer.ts";
import { randomColumns, randomPoints, seededRandom, teamsOf } from "../kernel/random-board.ts";
import type { ContestColumns } from "../kernel/port.ts";
import { rosterAt } from "../kernel/tiles.ts";
import { LockedSlice } from "../locked-slice.ts";
import { BoardMirror, showLag } from "./board-mirror.ts";
import { MirroredPages } from "./mirrored-pages.ts";

const root = mkdtempSync(join(tmpdir(), "board-mirror-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const id = matchId(6);
const mega = contestId(1);
const small = contestId(2);
const POOL = 26;
const SLICES = 2;
/** Of each slice. */
const MEGA_ENTRIES = 3_000;
const TOP_COUNT = 500;
const NO_POINTS = new Int16Array(POOL_SIZE_MAX);

const limits = {
  wholeEntriesMax: 1_000,
  topCount: TOP_COUNT,
  pieceEntries: 70,
  writesUnderWay: 3,
  ttlMs: 600_000,
  retryMs: 1,
  checkEveryMs: 5,
  checkContests: 10,
  askedForMs: 60_000,
};

type Entry = readonly [id: EntryId, columns: ContestColumns, position: number];

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** Two slices of a match whose boards this node has, and what copies them. */
async function openWorld(name: string, store: MirroredBoards) {
  const directory = join(root, name);
  const random = seededRandom(3);
  const entries = new Map<ContestId, Entry[]>([
    [mega, []],
    [small, []],
  ]);
  const engine = await BoardEngine.start({ directory, log: () => {} });
  const slices: LockedSlice[] = [];
  for (let slice = 0; slice < SLICES; slice++) {
    // The small contest lies in one slice.
    const columns = new Map([[mega, randomColumns(random, MEGA_ENTRIES, POOL)]]);
    if (slice === 1) columns.set(small, randomColumns(random, 7, POOL));
    for (const [contest, ofContest] of columns) {
      // Users of different slices are different ones.
      for (const [position, entry] of ofContest.entryIds.entries()) {
        ofContest.entryIds[position] = entry * 2 - (entry % 64) + slice * 64;
        entries.get(contest)!.push([ofContest.entryIds[position] as EntryId, ofContest, position]);
      }
    }
    const identity = { matchId: id, slice, sliceCount: SLICES };
    const contests = Array.from(columns, ([contest, { entryCount }]) => ({ contestId: contest, entryCount }));
    const writer = BoardWriter.create(directory, {
      ...identity,
      logPosition: "",
      contests,
      teams: teamsOf(columns.values()),
    });
    for (const [contest, ofContest] of columns) writer.append(contest, ofContest);
    writer.seal();
    expect(await engine.attach(identity)).toEqual({ ok: true });
    slices.push(new LockedSlice(identity, engine.board(identity)));
  }

  const puts: BoardHead[] = [];
  const gate = { isAway: false, held: null as Promise<void> | null };
  const guarded: MirroredBoards = {
    async putBoard(head, ...rest) {
      if (gate.isAway) throw new StoreUnavailable("HotStore", "the test says so");
      await gate.held;
      await store.putBoard(head, ...rest);
      puts.push(head);
    },
    boardHeads: (contest) => store.boardHeads(contest),
    boardEntries: (...asked) => store.boardEntries(...asked),
    boardVersions: (contests) => store.boardVersions(contests),
  };
  const teamStore = openSimulatedTeamStore();
  const metrics = new Metrics();
  const time = { ms: 1_000 };
  const pages = new MirroredPages({
    hotStore: store,
    teamStore,
    ttlMs: 600_000,
    staleMsMax: 2_000,
    nowMs: () => time.ms,
  });
  const mirror = new BoardMirror({
    hotStore: guarded,
    boards: { openSlices: () => slices },
    engine,
    entryCounts: async () => new Map(Array.from(entries, ([contest, all]) => [contest, all.length])),
    followed: () => [],
    limits,
    metrics,
    onTrouble: (error) => {
      throw error;
    },
  });
  showLag(metrics, mirror);
  closing.push(async () => {
    await mirror.stop();
    engine.stop();
  });

  /** The match has new points, which these slices show. */
  async function ball(version: number, points: PointsVector, shown = slices): Promise<void> {
    for (const { identity } of shown)
      await engine.rescore(identity, { points, pointsVersion: version, timeMs: version });
    pages.seen(id, version);
    mirror.published(id);
  }
  /** All of a contest in total order, by sorting. */
  function sorted(contest: ContestId, points: PointsVector) {
    const scored = entries.get(contest)!.map(([entryId, { tiles }, position]) => {
      return { entryId, scoreQp: scoreRoster(rosterAt(tiles, position), points) };
    });
    scored.sort((a, b) => b.scoreQp - a.scoreQp || a.entryId - b.entryId);
    return scored.map((entry) => ({
      ...entry,
      rank: 1 + scored.findIndex(({ scoreQp }) => scoreQp === entry.scoreQp),
      tiedCount: scored.filter(({ scoreQp }) => scoreQp === entry.scoreQp).length,
    }));
  }
  const upToDate = async () => {
    while (mirror.behindCount > 0) await Bun.sleep(1);
  };
  return { ball, engine, gate, metrics, mirror, pages, puts, slices, sorted, time, upToDate };
}

const simulated = () => openSimulatedHotStore({ nowMs: () => 1_000 });

async function expectExact(world: Awaited<ReturnType<typeof openWorld>>, version: number, points: PointsVector) {
  await world.upToDate();
  for (const [contest, places] of [
    [mega, [0, 3, 250, TOP_COUNT - 10]],
    [small, [0, 5]],
  ] as const) {
    const all = world.sorted(contest, points);
    for (const place of places) {
      expect(await world.pages.page(id, contest, place, 10)).toEqual({
        pointsVersion: version,
        entryCount: all.length,
        entries: all.slice(place, place + 10),
      });
    }
  }
  // Deeper than what is held, and behind the last.
  expect(await world.pages.page(id, mega, TOP_COUNT * 2, 10)).toBeNull();
  expect((await world.pages.page(id, small, 7, 10))?.entries).toEqual([]);
}

describe("pages out of copies are those of a plain sort", () => {
  const random = seededRandom(5);
  const balls = [NO_POINTS, randomPoints(random, POOL, 20), randomPoints(random, POOL, 400)];

  test("from memory", async () => {
    const world = await openWorld("exact", simulated());
    for (const [version, points] of balls.entries()) {
      await world.ball(version, points);
      await expectExact(world, version, points);
    }
  });

  const url = process.env["TEST_REDIS_URL"];
  if (url === undefined) console.log("board mirror: redis skipped, TEST_REDIS_URL is not set (make services)");
  test.skipIf(url === undefined)("from Redis", async () => {
    const store = await openRedis(`${url}?prefix=test-${crypto.randomUUID()}:`);
    const world = await openWorld("redis", store);
    for (const [version, points] of balls.entries()) {
      await world.ball(version, points);
      await expectExact(world, version, points);
    }
  });
});

test("a store that is away makes the lag grow and no pass wait; what changed again meanwhile is written once", async () => {
  const world = await openWorld("away", simulated());
  await world.ball(1, NO_POINTS);
  await world.upToDate();
  expect(world.mirror.lagMs).toBe(0);
  world.gate.isAway = true;
  const random = seededRandom(6);
  for (let version = 2; version < 40; version++) await world.ball(version, randomPoints(random, POOL, 100));
  const lagMs = world.mirror.lagMs;
  while (world.mirror.lagMs === lagMs) await Bun.sleep(1);
  expect(await world.metrics.scrape()).toContain("powerplay_mirror_behind_contests 3");
  const written = world.puts.length;
  const points = randomPoints(random, POOL, 100);
  await world.ball(40, points);
  world.gate.isAway = false;
  await expectExact(world, 40, points);
  expect(world.puts.slice(written).map(({ pointsVersion }) => pointsVersion)).toEqual([40, 40, 40]);
  expect(world.mirror.lagMs).toBe(0);
});

test("a contest that somebody looks at goes first", async () => {
  const world = await openWorld("first", simulated());
  const { promise, resolve } = Promise.withResolvers<void>();
  await world.ball(1, NO_POINTS);
  await world.upToDate();
  world.gate.held = promise;
  world.mirror.asked(small);
  await world.ball(2, randomPoints(seededRandom(1), POOL, 100));
  resolve();
  await world.upToDate();
  expect(world.puts.slice(3).map(({ contestId: contest }) => contest)[0]).toBe(small);
});

test("a store that forgot everything has it back, and answers nothing until then", async () => {
  const store = simulated();
  const world = await openWorld("lost", store);
  const points = randomPoints(seededRandom(1), POOL, 100);
  await world.ball(1, points);
  await world.upToDate();
  const { promise, resolve } = Promise.withResolvers<void>();
  world.gate.held = promise;
  store.forget();
  expect(await world.pages.page(id, mega, 0, 10)).toBeNull();
  while (world.mirror.behindCount < 3) await Bun.sleep(1);
  expect(world.mirror.lagMs).toBeGreaterThan(0);
  resolve();
  await expectExact(world, 1, points);
});

test("of a slice that stands still, the last board in common is shown while it is nearly true, and no longer", async () => {
  const world = await openWorld("stale", simulated());
  const points = randomPoints(seededRandom(1), POOL, 100);
  await world.ball(1, points);
  await world.upToDate();
  world.time.ms += 60_000;
  // The other slice's node died.
  await world.ball(2, randomPoints(seededRandom(2), POOL, 100), [world.slices[0]!]);
  while (world.puts.at(-1)!.pointsVersion < 2) await Bun.sleep(1);
  const shown = await world.pages.page(id, mega, 0, 10);
  expect(shown?.pointsVersion).toBe(1);
  expect(shown?.entries).toEqual(world.sorted(mega, points).slice(0, 10));
  world.time.ms += 2_000;
  expect(await world.pages.page(id, mega, 0, 10)).toBeNull();
});

test("a slice that has moved away is copied no more", async () => {
  const world = await openWorld("moved", simulated());
  await world.ball(1, NO_POINTS);
  await world.upToDate();
  world.gate.isAway = true;
  await world.ball(2, randomPoints(seededRandom(2), POOL, 100));
  await world.engine.remove(world.slices[1]!.identity);
  world.slices.length = 1;
  world.gate.isAway = false;
  await world.upToDate();
  expect(world.puts.slice(3).map(({ contestId: contest, slice }) => [contest, slice])).toEqual([[mega, 0]]);
});

const missing = missingService("redis");
if (missing !== null) console.log(`board mirror: redis of its own skipped, ${missing}`);

describe.skipIf(missing !== null)("on a Redis of its own", () => {
  test("flushed, paused and restarted empty: the copies come back, and passes never wait", async () => {
    const directory = join(root, "redis-server");
    const server = await startService("redis", { directory, settings: { appendonly: "no", save: "" } });
    closing.push(() => server.remove());
    const store = await openRedis(server.url);
    const world = await openWorld("own-redis", store);
    const random = seededRandom(8);
    let version = 0;
    const play = async (): Promise<PointsVector> => {
      const points = randomPoints(random, POOL, 200);
      await world.ball(++version, points);
      return points;
    };
    let points = await play();
    await expectExact(world, version, points);

    const admin = new Redis(server.url, { retryStrategy: null });
    await admin.flushall();
    while ((await store.boardHeads(mega)).length < SLICES) await Bun.sleep(1);
    await expectExact(world, version, points);

    // One set alone is evicted: its board is not half a board.
    const [set] = (await admin.keys("m:{c:1}:0:*")) as [string];
    await admin.del(set);
    expect(await world.pages.page(id, mega, 0, 10)).toBeNull();
    while ((await store.boardHeads(mega)).length < SLICES) await Bun.sleep(1);
    await expectExact(world, version, points);
    admin.disconnect();

    await server.pause();
    for (let ball = 0; ball < 20; ball++) points = await play();
    // All passes are done, and the server has not answered since the first of them.
    expect(world.mirror.behindCount).toBe(3);
    server.resume();
    await expectExact(world, version, points);

    await server.kill();
    points = await play();
    await server.start();
    await expectExact(world, version, points);
  }, 60_000);
});

async function openRedis(url: string) {
  const store = await openRedisHotStore({
    url,
    timeoutMs: 500,
    connectTimeoutMs: 5_000,
    reconnectMsMax: 50,
    callsMax: 1_000,
    bulkTimeoutMs: 500,
  });
  closing.push(() => store.close());
  return store;
}
