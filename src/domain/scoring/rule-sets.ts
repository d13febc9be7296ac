import type { MatchFormat } from "../match.ts";
import type { RateRule, ScoringRules, Step } from "./rules.ts";

/** The walkthrough's rules, also the ground that the others stand on. */
const base: ScoringRules = {
  name: "base",
  run: 1,
  four: 1,
  six: 1,
  milestones: [
    { from: 50, points: 8 },
    { from: 100, points: 16 },
  ],
  duck: 0,
  strikeRate: null,
  battingExempt: ["BOWL"],
  wicket: 25,
  lbwOrBowled: 0,
  hauls: [],
  maiden: 0,
  dot: { per: 1, points: 0 },
  economy: null,
  catch: 0,
  catchBonus: { catches: 3, points: 0 },
  stumping: 0,
  runOutDirect: 0,
  runOutThrower: 0,
  runOutCatcher: 0,
  startingXi: 0,
  playingSubstitute: 0,
};

const t20Economy2020: RateRule = {
  ballsMin: 12,
  bands: [
    { below: 4, points: 6 },
    { below: 5, points: 4 },
    { atMost: 6, points: 2 },
    { below: 9, points: 0 },
    { atMost: 10, points: -2 },
    { atMost: 11, points: -4 },
  ],
  otherwise: -6,
};

const t20StrikeRate2020: RateRule = {
  ballsMin: 10,
  bands: [
    { below: 50, points: -6 },
    { below: 60, points: -4 },
    { atMost: 70, points: -2 },
  ],
  otherwise: 0,
};

const halved = (rule: RateRule): RateRule => ({
  ballsMin: rule.ballsMin,
  bands: rule.bands.map((band) => ({ ...band, points: band.points / 2 })),
  otherwise: rule.otherwise / 2,
});

const t20Of2017: ScoringRules = {
  ...base,
  name: "t20-2017",
  run: 0.5,
  four: 0.5,
  six: 1,
  milestones: [
    { from: 50, points: 4 },
    { from: 100, points: 8 },
  ],
  duck: -2,
  strikeRate: halved(t20StrikeRate2020),
  wicket: 10,
  hauls: [
    { from: 4, points: 4 },
    { from: 5, points: 8 },
  ],
  maiden: 4,
  economy: halved(t20Economy2020),
  catch: 4,
  stumping: 6,
  runOutDirect: 6,
  runOutThrower: 4,
  runOutCatcher: 2,
  startingXi: 2,
};

const t20Of2020: ScoringRules = {
  ...base,
  name: "t20-2020",
  six: 2,
  duck: -2,
  strikeRate: t20StrikeRate2020,
  hauls: [
    { from: 4, points: 8 },
    { from: 5, points: 16 },
  ],
  maiden: 8,
  economy: t20Economy2020,
  catch: 8,
  stumping: 12,
  runOutDirect: 12,
  runOutThrower: 6,
  runOutCatcher: 6,
  startingXi: 4,
};

const t20Of2021: ScoringRules = {
  ...t20Of2020,
  name: "t20-2021",
  milestones: [
    { from: 30, points: 4 },
    { from: 50, points: 8 },
    { from: 100, points: 16 },
  ],
  strikeRate: {
    ballsMin: 10,
    bands: [
      { below: 50, points: -6 },
      { below: 60, points: -4 },
      { atMost: 70, points: -2 },
      { below: 130, points: 0 },
      { atMost: 150, points: 2 },
      { atMost: 170, points: 4 },
    ],
    otherwise: 6,
  },
  lbwOrBowled: 8,
  hauls: [
    { from: 3, points: 4 },
    { from: 4, points: 8 },
    { from: 5, points: 16 },
  ],
  maiden: 12,
  economy: {
    ballsMin: 12,
    bands: [
      { below: 5, points: 6 },
      { below: 6, points: 4 },
      { atMost: 7, points: 2 },
      { below: 10, points: 0 },
      { atMost: 11, points: -2 },
      { atMost: 12, points: -4 },
    ],
    otherwise: -6,
  },
  catchBonus: { catches: 3, points: 4 },
  playingSubstitute: 4,
};

const t20Of2025: ScoringRules = {
  ...t20Of2021,
  name: "t20-2025",
  four: 4,
  six: 6,
  milestones: [
    { from: 25, points: 4 },
    { from: 50, points: 8 },
    { from: 75, points: 12 },
    { from: 100, points: 16 },
  ],
  hauls: [
    { from: 3, points: 4 },
    { from: 4, points: 8 },
    { from: 5, points: 12 },
  ],
  dot: { per: 1, points: 1 },
};

const t20Of2026: ScoringRules = { ...t20Of2025, name: "t20-2026", wicket: 30 };

const odiOf2021: ScoringRules = {
  ...t20Of2021,
  name: "odi-2021",
  milestones: [
    { from: 50, points: 4 },
    { from: 100, points: 8 },
  ],
  duck: -3,
  strikeRate: {
    ballsMin: 20,
    bands: [
      { below: 30, points: -6 },
      { below: 40, points: -4 },
      { atMost: 50, points: -2 },
      { below: 100, points: 0 },
      { atMost: 120, points: 2 },
      { atMost: 140, points: 4 },
    ],
    otherwise: 6,
  },
  hauls: [
    { from: 4, points: 4 },
    { from: 5, points: 8 },
  ],
  maiden: 4,
  economy: {
    ballsMin: 30,
    bands: [
      { below: 2.5, points: 6 },
      { below: 3.5, points: 4 },
      { atMost: 4.5, points: 2 },
      { below: 7, points: 0 },
      { atMost: 8, points: -2 },
      { atMost: 9, points: -4 },
    ],
    otherwise: -6,
  },
};

const longMilestones: readonly Step[] = [
  { from: 25, points: 4 },
  { from: 50, points: 8 },
  { from: 75, points: 12 },
  { from: 100, points: 16 },
  { from: 125, points: 20 },
  { from: 150, points: 24 },
];

const longHauls: readonly Step[] = [
  { from: 4, points: 4 },
  { from: 5, points: 8 },
  { from: 6, points: 12 },
];

const odiOf2026: ScoringRules = {
  ...odiOf2021,
  name: "odi-2026",
  four: 4,
  six: 6,
  milestones: longMilestones,
  wicket: 30,
  hauls: longHauls,
  dot: { per: 3, points: 1 },
};

const testOf2021: ScoringRules = {
  ...odiOf2021,
  name: "test-2021",
  duck: -4,
  strikeRate: null,
  wicket: 16,
  maiden: 0,
  economy: null,
  catchBonus: { catches: 3, points: 0 },
};

const testOf2026: ScoringRules = {
  ...testOf2021,
  name: "test-2026",
  four: 4,
  six: 6,
  milestones: longMilestones,
  wicket: 20,
  hauls: longHauls,
};

/** What the published T10 table leaves open is as in the T20 rules of the year. */
const t10Of2026: ScoringRules = {
  ...t20Of2026,
  name: "t10-2026",
  milestones: [
    { from: 25, points: 8 },
    { from: 50, points: 12 },
    { from: 75, points: 16 },
  ],
  strikeRate: {
    ballsMin: 5,
    bands: [
      { below: 60, points: -6 },
      { below: 70, points: -4 },
      { atMost: 80, points: -2 },
      { below: 150, points: 0 },
      { atMost: 170, points: 2 },
      { atMost: 190, points: 4 },
    ],
    otherwise: 6,
  },
  hauls: [
    { from: 2, points: 4 },
    { from: 3, points: 8 },
    { from: 4, points: 12 },
    { from: 5, points: 16 },
  ],
  maiden: 16,
  economy: {
    ballsMin: 6,
    bands: [
      { below: 7, points: 6 },
      { below: 8, points: 4 },
      { atMost: 9, points: 2 },
      { below: 14, points: 0 },
      { atMost: 15, points: -2 },
      { atMost: 16, points: -4 },
    ],
    otherwise: -6,
  },
};

/** A match names its rules when it is created and keeps them for ever, so old matches can always be scored again. */
export const SCORING_RULES: Readonly<Record<string, ScoringRules>> = Object.fromEntries(
  [
    base,
    t20Of2017,
    t20Of2020,
    t20Of2021,
    t20Of2025,
    t20Of2026,
    odiOf2021,
    odiOf2026,
    testOf2021,
    testOf2026,
    t10Of2026,
  ].map((rules) => [rules.name, rules]),
);

/** Latest first: the rules in force from that year on. The oldest known serve for the years before them. */
const IN_FORCE: Readonly<Record<MatchFormat, readonly (readonly [sinceYear: number, rules: ScoringRules])[]>> = {
  T20: [
    [2026, t20Of2026],
    [2025, t20Of2025],
    [2021, t20Of2021],
    [2020, t20Of2020],
    [0, t20Of2017],
  ],
  ODI: [
    [2026, odiOf2026],
    [0, odiOf2021],
  ],
  Test: [
    [2026, testOf2026],
    [0, testOf2021],
  ],
  T10: [[0, t10Of2026]],
};

/** The name of the rules that a match of this format and year was, or is, played under. */
export function rulesInForce(format: MatchFormat, year: number): string {
  return IN_FORCE[format].find(([sinceYear]) => year >= sinceYear)![1].name;
}
