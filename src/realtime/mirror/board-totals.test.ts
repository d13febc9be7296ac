import { afterEach, expect, test } from "bun:test";
import type { Contest } from "../../domain/contest.ts";
import { contestId, type EntryId, entryId, type MatchId, matchId, teamNo, userId } from "../../domain/ids.ts";
import type { Match, MatchState } from "../../domain/match.ts";
import { paise } from "../../domain/money.ts";
import { POOL_SIZE_MAX, type PointsVector } from "../../domain/points.ts";
import { PrizeSchedule } from "../../domain/prizes.ts";
import { scoreRoster } from "../../domain/roster.ts";
import { Metrics } from "../../metrics.ts";
import { StoreUnavailable } from "../../stores/unavailable.ts";
import type { TeamStore } from "../../stores/team-store/port.ts";
import { openSimulatedHotStore } from "../../testing/simulated-hot-store.ts";
import { openSimulatedTeamStore } from "../../testing/simulated-team-store.ts";
import { scoresOfColumns } from "../../transaction/final-scores.ts";
import { payoutsOf } from "../../transaction/payouts.ts";
import { standingOf } from "../board/board.ts";
import { randomColumns, randomPoints, seededRandom } from "../kernel/random-board.ts";
import { rosterAt } from "../kernel/tiles.ts";
import { typescriptKernel } from "../kernel/typescript.ts";
import { SliceLoading } from "../slices/slice-questions.ts";
import { BoardTotals } from "./board-totals.ts";
import { MirroredPages } from "./mirrored-pages.ts";

const id = matchId(6);
const mega = contestId(1);
const small = contestId(2);
const empty = contestId(3);
const POOL = 26;

const limits = {
  everyMs: 0,
  lookEveryMs: 1,
  writesUnderWay: 3,
  rowsMax: 100,
  wholeEntriesMax: 500,
  topCount: 200,
  resumeForMs: 1_000_000,
};

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** A match with contests of 2,000 and of 30 entries and one that nobody entered. */
function openWorld(teamStore: TeamStore = openSimulatedTeamStore(), over: Partial<typeof limits> = {}) {
  const random = seededRandom(4);
  const columns = new Map([
    [mega, randomColumns(random, 2_000, POOL)],
    [small, randomColumns(random, 30, POOL)],
  ]);
  const world = {
    state: "live" as MatchState,
    isAway: false,
    isOpen: true,
    /** A match of which a slice is nobody's. */
    loading: null as MatchId | null,
    points: new Int16Array(POOL_SIZE_MAX) as PointsVector,
    version: 0,
    puts: 0,
    troubles: [] as unknown[],
  };
  const contests = new Map<number, Contest>();
  for (const [contest, guaranteed] of [
    [mega, true],
    [small, false],
    [empty, true],
  ] as const) {
    const seatsTaken = columns.get(contest)?.entryCount ?? 0;
    // Not filled: the small one is refunded.
    const prizes = [{ fromRank: 1, toRank: 3, amountPaise: paise(1_001) }];
    const terms = { matchId: id, prizes, prizePoolPaise: paise(3_003), guaranteed, entriesMax: 5_000 };
    contests.set(contest, { ...terms, id: contest, state: "open", seatsTaken } as unknown as Contest);
  }
  const guarded: TeamStore = {
    ...teamStore,
    async putTotals(contest, rows) {
      if (world.isAway) throw new StoreUnavailable("TeamStore", "the test says so");
      world.puts++;
      await teamStore.putTotals(contest, rows);
    },
  };
  const match = () => ({ id, startMs: 5_000, state: world.state }) as Match;
  const metrics = new Metrics();
  const clock = { nowMs: () => 10_000 };
  const totals = new BoardTotals({
    teamStore: guarded,
    catalog: {
      contest: async (contest) => contests.get(contest)!,
      contests: async () => [...contests.values()],
      match: async () => match(),
      matches: async ({ states }) => (states!.includes(world.state) ? [match()] : []),
    },
    boards: {
      has: () => world.isOpen,
      points: () => ({ points: world.points, pointsVersion: world.version, timeMs: 0 }),
      settled: async () => undefined,
    },
    scoresNow: async (ofMatch, contest) => {
      if (ofMatch === world.loading) throw new SliceLoading({ matchId: ofMatch, slice: 0 }, "is nobody's");
      const ofContest = columns.get(contest);
      if (ofContest === undefined) return null;
      const { points, version } = world;
      const standing = standingOf(typescriptKernel, ofContest, points);
      return { pointsVersion: version, standing, scores: scoresOfColumns(ofContest, standing, points) };
    },
    isOwn: () => true,
    clock,
    limits: { ...limits, ...over },
    metrics,
    onTrouble: (error) => world.troubles.push(error),
  });
  closing.push(async () => {
    await totals.stop();
    expect(world.troubles).toEqual([]);
  });
  const play = (points: PointsVector) => {
    world.points = points;
    world.version++;
    totals.published(id);
  };
  const upToDate = async () => {
    while (!(await totals.isComplete(id))) await Bun.sleep(1);
  };
  /** What the rules say, said plainly. */
  async function expected(contest: typeof mega) {
    const ofContest = columns.get(contest)!;
    const all = Array.from(ofContest.entryIds, (entry, position) => {
      return { entryId: entry as EntryId, scoreQp: scoreRoster(rosterAt(ofContest.tiles, position), world.points) };
    });
    const standing = standingOf(typescriptKernel, ofContest, world.points);
    const paid = new Map<EntryId, number>();
    const { prizePoolPaise, prizes } = contests.get(contest)!;
    const scores = scoresOfColumns(ofContest, standing, world.points);
    if (contest === mega) {
      for await (const some of payoutsOf(new PrizeSchedule(prizes, prizePoolPaise), scores, 0))
        for (const { entryId: entry, prizePaise } of some) paid.set(entry, prizePaise);
      expect([...paid.values()].reduce((sum, amount) => sum + amount, 0)).toBe(3_003);
    }
    return all.map((entry) => ({
      ...entry,
      rank: 1 + all.filter(({ scoreQp }) => scoreQp > entry.scoreQp).length,
      prizePaise: paid.get(entry.entryId) ?? 0,
    }));
  }
  async function expectExact() {
    for (const contest of [mega, small]) {
      const rows = await expected(contest);
      const asked = rows.map((row) => row.entryId);
      expect(await teamStore.totals(contest, asked)).toEqual(rows);
      expect((await teamStore.totalsMark(contest))?.pointsVersion).toBe(world.version);
    }
  }
  return { world, totals, teamStore, metrics, play, upToDate, expected, expectExact, contests };
}

test("score, rank and prize of every entry are those of the newest points", async () => {
  const { play, upToDate, expectExact } = openWorld();
  const random = seededRandom(1);
  // The first in one tie, so that odd paise go by entry id.
  play(new Int16Array(POOL_SIZE_MAX));
  await upToDate();
  await expectExact();
  play(randomPoints(random, POOL, 40));
  await upToDate();
  await expectExact();
});

test("while a match is played a contest is written now and then, at its end at once", async () => {
  const { play, upToDate, expectExact, totals, world } = openWorld(undefined, { everyMs: 1_000_000 });
  const random = seededRandom(2);
  play(randomPoints(random, POOL, 40));
  await upToDate();
  const { puts } = world;
  play(randomPoints(random, POOL, 40));
  expect(await totals.isComplete(id)).toBe(false);
  expect(totals.behindCount).toBe(2);
  expect(world.puts).toBe(puts);
  world.state = "review";
  await upToDate();
  await expectExact();
});

test("a store that is away makes the lag grow, and then has the newest alone", async () => {
  const { play, upToDate, expectExact, metrics, totals, world } = openWorld();
  const random = seededRandom(3);
  play(randomPoints(random, POOL, 40));
  await upToDate();
  expect(totals.lagMs).toBe(0);
  world.isAway = true;
  for (let ball = 0; ball < 10; ball++) play(randomPoints(random, POOL, 40));
  while (totals.behindCount < 2) await Bun.sleep(1);
  const { lagMs } = totals;
  while (totals.lagMs <= lagMs) await Bun.sleep(1);
  expect(await metrics.scrape()).toContain("powerplay_totals_behind_contests 2");
  const { puts } = world;
  world.isAway = false;
  await upToDate();
  await expectExact();
  // 20 pieces of the mega contest and one of the small one.
  expect(world.puts - puts).toBe(21);
});

test("a node that died after the release finds what it had not written, and what is written is left alone", async () => {
  const first = openWorld();
  first.play(randomPoints(seededRandom(5), POOL, 40));
  await first.upToDate();
  await first.totals.stop();
  // It died between two calls: the mark says so.
  const mark = (await first.teamStore.totalsMark(mega))!;
  await first.teamStore.markTotals(mega, { ...mark, isWhole: false });

  const second = openWorld(first.teamStore);
  second.world.state = "released";
  second.world.isOpen = false;
  second.world.points = first.world.points;
  second.world.version = first.world.version;
  const opened: number[] = [];
  await second.totals.resume(async (match) => {
    opened.push(match);
    second.world.isOpen = true;
    second.totals.published(match);
  });
  expect(opened).toEqual([id]);
  await second.upToDate();
  await second.expectExact();
  expect(second.world.puts).toBe(20);
  await second.totals.resume(async (match) => void opened.push(match));
  expect(opened).toEqual([id]);
});

test("a contest that is cancelled in the end pays nobody in its totals either", async () => {
  const { contests, play, teamStore, totals, upToDate, world } = openWorld();
  play(randomPoints(seededRandom(6), POOL, 40));
  await upToDate();
  contests.set(mega, { ...contests.get(mega)!, state: "cancelled" });
  expect(await totals.isComplete(id)).toBe(false);
  await upToDate();
  expect((await teamStore.totalsMark(mega))?.hasPrizes).toBe(false);
  const asked = Array.from({ length: 6_000 * 20 }, (_, index) =>
    entryId(userId(1 + Math.floor(index / 20)), teamNo(1 + (index % 20))),
  );
  const rows = await teamStore.totals(mega, asked);
  expect(rows).toHaveLength(2_000);
  expect(rows.filter(({ prizePaise }) => prizePaise > 0)).toEqual([]);
  expect(world.version).toBe(1);
});

test("a board that nobody has any more comes out of its totals, and is in the hot store again", async () => {
  const { expected, play, teamStore, upToDate, world } = openWorld();
  play(randomPoints(seededRandom(7), POOL, 40));
  await upToDate();
  const hotStore = openSimulatedHotStore({ nowMs: () => 10_000 });
  const pages = new MirroredPages({ hotStore, teamStore, ttlMs: 600_000, staleMsMax: 0, nowMs: () => 10_000 });
  pages.seen(id, world.version);
  for (const [contest, place] of [
    [mega, 0],
    [mega, 195],
    [small, 20],
  ] as const) {
    const all = (await expected(contest)).toSorted((a, b) => b.scoreQp - a.scoreQp || a.entryId - b.entryId);
    for (const count of [5, 1]) {
      const page = (await pages.page(id, contest, place, count))!;
      expect(page.entryCount).toBe(all.length);
      expect(page.entries.map(({ entryId: entry, rank }) => [entry, rank])).toEqual(
        all.slice(place, place + count).map(({ entryId: entry, rank }) => [entry, rank]),
      );
    }
    expect((await hotStore.boardHeads(contest))[0]?.pointsVersion).toBe(world.version);
  }
  expect(await pages.page(id, mega, 200, 5)).toBeNull();
  expect(await pages.page(id, empty, 0, 5)).toBeNull();
  // Of older points than are known, it is not shown.
  pages.seen(id, world.version + 1);
  expect(await pages.page(id, small, 0, 5)).toBeNull();
});

test("a match of which a slice is away keeps no other match waiting", async () => {
  const { expectExact, play, totals, upToDate, world } = openWorld(openSimulatedTeamStore(), { writesUnderWay: 1 });
  world.loading = matchId(7);
  totals.published(world.loading);
  await new Promise<void>((resolve) => void setImmediate(resolve));
  play(randomPoints(seededRandom(9), POOL, 40));
  await upToDate();
  await expectExact();
});
