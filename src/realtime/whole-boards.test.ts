import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { verifyInclusion } from "../client/inclusion-proof.ts";
import { decodeBody, encodeBody } from "../cluster/codec.ts";
import { Slices } from "../cluster/slices.ts";
import { contestId, type EntryId, entryId, matchId, teamNo, userId, userOfEntry } from "../domain/ids.ts";
import type { Match } from "../domain/match.ts";
import { POOL_SIZE_MAX, type PointsVector } from "../domain/points.ts";
import { type Roster, scoreRoster } from "../domain/roster.ts";
import { encodePointsUpdate } from "../stream/points-update.ts";
import { encodeContestJoin, encodeTeamSave } from "../stream/records.ts";
import { SaveFence } from "../stream/save-fence.ts";
import { openSimulatedEventLog } from "../testing/simulated-event-log.ts";
import { openSimulatedGroup } from "../testing/simulated-group.ts";
import { openSimulatedHotStore } from "../testing/simulated-hot-store.ts";
import { openSimulatedTeamStore } from "../testing/simulated-team-store.ts";
import { BoardEngine } from "./board/engine.ts";
import { randomPoints, randomRoster, seededRandom } from "./kernel/random-board.ts";
import { MatchBoards } from "./match-boards.ts";
import { sliceAsker } from "./slices/ask-slice.ts";
import { LocalSlices } from "./slices/local-slices.ts";
import { peerSlices, sliceHandlers } from "./slices/peer-slices.ts";
import { SliceLoading } from "./slices/slice-questions.ts";
import { StandingExchange } from "./slices/standing-exchange.ts";
import { wholeStandings } from "./slices/whole-contest.ts";
import { WholeBoards } from "./whole-boards.ts";

const root = mkdtempSync(join(tmpdir(), "whole-boards-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const id = matchId(6);
const mega = contestId(1);
const small = contestId(2);
const empty = contestId(3);
const USERS = 6_000;
const POOL = 26;
/** All of them in one tie that no question fetches whole. */
const NO_POINTS = new Int16Array(POOL_SIZE_MAX);

interface World {
  readonly group: ReturnType<typeof openSimulatedGroup>;
  readonly open: (name: string) => Promise<Node>;
  readonly ball: (version: number, points: PointsVector) => Promise<void>;
  readonly rosters: ReadonlyMap<EntryId, Roster>;
  readonly nodes: Map<string, Node>;
  readonly hotStore: ReturnType<typeof openSimulatedHotStore>;
}

interface Node {
  readonly boards: MatchBoards;
  readonly whole: WholeBoards;
  readonly slices: Slices;
  readonly handlers: ReturnType<typeof sliceHandlers>;
  /** Resolves when the watched standing of the contest is of this version. */
  shows(contest: typeof mega, version: number): Promise<void>;
  stop(): Promise<void>;
}

async function openWorld(name: string): Promise<World> {
  const log = openSimulatedEventLog();
  const group = openSimulatedGroup(log);
  const random = seededRandom(1);
  const rosters = new Map<EntryId, Roster>();
  for (let user = 1; user <= USERS; user++) {
    const entry = entryId(userId(user), teamNo(1 + (user % 3)));
    const roster = randomRoster(random, POOL);
    rosters.set(entry, roster);
    await log.append("team-saves", user, encodeTeamSave({ entryId: entry, matchId: id, serverTsMs: 1, roster }));
    for (const contest of user <= 7 ? [mega, small] : [mega]) {
      const join = { contestId: contest, matchId: id, entryId: entry, serverTsMs: 1 };
      await log.append("contest-joins", user, encodeContestJoin(join));
    }
  }
  const match = { id, startMs: 5_000, state: "locked" } as Match;
  const teamStore = openSimulatedTeamStore();
  const clock = { nowMs: () => 10_000 };
  const hotStore = openSimulatedHotStore(clock);
  let lockPositions: readonly number[] | null = null;
  const nodes = new Map<string, Node>();
  const onTrouble = (error: unknown) => {
    throw error;
  };

  const open = async (nodeId: string): Promise<Node> => {
    const directory = join(root, name, nodeId);
    const engine = await BoardEngine.start({ directory, log: () => {} });
    const slices = await Slices.join({ log: group.member(nodeId), group: "slices", onTrouble });
    const fence = new SaveFence({
      catalog: {
        match: async () => match,
        lockPositions: async () => lockPositions,
        openSpools: async () => [],
        putLockPositions: async (_, positions) => (lockPositions ??= positions),
      },
      log,
      clock,
      clockSkewMsMax: 0,
      matchesMax: 10,
    });
    const boards = new MatchBoards({
      log,
      catalog: { match: async () => match },
      teamStore,
      slices,
      engine,
      directory,
      fence,
      clock,
      sampleEveryMs: 1,
      lookEveryMs: 1_000_000,
      releasedIdleMs: 1_000_000,
      inLogMs: 1_000_000,
      consumer: { bytesMax: 1 << 20, waitMs: 10, retryMs: 10, onTrouble },
    });
    const local = new LocalSlices({ boards, engine, missing: () => undefined });
    const handlers = sliceHandlers(local);
    const ask = sliceAsker(slices, local, (slice) => {
      const owner = [...nodes.values()].find((node) => node.slices.owned.has(slice));
      if (owner === undefined) return null;
      return peerSlices(async (question, argument) =>
        decodeBody(encodeBody(await owner.handlers[question]!(decodeBody(encodeBody(argument))))),
      );
    });
    const waiting = new Set<() => void>();
    const exchange = new StandingExchange({
      hotStore,
      boards,
      nodeId,
      fetch: (matchOf, contests, at) => wholeStandings(ask, slices.count, matchOf, contests, at),
      isLocked: async () => true,
      onStanding: () => {
        for (const look of waiting) look();
      },
      limits: { announceEveryMs: 20, wantedForMs: 10_000, lagMs: 10 },
      onTrouble,
    });
    boards.onPublished((published) => exchange.published(published));
    const whole = new WholeBoards({
      slices,
      boards,
      engine,
      ask,
      exchange,
      teamStore,
      missing: () => undefined,
      sampleEveryMs: 1,
      limits: { rostersMax: 100_000, standingsMax: 100, patienceMs: 10_000, retryMs: 5 },
    });
    const node: Node = {
      boards,
      whole,
      slices,
      handlers,
      shows: (contest, version) =>
        new Promise((resolve) => {
          const look = () => {
            if ((whole.standing(id, contest)?.pointsVersion ?? -1) < version) return;
            waiting.delete(look);
            resolve();
          };
          waiting.add(look);
          look();
        }),
      async stop() {
        nodes.delete(nodeId);
        await exchange.stop();
        await boards.stop();
        engine.stop();
      },
    };
    nodes.set(nodeId, node);
    return node;
  };

  const ball = async (version: number, points: PointsVector) => {
    const update = {
      matchId: id,
      version,
      atMs: 1_000 * version,
      eventId: `e${version}`,
      commentary: "",
      pointsQp: Array.from(points),
      changed: [],
      reasons: [],
      scoreboard: [],
    };
    await teamStore.appendPoints({ matchId: id, version, atMs: update.atMs, payload: encodePointsUpdate(update) });
    await log.append("player-points", id, encodePointsUpdate(update));
    await Promise.all([...nodes.values()].map(({ boards }) => boards.settled()));
  };
  return { group, open, ball, rosters, nodes, hotStore };
}

/** The total order, by sorting everything. */
function sorted(rosters: ReadonlyMap<EntryId, Roster>, points: PointsVector) {
  const scored = Array.from(rosters, ([entry, roster]) => ({ entryId: entry, scoreQp: scoreRoster(roster, points) }));
  scored.sort((a, b) => b.scoreQp - a.scoreQp || a.entryId - b.entryId);
  return scored.map((entry) => {
    const rank = 1 + scored.findIndex(({ scoreQp }) => scoreQp === entry.scoreQp);
    return { ...entry, rank };
  });
}

const shown = (entries: readonly { entryId: EntryId; scoreQp: number; rank: number }[]) =>
  entries.map(({ entryId: entry, scoreQp, rank }) => ({ entryId: entry, scoreQp, rank }));

test("whoever asks which node, pages, neighbours, ranks and proofs are those of a plain sort over all slices", async () => {
  const { group, open, ball, rosters } = await openWorld("exact");
  const nodes = [await open("a"), await open("b"), await open("c")];
  group.give({ a: [0, 3, 5], b: [1, 2, 4, 6, 7] });
  await Promise.all(nodes.map(({ boards }) => boards.open(id)));
  const random = seededRandom(2);
  const balls = [NO_POINTS, randomPoints(random, POOL, 20), randomPoints(random, POOL, 400)];
  for (const [version, points] of balls.entries()) {
    if (version > 0) await ball(version, points);
    const expected = sorted(rosters, points);
    for (const { whole } of nodes) {
      const standing = (await whole.standingNow(id, mega))!;
      expect(standing.pointsVersion).toBe(version);
      expect(shown(standing.standing.top())).toEqual(expected.slice(0, 100));
      for (const place of [0, 90, 1_234, 4_500, USERS - 5]) {
        const page = (await whole.page(id, mega, place, 10))!;
        expect(page.entryCount).toBe(USERS);
        expect(shown(page.entries)).toEqual(expected.slice(place, place + 10));
      }
      for (const place of [0, 3, 700, 5_000, USERS - 1]) {
        const around = (await whole.neighbours(id, mega, expected[place]!.entryId, 5))!;
        expect(shown(around.entries)).toEqual(expected.slice(Math.max(0, place - 5), place + 6));
      }
      expect(await whole.standingNow(id, empty)).toBeNull();
      expect(await whole.page(id, empty, 0, 10)).toBeNull();
      expect((await whole.page(id, small, 0, 100))!.entries).toHaveLength(7);
      expect(await whole.entryCounts(id)).toEqual(
        new Map([
          [mega, USERS],
          [small, 7],
        ]),
      );
      const final = await whole.finalScores(id, mega);
      const ids: number[] = [];
      for await (const { entries, scoresQp } of final.chunks()) {
        for (const [index, entry] of entries.entries()) {
          ids.push(entry);
          expect(scoresQp[index]).toBe(scoreRoster(rosters.get(entry as EntryId)!, points));
        }
      }
      expect(ids).toEqual([...rosters.keys()].toSorted((a, b) => a - b));
    }
  }

  const entry = [...rosters.keys()][77]!;
  const roster = rosters.get(entry)!;
  for (const { whole } of nodes) {
    const history = await whole.rankHistory(id, mega, roster);
    expect(history.map(({ pointsVersion }) => pointsVersion)).toEqual([1, 2]);
    for (const { pointsVersion, rank, scoreQp } of history) {
      const then = sorted(rosters, balls[pointsVersion]!).find((other) => other.entryId === entry)!;
      expect({ rank, scoreQp }).toEqual({ rank: then.rank, scoreQp: then.scoreQp });
    }
    expect(await whole.lockedRoster(id, entry)).toEqual(roster);
    expect(await whole.rosterNow(id, small, entry)).toBeNull();
  }
  for (const { boards } of nodes) await boards.look();
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
  const commitment = (await nodes[2]!.whole.commitment(id))!;
  const proof = (await nodes[2]!.whole.proof(id, entry))!;
  const told = {
    entryId: entry,
    rosterHex: hex(proof.roster),
    leafIndex: proof.leafIndex,
    leafCount: proof.teamCount,
    siblingsHex: proof.siblings.map(hex),
    slice: proof.slice,
    slices: commitment.slices.map((slice) => ({ rootHex: hex(slice.root), teamCount: slice.teamCount })),
  };
  expect(commitment.teamCount).toBe(USERS);
  expect(await verifyInclusion(told, hex(commitment.root))).toBe(true);
  const moved = { ...told, slice: (told.slice + 1) % 8 };
  expect(await verifyInclusion(moved, hex(commitment.root))).toBe(false);
  const forged = {
    ...told,
    slices: told.slices.with((told.slice + 1) % 8, { rootHex: hex(proof.root), teamCount: 1 }),
  };
  expect(await verifyInclusion(forged, hex(commitment.root))).toBe(false);
  for (const node of nodes) await node.stop();
});

test("a watched standing follows each ball on a node without slices, when slices move and when messages are lost", async () => {
  const { group, open, ball, rosters, nodes, hotStore } = await openWorld("moving");
  const random = seededRandom(3);
  const [a, gateway] = [await open("a"), await open("gateway")];
  group.give({ a: [0, 1, 2, 3, 4, 5, 6, 7] });
  await Promise.all([a.boards.open(id), gateway.boards.open(id)]);
  const watch = gateway.whole.watch(id, mega);
  await watch.ready;
  expect(gateway.whole.standing(id, mega)?.pointsVersion).toBe(0);
  let version = 0;
  const expectExact = async () => {
    const points = randomPoints(random, POOL, 400);
    await ball(++version, points);
    await gateway.shows(mega, version);
    const at = gateway.whole.standing(id, mega)!;
    expect(shown(at.standing.top())).toEqual(sorted(rosters, points).slice(0, 100));
    const user = userOfEntry([...rosters.keys()][version]!);
    await gateway.whole.prepare(id, mega, [user]);
    const entry = entryId(user, teamNo(1 + (user % 3)));
    const roster = gateway.whole.roster(id, mega, entry)!;
    expect(roster).toEqual(rosters.get(entry)!);
  };
  await expectExact();
  await expectExact();

  // A node joins and takes half of the slices; the other gives their memory back.
  const b = await open("b");
  group.give({ a: [0, 1, 2, 3], b: [4, 5, 6, 7] });
  await b.boards.open(id);
  await expectExact();

  // One dies. Until its slices are somebody's again, nobody is told a rank without them.
  await b.stop();
  await ball(++version, randomPoints(random, POOL, 400));
  await expect(gateway.whole.standingNow(id, mega)).rejects.toBeInstanceOf(SliceLoading);
  group.give({ a: [0, 1, 2, 3, 4, 5, 6, 7] });
  await a.boards.open(id);
  await expectExact();

  // What was put together before a move is asked where its slices are now.
  const page = await gateway.whole.page(id, mega, 1_000, 5);
  const c = await open("c");
  group.give({ a: [], c: [0, 1, 2, 3, 4, 5, 6, 7] });
  await c.boards.open(id);
  expect(await gateway.whole.page(id, mega, 1_000, 5)).toEqual(page);
  group.give({ a: [0, 1, 2, 3, 4, 5, 6, 7], c: [] });
  await a.boards.open(id);
  await expectExact();

  // Messages are lost: what is behind is asked for.
  const { publish } = hotStore;
  hotStore.publish = async () => undefined;
  await expectExact();
  hotStore.publish = publish;
  await expectExact();
  watch.stop();
  expect(gateway.whole.standing(id, mega)).toBeUndefined();
  for (const node of nodes.values()) await node.stop();
});
