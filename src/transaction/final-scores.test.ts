import { describe, expect, test } from "bun:test";
import { type EntryId, entryId, teamNo, userId } from "../domain/ids.ts";
import { paise } from "../domain/money.ts";
import { POOL_SIZE_MAX } from "../domain/points.ts";
import { PrizeSchedule } from "../domain/prizes.ts";
import { seededRandom } from "../domain/random.ts";
import { ROSTER_SIZE, scoreRoster } from "../domain/roster.ts";
import { standingOf } from "../realtime/board/board.ts";
import { typescriptKernel } from "../realtime/kernel/typescript.ts";
import { putRoster, tileBytes } from "../realtime/kernel/tiles.ts";
import { finalScoresOf } from "../testing/simulated-boards.ts";
import { type FinalScores, scoresOfColumns } from "./final-scores.ts";
import { payoutsOf } from "./payouts.ts";

/** The same random rosters as the columns of a board, and each scored by itself. */
function boards(entryCount: number, seed: number) {
  const random = seededRandom(seed);
  const points = new Int16Array(POOL_SIZE_MAX).map(() => 2 * (random.int(60) - 10));
  const columns = { entryCount, entryIds: new Float64Array(entryCount), tiles: new Uint8Array(tileBytes(entryCount)) };
  const scored: { entryId: EntryId; scoreQp: number }[] = [];
  for (let index = 0; index < entryCount; index++) {
    const entry = entryId(userId(1 + Math.floor(index / 2)), teamNo(1 + (index % 2)));
    const roster = Uint8Array.from(random.shuffle(Array.from({ length: 14 }, (_, at) => at)).slice(0, ROSTER_SIZE));
    columns.entryIds[index] = entry;
    putRoster(columns.tiles, index, roster);
    scored.push({ entryId: entry, scoreQp: scoreRoster(roster, points) });
  }
  return {
    fromColumns: scoresOfColumns(columns, standingOf(typescriptKernel, columns, points), points),
    oneByOne: finalScoresOf(scored, 1_000),
    scored,
  };
}

async function collect(scores: FinalScores) {
  const all: { entryId: number; scoreQp: number }[] = [];
  for await (const { entries, scoresQp } of scores.chunks()) {
    for (let index = 0; index < entries.length; index++) {
      all.push({ entryId: entries[index]!, scoreQp: scoresQp[index]! });
    }
  }
  return all;
}

async function payouts(schedule: PrizeSchedule, scores: FinalScores, after: EntryId | 0 = 0) {
  const all: { entryId: EntryId; prizePaise: number }[] = [];
  for await (const chunk of payoutsOf(schedule, scores, after)) all.push(...chunk);
  return all;
}

describe("final scores", () => {
  test.each([1, 63, 64, 65, 1_000, 40_000])(
    "of %p entries read from columns are those of each roster",
    async (count) => {
      const { fromColumns, scored } = boards(count, count);
      expect(await collect(fromColumns)).toEqual(scored);
      for (const { scoreQp } of scored.slice(0, 20)) {
        expect(fromColumns.countAbove(scoreQp)).toBe(scored.filter((other) => other.scoreQp > scoreQp).length);
        expect(fromColumns.countAt(scoreQp)).toBe(scored.filter((other) => other.scoreQp === scoreQp).length);
      }
    },
  );

  test("prizes follow the ranks of a plain sort, ties pool their places, odd paise go by entry id", async () => {
    const poolPaise = paise(1_000_003);
    const schedule = new PrizeSchedule(
      [
        { fromRank: 1, toRank: 3, shareBps: 2_000 },
        { fromRank: 4, toRank: 403, shareBps: 10 },
      ],
      poolPaise,
    );
    const { fromColumns, scored } = boards(2_000, 9);
    const ranked = scored.toSorted((a, b) => b.scoreQp - a.scoreQp || a.entryId - b.entryId);
    const ladder = Array.from({ length: ranked.length }, (_, place) => {
      const each = Math.floor((poolPaise * (place < 3 ? 2_000 : 10)) / 10_000);
      return place < 403 ? each : 0;
    });
    ladder[0]! += poolPaise - ladder.reduce((sum, each) => sum + each, 0);
    const expected = new Map<number, number>();
    for (let first = 0; first < ranked.length;) {
      const tied = ranked.filter(({ scoreQp }) => scoreQp === ranked[first]!.scoreQp);
      const pooled = ladder.slice(first, first + tied.length).reduce((sum, each) => sum + each, 0);
      for (const [index, { entryId: id }] of tied.entries()) {
        const prize = Math.floor(pooled / tied.length) + (index < pooled % tied.length ? 1 : 0);
        if (prize > 0) expected.set(id, prize);
      }
      first += tied.length;
    }
    const paid = await payouts(schedule, fromColumns);
    expect(new Map(paid.map(({ entryId: id, prizePaise }) => [Number(id), Number(prizePaise)]))).toEqual(expected);
    expect(paid.reduce((sum, { prizePaise }) => sum + prizePaise, 0)).toBe(poolPaise);
  });

  test("who goes on after any entry pays the rest as if it had never stopped", async () => {
    const schedule = new PrizeSchedule([{ fromRank: 1, toRank: 90, amountPaise: paise(101) }], paise(9_090));
    const { fromColumns, oneByOne } = boards(300, 4);
    const whole = await payouts(schedule, fromColumns);
    expect(await payouts(schedule, oneByOne)).toEqual(whole);
    for (const { entryId: after } of whole) {
      expect(await payouts(schedule, fromColumns, after)).toEqual(whole.filter((payout) => payout.entryId > after));
    }
  });
});
