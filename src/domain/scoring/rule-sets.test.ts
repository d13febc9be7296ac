import { describe, expect, test } from "bun:test";
import type { Role } from "../squad.ts";
import { breakdownInto, emptyBreakdown } from "./player-points.ts";
import { emptyStats, type PlayerStats } from "./player-stats.ts";
import { RULE_KINDS, type RuleKind } from "./rules.ts";
import { rulesInForce, SCORING_RULES } from "./rule-sets.ts";

/** The points of one kind for somebody who did only this. */
function pointsFor(rules: string, kind: RuleKind, did: Partial<PlayerStats>, role: Role = "BAT"): number {
  const breakdown = emptyBreakdown();
  breakdownInto(breakdown, { ...emptyStats(), ...did }, role, SCORING_RULES[rules]!);
  return breakdown[RULE_KINDS.indexOf(kind)]! / 4;
}

const innings = (...list: { runs?: number; timesOut?: number; wickets?: number }[]): Pick<PlayerStats, "innings"> => ({
  innings: list.map((stats, index) => ({ number: index + 1, stats: { runs: 0, timesOut: 0, wickets: 0, ...stats } })),
});

/** A hundred overs make a hundredth of a run an over one run. */
const economyPoints = (rules: string, runsPerOver: number): number =>
  pointsFor(rules, "economy", { legalBalls: 600, conceded: Math.round(runsPerOver * 100) });

const strikeRatePoints = (rules: string, runsPer100: number, role: Role = "BAT"): number =>
  pointsFor(rules, "strikeRate", { ballsFaced: 10_000, runs: runsPer100 * 100 }, role);

const inEveryRuleSet = (kind: RuleKind, did: Partial<PlayerStats>): number[] =>
  Object.keys(SCORING_RULES).map((rules) => pointsFor(rules, kind, did));

test("the eleven published systems are there, and every value is a multiple of half a point", () => {
  expect(Object.keys(SCORING_RULES)).toEqual([
    "base",
    "t20-2017",
    "t20-2020",
    "t20-2021",
    "t20-2025",
    "t20-2026",
    "odi-2021",
    "odi-2026",
    "test-2021",
    "test-2026",
    "t10-2026",
  ]);
  const pointsIn = (value: unknown, key: string): number[] => {
    if (typeof value === "number") return ["below", "atMost"].includes(key) ? [] : [value];
    if (value === null || typeof value !== "object") return [];
    return Object.entries(value).flatMap(([key, inner]) => pointsIn(inner, key));
  };
  for (const rules of Object.values(SCORING_RULES)) {
    expect(pointsIn(rules, "").filter((points) => !Number.isInteger(points * 2))).toEqual([]);
  }
});

describe("economy: limits belong to the band that the published table gives them to", () => {
  test.each<[string, [rate: number, points: number][]]>([
    [
      "t20-2017",
      [
        [3.99, 3],
        [4, 2],
        [4.99, 2],
        [5, 1],
        [6, 1],
        [6.01, 0],
        [8.99, 0],
        [9, -1],
        [10, -1],
        [10.01, -2],
        [11, -2],
        [11.01, -3],
      ],
    ],
    [
      "t20-2020",
      [
        [3.99, 6],
        [4, 4],
        [4.99, 4],
        [5, 2],
        [6, 2],
        [6.01, 0],
        [8.99, 0],
        [9, -2],
        [10, -2],
        [10.01, -4],
        [11, -4],
        [11.01, -6],
      ],
    ],
    [
      "t20-2021",
      [
        [4.99, 6],
        [5, 4],
        [5.99, 4],
        [6, 2],
        [7, 2],
        [7.01, 0],
        [9.99, 0],
        [10, -2],
        [11, -2],
        [11.01, -4],
        [12, -4],
        [12.01, -6],
      ],
    ],
    [
      "odi-2021",
      [
        [2.49, 6],
        [2.5, 4],
        [3.49, 4],
        [3.5, 2],
        [4.5, 2],
        [4.51, 0],
        [6.99, 0],
        [7, -2],
        [8, -2],
        [8.01, -4],
        [9, -4],
        [9.01, -6],
      ],
    ],
    [
      "t10-2026",
      [
        [6.99, 6],
        [7, 4],
        [7.99, 4],
        [8, 2],
        [9, 2],
        [9.01, 0],
        [13.99, 0],
        [14, -2],
        [15, -2],
        [15.01, -4],
        [16, -4],
        [16.01, -6],
      ],
    ],
    [
      "test-2021",
      [
        [0, 0],
        [20, 0],
      ],
    ],
  ])("%s", (rules, expected) => {
    expect(expected.map(([rate]) => [rate, economyPoints(rules, rate)])).toEqual(expected);
  });

  test.each([
    ["t20-2020", 12],
    ["odi-2021", 30],
    ["t10-2026", 6],
  ] as const)("%s asks for %i balls", (rules, ballsMin) => {
    expect(pointsFor(rules, "economy", { legalBalls: ballsMin - 1 })).toBe(0);
    expect(pointsFor(rules, "economy", { legalBalls: ballsMin })).toBe(6);
  });
});

describe("strike rate: limits belong to the band that the published table gives them to", () => {
  test.each<[string, [rate: number, points: number][]]>([
    [
      "t20-2017",
      [
        [49.99, -3],
        [50, -2],
        [59.99, -2],
        [60, -1],
        [70, -1],
        [70.01, 0],
        [300, 0],
      ],
    ],
    [
      "t20-2020",
      [
        [49.99, -6],
        [50, -4],
        [59.99, -4],
        [60, -2],
        [70, -2],
        [70.01, 0],
        [300, 0],
      ],
    ],
    [
      "t20-2021",
      [
        [49.99, -6],
        [50, -4],
        [60, -2],
        [70, -2],
        [70.01, 0],
        [129.99, 0],
        [130, 2],
        [150, 2],
        [150.01, 4],
        [170, 4],
        [170.01, 6],
      ],
    ],
    [
      "odi-2026",
      [
        [29.99, -6],
        [30, -4],
        [39.99, -4],
        [40, -2],
        [50, -2],
        [50.01, 0],
        [99.99, 0],
        [100, 2],
        [120, 2],
        [120.01, 4],
        [140, 4],
        [140.01, 6],
      ],
    ],
    [
      "t10-2026",
      [
        [59.99, -6],
        [60, -4],
        [69.99, -4],
        [70, -2],
        [80, -2],
        [80.01, 0],
        [149.99, 0],
        [150, 2],
        [170, 2],
        [170.01, 4],
        [190, 4],
        [190.01, 6],
      ],
    ],
    [
      "test-2026",
      [
        [0, 0],
        [300, 0],
      ],
    ],
  ])("%s", (rules, expected) => {
    expect(expected.map(([runsPer100]) => [runsPer100, strikeRatePoints(rules, runsPer100)])).toEqual(expected);
    expect(expected.map(([runsPer100]) => strikeRatePoints(rules, runsPer100, "BOWL"))).toEqual(expected.map(() => 0));
  });

  test.each([
    ["t20-2026", 10],
    ["odi-2026", 20],
    ["t10-2026", 5],
  ] as const)("%s asks for %i balls", (rules, ballsMin) => {
    expect(pointsFor(rules, "strikeRate", { ballsFaced: ballsMin - 1 })).toBe(0);
    expect(pointsFor(rules, "strikeRate", { ballsFaced: ballsMin })).toBe(-6);
  });
});

test.each<[string, Record<number, number>]>([
  ["base", { 49: 0, 50: 8, 99: 8, 100: 16, 250: 16 }],
  ["t20-2017", { 49: 0, 50: 4, 100: 8 }],
  ["t20-2020", { 49: 0, 50: 8, 100: 16 }],
  ["t20-2021", { 29: 0, 30: 4, 50: 8, 100: 16 }],
  ["t20-2025", { 24: 0, 25: 4, 50: 8, 75: 12, 100: 16 }],
  ["odi-2021", { 49: 0, 50: 4, 100: 8, 150: 8 }],
  ["odi-2026", { 25: 4, 50: 8, 75: 12, 100: 16, 125: 20, 149: 20, 150: 24 }],
  ["test-2026", { 25: 4, 150: 24 }],
  ["t10-2026", { 24: 0, 25: 8, 50: 12, 75: 16, 100: 16 }],
])("milestones pay the highest step only: %s", (rules, expected) => {
  const paid = Object.keys(expected).map((runs) => [
    runs,
    pointsFor(rules, "milestone", innings({ runs: Number(runs) })),
  ]);
  expect(Object.fromEntries(paid)).toEqual(expected);
});

test.each<[string, number[]]>([
  ["base", [0, 0, 0, 0, 0, 0]],
  ["t20-2017", [0, 0, 0, 4, 8, 8]],
  ["t20-2020", [0, 0, 0, 8, 16, 16]],
  ["t20-2021", [0, 0, 4, 8, 16, 16]],
  ["t20-2025", [0, 0, 4, 8, 12, 12]],
  ["odi-2021", [0, 0, 0, 4, 8, 8]],
  ["odi-2026", [0, 0, 0, 4, 8, 12]],
  ["test-2021", [0, 0, 0, 4, 8, 8]],
  ["t10-2026", [0, 4, 8, 12, 16, 16]],
])("hauls from one to six wickets: %s", (rules, expected) => {
  expect(expected.map((_, index) => pointsFor(rules, "haul", innings({ wickets: index + 1 })))).toEqual(expected);
});

test("milestones, hauls and ducks are counted by innings", () => {
  expect(pointsFor("test-2021", "milestone", innings({ runs: 49 }, { runs: 49 }))).toBe(0);
  expect(pointsFor("test-2021", "milestone", innings({ runs: 50 }, { runs: 100 }))).toBe(12);
  expect(pointsFor("test-2021", "haul", innings({ wickets: 3 }, { wickets: 5 }))).toBe(8);
  expect(pointsFor("test-2021", "duck", innings({ timesOut: 1 }, { timesOut: 1 }))).toBe(-8);
  expect(pointsFor("test-2021", "duck", innings({ timesOut: 1 }, { timesOut: 1 }), "BOWL")).toBe(0);
});

test("what is counted one by one", () => {
  expect(inEveryRuleSet("run", { runs: 1 })).toEqual([1, 0.5, 1, 1, 1, 1, 1, 1, 1, 1, 1]);
  expect(inEveryRuleSet("four", { fours: 1 })).toEqual([1, 0.5, 1, 1, 4, 4, 1, 4, 1, 4, 4]);
  expect(inEveryRuleSet("six", { sixes: 1 })).toEqual([1, 1, 2, 2, 6, 6, 2, 6, 2, 6, 6]);
  expect(inEveryRuleSet("duck", innings({ timesOut: 1 }))).toEqual([0, -2, -2, -2, -2, -2, -3, -3, -4, -4, -2]);
  expect(inEveryRuleSet("wicket", { wickets: 1 })).toEqual([25, 10, 25, 25, 25, 30, 25, 30, 16, 20, 30]);
  expect(inEveryRuleSet("lbwOrBowled", { lbwOrBowled: 1 })).toEqual([0, 0, 0, 8, 8, 8, 8, 8, 8, 8, 8]);
  expect(inEveryRuleSet("maiden", { maidens: 1 })).toEqual([0, 4, 8, 12, 12, 12, 4, 4, 0, 0, 16]);
  expect(inEveryRuleSet("dot", { dots: 7 })).toEqual([0, 0, 0, 0, 7, 7, 0, 2, 0, 0, 7]);
  expect(inEveryRuleSet("catch", { catches: 1 })).toEqual([0, 4, 8, 8, 8, 8, 8, 8, 8, 8, 8]);
  expect(inEveryRuleSet("catchBonus", { catches: 2 })).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  expect(inEveryRuleSet("catchBonus", { catches: 6 })).toEqual([0, 0, 0, 4, 4, 4, 4, 4, 0, 0, 4]);
  expect(inEveryRuleSet("stumping", { stumpings: 1 })).toEqual([0, 6, 12, 12, 12, 12, 12, 12, 12, 12, 12]);
  expect(inEveryRuleSet("runOutDirect", { runOutsDirect: 1 })).toEqual([0, 6, 12, 12, 12, 12, 12, 12, 12, 12, 12]);
  expect(inEveryRuleSet("runOutThrower", { runOutsThrown: 1 })).toEqual([0, 4, 6, 6, 6, 6, 6, 6, 6, 6, 6]);
  expect(inEveryRuleSet("runOutCatcher", { runOutsCaught: 1 })).toEqual([0, 2, 6, 6, 6, 6, 6, 6, 6, 6, 6]);
  expect(inEveryRuleSet("startingXi", { lineups: 1, substitutions: 1 })).toEqual([0, 2, 4, 4, 4, 4, 4, 4, 4, 4, 4]);
  expect(inEveryRuleSet("playingSubstitute", { lineups: 1, substitutions: 1 })).toEqual([
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
  ]);
  expect(inEveryRuleSet("playingSubstitute", { substitutions: 1 })).toEqual([0, 0, 0, 4, 4, 4, 4, 4, 4, 4, 4]);
});

test("a match is played under the rules of its format and year", () => {
  expect([2008, 2019, 2020, 2024, 2025, 2026, 2031].map((year) => rulesInForce("T20", year))).toEqual([
    "t20-2017",
    "t20-2017",
    "t20-2020",
    "t20-2021",
    "t20-2025",
    "t20-2026",
    "t20-2026",
  ]);
  expect([2019, 2026].map((year) => rulesInForce("ODI", year))).toEqual(["odi-2021", "odi-2026"]);
  expect([2024, 2026].map((year) => rulesInForce("Test", year))).toEqual(["test-2021", "test-2026"]);
  expect(rulesInForce("T10", 2023)).toBe("t10-2026");
});
