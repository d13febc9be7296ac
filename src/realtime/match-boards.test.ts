import { afterAll, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { contestId, entryId, matchId, teamNo, userId } from "../domain/ids.ts";
import { Slices } from "../cluster/slices.ts";
import type { Match, MatchState } from "../domain/match.ts";
import { POOL_SIZE_MAX } from "../domain/points.ts";
import type { EventLog } from "../stores/event-log/port.ts";
import { SaveFence } from "../stream/save-fence.ts";
import { encodePointsUpdate } from "../stream/points-update.ts";
import { encodeContestJoin, encodeTeamSave } from "../stream/records.ts";
import { openSimulatedEventLog } from "../testing/simulated-event-log.ts";
import { openSimulatedGroup } from "../testing/simulated-group.ts";
import { openSimulatedHotStore } from "../testing/simulated-hot-store.ts";
import { openSimulatedTeamStore } from "../testing/simulated-team-store.ts";
import { until } from "../testing/until.ts";
import { BoardEngine } from "./board/engine.ts";
import { randomRoster, seededRandom } from "./kernel/random-board.ts";
import { boardDirectory, MatchBoards } from "./match-boards.ts";
import { sliceAsker } from "./slices/ask-slice.ts";
import { LocalSlices } from "./slices/local-slices.ts";
import { StandingExchange } from "./slices/standing-exchange.ts";
import { SliceLoading } from "./slices/slice-questions.ts";
import { WholeBoards } from "./whole-boards.ts";

const root = mkdtempSync(join(tmpdir(), "match-boards-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const id = matchId(6);
const contest = contestId(2);
const RELEASED_IDLE_MS = 1_000;

/** A match with 300 entries in one contest, and a node's boards over it. */
async function openWorld(name: string) {
  const directory = join(root, name);
  const log = openSimulatedEventLog();
  const random = seededRandom(1);
  for (let user = 1; user <= 300; user++) {
    const entry = entryId(userId(user), teamNo(1));
    const saved = { entryId: entry, matchId: id, serverTsMs: 1, roster: randomRoster(random, 30) };
    await log.append("team-saves", user, encodeTeamSave(saved));
    await log.append(
      "contest-joins",
      user,
      encodeContestJoin({ contestId: contest, matchId: id, entryId: entry, serverTsMs: 1 }),
    );
  }
  const world = { state: "locked" as MatchState, nowMs: 10_000, indexReads: 0, troubles: [] as unknown[] };
  const watched: EventLog = {
    ...log,
    read(topic, ...argument) {
      if (topic === "team-saves") world.indexReads++;
      return log.read(topic, ...argument);
    },
  };
  const teamStore = openSimulatedTeamStore();
  let lockPositions: readonly number[] | null = null;
  const clock = { nowMs: () => world.nowMs };
  const fence = new SaveFence({
    catalog: {
      match: async () => ({ id, startMs: 5_000, state: world.state }) as Match,
      lockPositions: async () => lockPositions,
      openSpools: async () => [],
      putLockPositions: async (_, positions) => (lockPositions ??= positions),
    },
    log,
    clock,
    clockSkewMsMax: 0,
    matchesMax: 10,
  });
  const open = async (slices = Slices.single()) => {
    const engine = await BoardEngine.start({ directory, log: () => {} });
    const boards = new MatchBoards({
      log: watched,
      catalog: { match: async () => ({ id, startMs: 5_000, state: world.state }) as Match },
      teamStore,
      engine,
      directory,
      fence,
      clock,
      slices,
      sampleEveryMs: 1_000_000,
      // Looks are made by hand, so that no test waits for a timer.
      lookEveryMs: 1_000_000,
      releasedIdleMs: RELEASED_IDLE_MS,
      inLogMs: 1_000_000,
      consumer: { bytesMax: 1 << 20, waitMs: 10, retryMs: 10, onTrouble: (error) => world.troubles.push(error) },
    });
    const stop = async () => {
      await boards.stop();
      engine.stop();
    };
    const whole = new WholeBoards({
      slices,
      boards,
      engine,
      ask: sliceAsker(slices, new LocalSlices({ boards, engine, missing: () => undefined }), () => null),
      exchange: null,
      teamStore,
      missing: () => undefined,
      sampleEveryMs: 1_000_000,
      limits: { rostersMax: 10, standingsMax: 10, patienceMs: 10, retryMs: 10 },
    });
    return { boards, engine, whole, stop };
  };
  const ball = (version: number, pointsQp: number[]) =>
    log.append(
      "player-points",
      id,
      encodePointsUpdate({
        matchId: id,
        version,
        atMs: world.nowMs,
        eventId: `e${version}`,
        commentary: "",
        pointsQp: [...pointsQp, ...Array.from({ length: POOL_SIZE_MAX - pointsQp.length }, () => 0)],
        changed: [],
        reasons: [],
        scoreboard: [],
      }),
    );
  return { world, directory, log, open, ball };
}

test("the boards of another catalog are thrown away, those of another data directory are left alone", () => {
  const [ours, others] = ["data-a", "data-b"].map((data) => boardDirectory(root, data, "first"));
  for (const directory of [ours!, others!]) writeFileSync(join(directory, "a-board"), "");
  expect(boardDirectory(root, "data-a", "first")).toBe(ours!);
  expect(existsSync(join(ours!, "a-board"))).toBe(true);
  expect(boardDirectory(root, "data-a", "second")).toBe(ours!);
  expect(existsSync(join(ours!, "a-board"))).toBe(false);
  expect(existsSync(join(others!, "a-board"))).toBe(true);
});

test("a restarted node attaches its boards without reading the log of saves, and they follow the next ball", async () => {
  const { world, open, ball } = await openWorld("restart");
  const first = await open();
  await first.boards.open(id);
  await ball(1, [8, 16, 4]);
  await first.boards.settled();
  const before = first.boards.slice(id, 0)!.board.standing(contest)!;
  expect(before.pointsVersion).toBe(1);
  expect(first.boards.slice(id, 0)?.board.contests.get(contest)?.entryCount).toBe(300);
  await first.stop();
  const readsBefore = world.indexReads;
  expect(readsBefore).toBeGreaterThan(0);

  const second = await open();
  await second.boards.open(id);
  expect(world.indexReads).toBe(readsBefore);
  expect(
    Buffer.compare(second.boards.slice(id, 0)!.board.standing(contest)!.standing.bytes, before.standing.bytes),
  ).toBe(0);
  expect(second.boards.slice(id, 0)!.commitment()!.teamCount).toBe(300);
  await ball(2, [8, 16, 40]);
  await second.boards.settled();
  expect(second.boards.slice(id, 0)!.board.standing(contest)!.pointsVersion).toBe(2);
  await second.stop();
  expect(world.troubles).toEqual([]);
});

test("a pass that failed is done again, and until then nobody is paid by the board of the ball before", async () => {
  const { world, open, ball } = await openWorld("failed-pass");
  const { boards, engine, whole, stop } = await open();
  await boards.open(id);
  await boards.settled();
  const { rescore } = engine;
  engine.rescore = () => Promise.reject(new Error("no memory"));
  await ball(1, [8, 16, 4]);
  await until("the pass has failed", () => world.troubles.length > 0);
  await expect(whole.finalScores(id, contest)).rejects.toBeInstanceOf(SliceLoading);
  engine.rescore = rescore;
  await boards.settled();
  expect(boards.slice(id, 0)!.board.standing(contest)!.pointsVersion).toBe(1);
  expect((await whole.finalScores(id, contest)).entryCount).toBe(300);
  expect(new Set(world.troubles.map(String))).toEqual(new Set(["Error: no memory"]));
  await stop();
});

test("a commitment that a crash kept from being written is made after the restart", async () => {
  const { directory, open } = await openWorld("commitment");
  const first = await open();
  await first.boards.open(id);
  await first.stop();
  const file = join(directory, readdirSync(directory)[0]!, "commitment.fb");
  rmSync(file);
  const second = await open();
  await second.boards.open(id);
  await second.stop();
  expect(existsSync(file)).toBe(true);
});

test("followed before the deadline, the board is the same, and only the rest is read at the lock", async () => {
  const { world, open } = await openWorld("followed");
  const { boards, stop } = await open();
  world.nowMs = 4_000;
  await boards.follow({ id, startMs: 5_000 });
  world.nowMs = 10_000;
  const readBefore = world.indexReads;
  await boards.open(id);
  expect(world.indexReads).toBe(readBefore);
  expect(boards.slice(id, 0)?.board.contests.get(contest)?.entryCount).toBe(300);
  await stop();
  expect(world.troubles).toEqual([]);
});

test("a match with its prizes paid that nobody asks for gives its memory back, and a question brings it back", async () => {
  const { world, directory, open } = await openWorld("settled");
  const { boards, stop } = await open();
  await boards.open(id);
  const standing = boards.slice(id, 0)!.board.standing(contest)!.standing.bytes;
  world.nowMs += RELEASED_IDLE_MS;
  await boards.look();
  expect(boards.has(id)).toBe(true);
  world.state = "released";
  boards.slice(id, 0);
  await boards.look();
  expect(boards.has(id)).toBe(true);
  world.nowMs += RELEASED_IDLE_MS;
  await boards.look();
  expect(boards.has(id)).toBe(false);
  expect(readdirSync(directory)).toEqual([]);
  await boards.open(id);
  expect(Buffer.compare(boards.slice(id, 0)!.board.standing(contest)!.standing.bytes, standing)).toBe(0);
  await stop();
});

test("a board that the last process left and nobody asks for gives its memory back", async () => {
  const { world, directory, open } = await openWorld("left-over");
  const first = await open();
  await first.boards.open(id);
  await first.stop();
  const { boards, stop } = await open();
  world.state = "released";
  await boards.look();
  expect(readdirSync(directory)).toHaveLength(1);
  world.nowMs += RELEASED_IDLE_MS;
  await boards.look();
  expect(readdirSync(directory)).toEqual([]);
  await stop();
});

test("so does one whose slice has gone to another node, once the group has said so", async () => {
  const { directory, log, open } = await openWorld("gone");
  const group = openSimulatedGroup(log);
  const slices = await Slices.join({ log: group.member("a"), group: "g", onTrouble: () => undefined });
  const { boards, stop } = await open(slices);
  for (const slice of [0, 3]) mkdirSync(join(directory, `match-${id}.slice-${slice}-of-8`));
  await boards.look();
  expect(readdirSync(directory)).toHaveLength(2);
  group.give({ a: [0, 1] });
  await boards.look();
  expect(readdirSync(directory)).toEqual([`match-${id}.slice-0-of-8`]);
  await stop();
});

test("a node that gives its slices away and stops leaves no board", async () => {
  const { directory, log, open } = await openWorld("leaving");
  const group = openSimulatedGroup(log);
  const slices = await Slices.join({ log: group.member("a"), group: "g", onTrouble: () => undefined });
  const { boards, stop } = await open(slices);
  group.give({ a: [0, 1] });
  await boards.open(id);
  expect(readdirSync(directory)).toHaveLength(2);
  await slices.leave();
  await stop();
  expect(readdirSync(directory)).toEqual([]);
});

function exchangeOver(boards: MatchBoards, world: { nowMs: number; troubles: unknown[] }) {
  const hotStore = openSimulatedHotStore({ nowMs: () => world.nowMs });
  const exchange = new StandingExchange({
    hotStore,
    boards,
    nodeId: "a",
    fetch: () => Promise.reject(new Error("nobody follows")),
    isLocked: async () => false,
    onStanding: () => undefined,
    limits: { announceEveryMs: 1_000_000, wantedForMs: 1_000_000, lagMs: 1_000_000 },
    onTrouble: (error) => world.troubles.push(error),
  });
  return { exchange, hotStore };
}

test("what the nodes tell each other of a board is no question that keeps its memory", async () => {
  const { world, open } = await openWorld("told");
  const { boards, stop } = await open();
  const { exchange } = exchangeOver(boards, world);
  await boards.open(id);
  world.state = "released";
  world.nowMs += RELEASED_IDLE_MS;
  exchange.published(id);
  await boards.look();
  expect(boards.has(id)).toBe(false);
  await exchange.stop();
  await stop();
  expect(world.troubles).toEqual([]);
});

test("a message that is none, of another version say, is told and takes no node down", async () => {
  const { world, open } = await openWorld("malformed");
  const { boards, stop } = await open();
  const { exchange, hotStore } = exchangeOver(boards, world);
  await boards.open(id);
  exchange.published(id);
  exchange.watch(id, contest);
  for (const channel of [`watched:${id}`, `standing:${id}:${contest}`]) {
    await hotStore.publish(channel, Uint8Array.of(1, 2, 3));
  }
  expect(world.troubles).toHaveLength(2);
  await exchange.stop();
  await stop();
});

test("an abandoned match gives its memory back at once", async () => {
  const { world, directory, open } = await openWorld("abandoned");
  const { boards, stop } = await open();
  await boards.open(id);
  world.state = "abandoned";
  await boards.look();
  expect(boards.has(id)).toBe(false);
  expect(readdirSync(directory)).toEqual([]);
  await stop();
});
