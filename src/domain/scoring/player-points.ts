import { type PointsQp, QP_PER_POINT } from "../points.ts";
import type { Role } from "../squad.ts";
import type { PlayerStats } from "./player-stats.ts";
import { RULE_KINDS, type RateRule, type RuleKind, type ScoringRules, type Step } from "./rules.ts";

const BALLS_PER_OVER = 6;
const KIND_COUNT = RULE_KINDS.length;

const KIND_INDEX = Object.fromEntries(RULE_KINDS.map((kind, index) => [kind, index])) as Record<RuleKind, number>;

/** Quarter-points by rule kind, in the order of `RULE_KINDS`. */
export type Breakdown = Int32Array;

export const emptyBreakdown = (): Breakdown => new Int32Array(KIND_COUNT);

/** Writes what a player has earned, by rule kind, and returns the sum. A pure function of the statistics. */
export function breakdownInto(breakdown: Breakdown, stats: PlayerStats, role: Role, rules: ScoringRules): PointsQp {
  const isExempt = rules.battingExempt.includes(role);
  let milestones = 0;
  let ducks = 0;
  let hauls = 0;
  for (const { stats: innings } of stats.innings) {
    milestones += stepPoints(rules.milestones, innings.runs);
    hauls += stepPoints(rules.hauls, innings.wickets);
    if (innings.timesOut > 0 && innings.runs === 0) ducks++;
  }
  const starts = stats.lineups > 0;
  breakdown[KIND_INDEX.startingXi] = starts ? toQp(rules.startingXi) : 0;
  breakdown[KIND_INDEX.playingSubstitute] = !starts && stats.substitutions > 0 ? toQp(rules.playingSubstitute) : 0;
  breakdown[KIND_INDEX.run] = toQp(stats.runs * rules.run);
  breakdown[KIND_INDEX.four] = toQp(stats.fours * rules.four);
  breakdown[KIND_INDEX.six] = toQp(stats.sixes * rules.six);
  breakdown[KIND_INDEX.milestone] = toQp(milestones);
  breakdown[KIND_INDEX.duck] = isExempt ? 0 : toQp(ducks * rules.duck);
  breakdown[KIND_INDEX.strikeRate] = isExempt
    ? 0
    : toQp(ratePoints(rules.strikeRate, stats.runs * 100, stats.ballsFaced));
  breakdown[KIND_INDEX.wicket] = toQp(stats.wickets * rules.wicket);
  breakdown[KIND_INDEX.lbwOrBowled] = toQp(stats.lbwOrBowled * rules.lbwOrBowled);
  breakdown[KIND_INDEX.haul] = toQp(hauls);
  breakdown[KIND_INDEX.maiden] = toQp(stats.maidens * rules.maiden);
  breakdown[KIND_INDEX.dot] = toQp(Math.floor(stats.dots / rules.dot.per) * rules.dot.points);
  breakdown[KIND_INDEX.economy] = toQp(ratePoints(rules.economy, stats.conceded * BALLS_PER_OVER, stats.legalBalls));
  breakdown[KIND_INDEX.catch] = toQp(stats.catches * rules.catch);
  breakdown[KIND_INDEX.catchBonus] = stats.catches >= rules.catchBonus.catches ? toQp(rules.catchBonus.points) : 0;
  breakdown[KIND_INDEX.stumping] = toQp(stats.stumpings * rules.stumping);
  breakdown[KIND_INDEX.runOutDirect] = toQp(stats.runOutsDirect * rules.runOutDirect);
  breakdown[KIND_INDEX.runOutThrower] = toQp(stats.runOutsThrown * rules.runOutThrower);
  breakdown[KIND_INDEX.runOutCatcher] = toQp(stats.runOutsCaught * rules.runOutCatcher);
  let sumQp = 0;
  for (let kind = 0; kind < KIND_COUNT; kind++) sumQp += breakdown[kind]!;
  return sumQp;
}

/** Exact: every rule is a multiple of half a point. */
const toQp = (points: number): PointsQp => points * QP_PER_POINT;

/** The highest step reached, e.g. a century instead of, not on top of, the fifty. */
function stepPoints(steps: readonly Step[], value: number): number {
  for (let index = steps.length - 1; index >= 0; index--) {
    if (value >= steps[index]!.from) return steps[index]!.points;
  }
  return 0;
}

/** `amount / balls` against the bands, by multiplication, so that a rate on a limit is exactly on it. */
function ratePoints(rule: RateRule | null, amount: number, balls: number): number {
  if (rule === null || balls < rule.ballsMin) return 0;
  for (const band of rule.bands) {
    if ("below" in band ? amount < band.below * balls : amount <= band.atMost * balls) return band.points;
  }
  return rule.otherwise;
}
