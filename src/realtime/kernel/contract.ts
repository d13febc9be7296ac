import { expect, test } from "bun:test";
import { scoreRoster } from "../../domain/roster.ts";
import type { ContestColumns, Kernel, PassContest, SelectQuery } from "./port.ts";
import { below, type Random, randomColumns, randomPoints, seededRandom } from "./random-board.ts";
import { slotBytes, usedSlotBytes } from "./slot.ts";
import { putRoster, rosterAt, tileBytes } from "./tiles.ts";
import { typescriptKernel } from "./typescript.ts";

/** Entries per contest that meet every edge: tile, block and chunk limits, one less and one more. */
const LENGTHS = [1, 2, 3, 31, 32, 63, 64, 65, 99, 100, 101, 127, 500, 2047, 2048, 2049, 4500, 10_000];

/** Points as matches have them, all equal (one great tie), of one player alone, nearly all equal, and at the bounds. */
const POINTS: readonly ((random: Random, poolSize: number) => Int16Array)[] = [
  (random, poolSize) => randomPoints(random, poolSize, 600),
  (random, poolSize) => randomPoints(random, poolSize, 4),
  () => new Int16Array(64),
  () => new Int16Array(64).fill(2, 10, 11),
  (random, poolSize) => randomPoints(random, poolSize, 4400),
  (random) => new Int16Array(64).map(() => -2 * below(random, 1000)),
  // Beyond the bound: sums wrap, and must wrap alike.
  (random, poolSize) => randomPoints(random, poolSize, 65_000),
];

/** The law of every kernel, checked against the domain's own scoring and against the TypeScript reference. */
export function kernelContract(kernel: Kernel): void {
  test("scores are those of the scoring law, for every length", () => {
    const random = seededRandom(11);
    for (const entryCount of LENGTHS) {
      const poolSize = 11 + below(random, 54);
      const columns = randomColumns(random, entryCount, poolSize);
      const points = randomPoints(random, poolSize, 1200);
      const scores = new Int16Array(entryCount + 1).fill(12_345);
      kernel.score(points, columns.tiles, entryCount, scores);
      const law = Array.from({ length: entryCount }, (_, i) => scoreRoster(rosterAt(columns.tiles, i), points));
      expect([...scores.subarray(0, entryCount)]).toEqual(law);
      expect(scores[entryCount]).toBe(12_345);
    }
  });

  test("any bytes score alike in every kernel, whatever the rosters and the points", () => {
    const random = seededRandom(12);
    for (let round = 0; round < 60; round++) {
      const entryCount = 1 + below(random, 3000);
      const tiles = new Uint8Array(tileBytes(entryCount)).map(() => below(random, round % 2 === 0 ? 64 : 256));
      const points = POINTS[round % POINTS.length]!(random, 1 + below(random, 64));
      const scores = new Int16Array(entryCount);
      const reference = new Int16Array(entryCount);
      kernel.score(points, tiles, entryCount, scores);
      typescriptKernel.score(points, tiles, entryCount, reference);
      expect(scores).toEqual(reference);
    }
  });

  test("a pass writes the same bytes as the reference: windows, top lists, extremes", () => {
    const random = seededRandom(13);
    for (const makePoints of POINTS) {
      const poolSize = 22 + below(random, 43);
      const contests = layOut(LENGTHS.map((entryCount) => randomColumns(random, entryCount, poolSize)));
      const arenaBytes = arenaBytesOf(contests);
      const arena = new Uint8Array(arenaBytes);
      const reference = new Uint8Array(arenaBytes);
      const pass = kernel.preparePass(contests);
      const referencePass = typescriptKernel.preparePass(contests);
      // Twice: what one pass leaves behind must not show in the next.
      for (const points of [makePoints(random, poolSize), makePoints(random, poolSize)]) {
        pass.run(points, arena);
        referencePass.run(points, reference);
        expectSameStandings(arena, reference, contests);
      }
    }
  });

  test("a contest split over threads has the same standing", () => {
    const random = seededRandom(14);
    const poolSize = 44;
    const part = randomColumns(random, 64 * 400, poolSize);
    const contests = layOut([
      repeat(part, 22, 17),
      randomColumns(random, 700, poolSize),
      repeat(part, 11, 0),
      fewBetter(600_000),
    ]);
    const arena = new Uint8Array(arenaBytesOf(contests));
    const reference = new Uint8Array(arena.length);
    const pass = kernel.preparePass(contests);
    const referencePass = typescriptKernel.preparePass(contests);
    for (const makePoints of POINTS) {
      const points = makePoints(random, poolSize);
      pass.run(points, arena);
      referencePass.run(points, reference);
      expectSameStandings(arena, reference, contests);
    }
  });

  test("a select finds the same entries as the reference, forward and backward, with skips and limits", () => {
    const random = seededRandom(15);
    for (let round = 0; round < 120; round++) {
      const poolSize = 22 + below(random, 43);
      const columns = randomColumns(random, LENGTHS[round % LENGTHS.length]!, poolSize);
      const points = POINTS[round % POINTS.length]!(random, poolSize);
      const scores = new Int16Array(columns.entryCount);
      typescriptKernel.score(points, columns.tiles, columns.entryCount, scores);
      const someScore = () => scores[below(random, columns.entryCount)]!;
      const [minQp, maxQp] = [someScore(), someScore()].sort((a, b) => a - b) as [number, number];
      const query: SelectQuery = {
        minQp,
        maxQp,
        from: below(random, columns.entryCount),
        backward: random() < 0.5,
        skip: random() < 0.5 ? 0 : below(random, 50),
        limit: random() < 0.5 ? columns.entryCount : 1 + below(random, 20),
      };
      expect(kernel.select(points, columns, query)).toEqual(typescriptKernel.select(points, columns, query));
    }
  });
}

function layOut(columns: readonly ContestColumns[]): PassContest[] {
  let slotOffset = 0;
  return columns.map((contest) => {
    const placed = { ...contest, slotOffset };
    slotOffset += slotBytes(contest.entryCount);
    return placed;
  });
}

const arenaBytesOf = (contests: readonly PassContest[]): number =>
  contests.reduce((bytes, contest) => bytes + slotBytes(contest.entryCount), 0);

/** Many equal rosters in one large contest, `rest` entries beyond whole repeats. */
function repeat(part: ContestColumns, times: number, rest: number): ContestColumns {
  const entryCount = part.entryCount * times + rest;
  const tiles = new Uint8Array(tileBytes(entryCount));
  for (let at = 0; at < tiles.length; at += part.tiles.length) {
    tiles.set(part.tiles.subarray(0, tiles.length - at), at);
  }
  return { entryCount, tiles, entryIds: Float64Array.from({ length: entryCount }, (_, i) => i + 1) };
}

/**
 * One roster throughout, with player 10 among the nine; but at the start enough to fill a top list have him as vice-captain,
 * and later a few as captain. With points for him alone, a later chunk need collect nothing but these few.
 */
function fewBetter(entryCount: number): ContestColumns {
  const common = { entryCount: 1, tiles: new Uint8Array(tileBytes(64)), entryIds: new Float64Array(1) };
  for (let lane = 0; lane < 64; lane++) putRoster(common.tiles, lane, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  const columns = repeat({ ...common, entryCount: 64 }, Math.floor(entryCount / 64), entryCount % 64);
  for (let i = 0; i < 120; i++) putRoster(columns.tiles, i * 7, [0, 10, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  for (let i = 0; i < 20; i++) putRoster(columns.tiles, 300_000 + i * 13_001, [10, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  return columns;
}

/** What a slot means is compared, not what an earlier, wider window left behind it. */
function expectSameStandings(arena: Uint8Array, reference: Uint8Array, contests: readonly PassContest[]): void {
  for (const contest of contests) {
    const { slotOffset, entryCount } = contest;
    const [actual, expected] = [arena, reference].map((bytes) => {
      const slot = bytes.subarray(slotOffset, slotOffset + slotBytes(entryCount));
      return slot.subarray(0, usedSlotBytes(slot));
    }) as [Uint8Array, Uint8Array];
    expect(Buffer.compare(actual, expected)).toBe(0);
  }
}
