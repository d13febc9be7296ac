import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { paise } from "./money.ts";
import { checkPrizeTable, PrizeSchedule, type PrizeTable } from "./prizes.ts";

const table: PrizeTable = [
  { fromRank: 1, toRank: 1, amountPaise: paise(500) },
  { fromRank: 2, toRank: 3, amountPaise: paise(200) },
  { fromRank: 4, toRank: 10, amountPaise: paise(100) },
];
const schedule = new PrizeSchedule(table, paise(1600));

/** The rule said plainly: list every position's prize, walk the tie groups, pool and split. */
function payoutsByHand(positionPaise: readonly number[], tieGroups: readonly number[]): number[] {
  const payouts: number[] = [];
  let rank = 1;
  for (const tiedCount of tieGroups) {
    let pooled = 0;
    for (let position = rank; position < rank + tiedCount; position++) pooled += positionPaise[position - 1] ?? 0;
    for (let member = 0; member < tiedCount; member++) {
      payouts.push(Math.floor(pooled / tiedCount) + (member < pooled % tiedCount ? 1 : 0));
    }
    rank += tiedCount;
  }
  return payouts;
}

describe("ties pool the prizes of the positions that they occupy", () => {
  test.each<[number, number, number, number]>([
    [1, 1, 500, 0],
    [1, 2, 350, 0],
    [2, 3, 166, 2],
    [4, 7, 100, 0],
    [10, 4, 25, 0],
    [11, 3, 0, 0],
    [1, 12_000_000, 0, 1600],
  ])("rank %d shared by %d wins %d each, %d of them a paisa more", (rank, tiedCount, eachPaise, extraPaiseCount) => {
    expect(schedule.split(rank, tiedCount)).toEqual({ eachPaise: paise(eachPaise), extraPaiseCount });
  });
});

test("never a paisa created or lost: payouts over any tie groups equal the table, position by position", () => {
  const bandsOf = fc.array(fc.tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 0, max: 999 })), {
    minLength: 1,
    maxLength: 6,
  });
  const groupsOf = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(bandsOf, groupsOf, fc.boolean(), (bands, tieGroups, asShares) => {
      const steps = bands.toSorted((a, b) => b[1] - a[1]);
      const positionPaise = steps.flatMap(([ranks, amount]) => Array<number>(ranks).fill(amount));
      let pool = positionPaise.reduce((sum, amount) => sum + amount, 0);
      let prizes: PrizeTable;
      let nextRank = 1;
      if (asShares) {
        pool = 9_999_999;
        const lastRank = positionPaise.length;
        const shareBps = Math.floor(10_000 / lastRank);
        const firstBps = 10_000 - shareBps * (lastRank - 1);
        prizes = [{ fromRank: 1, toRank: 1, shareBps: firstBps }];
        if (lastRank > 1) prizes = [...prizes, { fromRank: 2, toRank: lastRank, shareBps }];
        const each = Math.floor((pool * shareBps) / 10_000);
        positionPaise.fill(each);
        positionPaise[0] = pool - each * (lastRank - 1);
      } else {
        prizes = steps.map(([ranks, amount]) => {
          const band = { fromRank: nextRank, toRank: nextRank + ranks - 1, amountPaise: paise(amount) };
          nextRank += ranks;
          return band;
        });
      }
      expect(checkPrizeTable(prizes, paise(pool), positionPaise.length)).toEqual([]);
      const splitter = new PrizeSchedule(prizes, paise(pool));
      expect(splitter.totalPaise).toBe(paise(pool));
      const payouts: number[] = [];
      let rank = 1;
      for (const tiedCount of tieGroups) {
        const { eachPaise, extraPaiseCount } = splitter.split(rank, tiedCount);
        for (let member = 0; member < tiedCount; member++) payouts.push(eachPaise + (member < extraPaiseCount ? 1 : 0));
        rank += tiedCount;
      }
      expect(payouts).toEqual(payoutsByHand(positionPaise, tieGroups));
    }),
    { seed: 7, numRuns: 500 },
  );
});

test.each<[string, PrizeTable, number, string]>([
  ["a gap", [{ fromRank: 2, toRank: 3, amountPaise: paise(10) }], 20, "must start at rank 1"],
  ["a band past the entries", [{ fromRank: 1, toRank: 99, amountPaise: paise(1) }], 99, "goes past the 10 entries"],
  ["a sum that is not the pool", [{ fromRank: 1, toRank: 1, amountPaise: paise(10) }], 20, "the pool is 20"],
  ["shares short of the whole", [{ fromRank: 1, toRank: 1, shareBps: 9_999 }], 20, "not to 10000"],
  ["a negative amount", [{ fromRank: 1, toRank: 1, amountPaise: paise(-5) }], -5, "non-negative"],
  [
    "a later band that pays more",
    [
      { fromRank: 1, toRank: 1, amountPaise: paise(1) },
      { fromRank: 2, toRank: 2, amountPaise: paise(2) },
    ],
    3,
    "more than the band before",
  ],
])("a prize table with %s is refused with a sentence", (_name, bad, pool, sentence) => {
  expect(checkPrizeTable(bad, pool as never, 10).join("; ")).toContain(sentence);
});
