import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ContestId, contestId, type EntryId, matchId } from "../../domain/ids.ts";
import { scoreRoster } from "../../domain/roster.ts";
import type { ContestColumns } from "../kernel/port.ts";
import { randomColumns, randomPoints, seededRandom, teamsOf } from "../kernel/random-board.ts";
import { rosterAt } from "../kernel/tiles.ts";
import { BoardWriter } from "./board-writer.ts";
import { countAboveInCompact } from "./compact-standing.ts";
import { BoardEngine } from "./engine.ts";
import { SampleSchedule } from "./history.ts";
import type { BoardIdentity } from "./shared-memory.ts";
import { Standing } from "./standing.ts";

const root = mkdtempSync(join(tmpdir(), "engine-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const identity: BoardIdentity = { matchId: matchId(3), slice: 0, sliceCount: 1 };
const poolSize = 26;
const mega = contestId(1);
const small = contestId(2);

function writeBoard(directory: string): Map<ContestId, ContestColumns> {
  const random = seededRandom(1);
  const contests = new Map([
    [mega, randomColumns(random, 20_000, poolSize)],
    [small, randomColumns(random, 40, poolSize)],
  ]);
  const writer = BoardWriter.create(directory, {
    ...identity,
    logPosition: "",
    contests: Array.from(contests, ([contestId, { entryCount }]) => ({ contestId, entryCount })),
    teams: teamsOf(contests.values()),
  });
  for (const [id, columns] of contests) writer.append(id, columns);
  writer.seal();
  return contests;
}

const countBetter = (columns: ContestColumns, points: Int16Array, scoreQp: number): number =>
  Array.from(columns.entryIds.keys()).filter((at) => scoreRoster(rosterAt(columns.tiles, at), points) > scoreQp).length;

async function startEngine(name: string) {
  const directory = join(root, name);
  const contests = writeBoard(directory);
  const engine = await BoardEngine.start({ directory, log: () => {} });
  expect(await engine.attach(identity)).toEqual({ ok: true });
  return { directory, contests, engine };
}

test("a re-score is visible in the standing once it is reported, and ranks are those of its points", async () => {
  const { contests, engine } = await startEngine("visible");
  expect(engine.standing(identity, mega)).toBeUndefined();
  const random = seededRandom(2);
  for (let pointsVersion = 1; pointsVersion <= 5; pointsVersion++) {
    const points = randomPoints(random, poolSize, 400);
    const report = await engine.rescore(identity, { pointsVersion, timeMs: pointsVersion, points });
    expect(report.pointsVersion).toBe(pointsVersion);
    for (const [id, columns] of contests) {
      const at = engine.standing(identity, id)!;
      const entry = columns.entryIds[columns.entryCount >> 1]! as EntryId;
      const scoreQp = scoreRoster(engine.roster(identity, id, entry)!, at.points);
      expect(at.points).toEqual(points);
      expect(at.standing.rank(scoreQp)).toBe(1 + countBetter(columns, points, scoreQp));
      const around = (await engine.neighbours(identity, id, entry, 2))!;
      expect(around.pointsVersion).toBe(pointsVersion);
      expect(around.entries.find((neighbour) => neighbour.entryId === entry)).toEqual({
        entryId: entry,
        scoreQp,
        rank: at.standing.rank(scoreQp),
        tiedCount: Array.from(columns.entryIds.keys()).filter(
          (position) => scoreRoster(rosterAt(columns.tiles, position), points) === scoreQp,
        ).length,
      });
      expect((await engine.page(identity, id, 0, 30))!.entries).toEqual(at.standing.top().slice(0, 30));
    }
  }
  engine.stop();
});

test("balls that arrive during a pass coalesce: every caller hears of a version at least as new, in fewer passes", async () => {
  const { engine } = await startEngine("coalesce");
  const random = seededRandom(3);
  const vectors = Array.from({ length: 50 }, () => randomPoints(random, poolSize, 400));
  const reports = await Promise.all(
    vectors.map((points, index) => engine.rescore(identity, { pointsVersion: index + 1, timeMs: 0, points })),
  );
  expect(reports[0]!.pointsVersion).toBe(1);
  expect(reports.slice(1).map((report) => report.pointsVersion)).toEqual(Array.from({ length: 49 }, () => 50));
  expect(engine.standing(identity, mega)!.points).toEqual(vectors[49]!);
  engine.stop();
});

test("points that are not newer change nothing: replays and duplicates are harmless", async () => {
  const { directory, engine } = await startEngine("replay");
  const random = seededRandom(4);
  const points = randomPoints(random, poolSize, 400);
  await engine.rescore(identity, { pointsVersion: 5, timeMs: 0, points });
  const older = { pointsVersion: 4, timeMs: 0, points: randomPoints(random, poolSize, 400) };
  expect((await engine.rescore(identity, older)).pointsVersion).toBe(5);
  expect(engine.standing(identity, mega)!.points).toEqual(points);
  engine.stop();
  // Not after a restart either.
  const next = await BoardEngine.start({ directory, log: () => {} });
  await next.attach(identity);
  expect((await next.rescore(identity, older)).pointsVersion).toBe(5);
  expect(next.standing(identity, mega)!.points).toEqual(points);
  next.stop();
});

test("points beyond the bound of a board are refused by name, and the board stays as it was", async () => {
  const { engine } = await startEngine("bound");
  const points = new Int16Array(64).fill(3000);
  expect(() => engine.rescore(identity, { pointsVersion: 1, timeMs: 0, points })).toThrow("32767 quarter-points");
  expect(engine.standing(identity, mega)).toBeUndefined();
  engine.stop();
});

test("how many score more, the compact and the whole standing are exact under the points of any ball", async () => {
  const { contests, engine } = await startEngine("earlier");
  const random = seededRandom(5);
  const balls = Array.from({ length: 4 }, () => randomPoints(random, poolSize, 400));
  for (const [id, columns] of contests) {
    const roster = rosterAt(columns.tiles, 17);
    const asked = balls.map((points) => ({ points, scoreQp: scoreRoster(roster, points) }));
    const expected = asked.map(({ points, scoreQp }) => countBetter(columns, points, scoreQp));
    expect(await engine.countsAbove(identity, id, asked)).toEqual(expected);
    const compact = await engine.compactUnder(identity, id, balls);
    expect(compact.map((bytes, index) => countAboveInCompact(bytes, asked[index]!.scoreQp))).toEqual(expected);
    for (const [index, { points, scoreQp }] of asked.entries()) {
      const standing = Standing.decode(await engine.standingUnder(identity, id, points));
      expect(standing.countAbove(scoreQp)).toBe(expected[index]!);
    }
  }
  engine.stop();
});

test("samples are the first ball and those that come long enough after the sample before, however often they are told", () => {
  const schedule = new SampleSchedule(30_000);
  const balls = Array.from({ length: 12 }, (_, index) => index + 1);
  const sampled = (): number[] => balls.filter((ball) => schedule.offer(ball, ball * 10_000));
  expect(sampled()).toEqual([1, 4, 7, 10]);
  expect(sampled()).toEqual([]);
});

test("a settled match gives its memory back, and a stopped engine refuses instead of hanging", async () => {
  const { directory, engine } = await startEngine("remove");
  await engine.remove(identity);
  expect(readdirSync(directory)).toEqual([]);
  expect(await engine.attach(identity)).toMatchObject({ ok: false });
  const hanging = engine.attach(identity);
  engine.stop();
  await expect(hanging).rejects.toThrow("stopped");
  await expect(engine.attach(identity)).rejects.toThrow("stopped");
});
