import type { Role } from "../squad.ts";

/** What a point is earned for, in the order in which breakdowns list it. */
export const RULE_KINDS = [
  "startingXi",
  "playingSubstitute",
  "run",
  "four",
  "six",
  "milestone",
  "duck",
  "strikeRate",
  "wicket",
  "lbwOrBowled",
  "haul",
  "maiden",
  "dot",
  "economy",
  "catch",
  "catchBonus",
  "stumping",
  "runOutDirect",
  "runOutThrower",
  "runOutCatcher",
] as const;
export type RuleKind = (typeof RULE_KINDS)[number];

/**
 * Whether points of this kind may still move without a correction. Economy and strike rate follow the rate so far and are
 * right only when the player's innings or spell is over. All others are right after every ball: milestones and hauls pay
 * the highest step reached, a maiden is paid when the over is complete, a duck when the batter is out.
 */
export const isProvisional = (kind: RuleKind): boolean => kind === "economy" || kind === "strikeRate";

/** Pays `points` from `from` on (runs of an innings, wickets of an innings). Only the highest step reached is paid. */
export interface Step {
  readonly from: number;
  readonly points: number;
}

/**
 * Pays by rate, for players with at least `ballsMin` balls. The first band that the rate fits decides: `below` excludes its
 * limit, `atMost` includes it; a rate above all bands earns `otherwise`.
 */
export interface RateRule {
  readonly ballsMin: number;
  readonly bands: readonly RateBand[];
  readonly otherwise: number;
}
export type RateBand =
  { readonly below: number; readonly points: number } | { readonly atMost: number; readonly points: number };

/** A published points system of cricket, in points (multiples of a half). Data: a published version never changes. */
export interface ScoringRules {
  readonly name: string;
  readonly run: number;
  /** Bonus on top of the runs. */
  readonly four: number;
  readonly six: number;
  /** By runs of one innings, ascending. */
  readonly milestones: readonly Step[];
  readonly duck: number;
  /** Runs per 100 balls faced. */
  readonly strikeRate: RateRule | null;
  /** Roles that neither ducks nor the strike rate concern. */
  readonly battingExempt: readonly Role[];
  /** Not for run-outs. */
  readonly wicket: number;
  readonly lbwOrBowled: number;
  /** By wickets of one innings, ascending. */
  readonly hauls: readonly Step[];
  readonly maiden: number;
  /** `points` for every `per` legal balls that cost the bowler nothing. */
  readonly dot: { readonly per: number; readonly points: number };
  /** Runs conceded per over. */
  readonly economy: RateRule | null;
  readonly catch: number;
  /** Paid once, from `catches` catches on. */
  readonly catchBonus: { readonly catches: number; readonly points: number };
  readonly stumping: number;
  /** The only fielder who touched the ball. */
  readonly runOutDirect: number;
  /** The last but one and the last fielder, where several touched it. */
  readonly runOutThrower: number;
  readonly runOutCatcher: number;
  readonly startingXi: number;
  readonly playingSubstitute: number;
}
