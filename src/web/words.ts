import type { ContestKind } from "../domain/contest.ts";
import type { MatchState } from "../domain/match.ts";
import { type PointsQp, qpToPoints } from "../domain/points.ts";
import type { RuleKind } from "../domain/scoring/rules.ts";
import type { Role } from "../domain/squad.ts";

export const KIND_WORDS: Readonly<Record<ContestKind, string>> = {
  free: "Free",
  paid: "Paid",
  mega: "Mega",
  head_to_head: "Head-to-head",
  private: "Private",
};

export const ROLE_WORDS: Readonly<Record<Role, string>> = {
  WK: "Wicket-keepers",
  BAT: "Batters",
  AR: "All-rounders",
  BOWL: "Bowlers",
};

export const STATE_WORDS: Readonly<Record<MatchState, string>> = {
  upcoming: "Upcoming",
  locked: "Starting",
  live: "Live",
  review: "In review",
  settled: "Result approved",
  released: "Finished",
  abandoned: "Abandoned",
};

export const RULE_WORDS: Readonly<Record<RuleKind, string>> = {
  startingXi: "Starting eleven",
  playingSubstitute: "Impact player",
  run: "Runs",
  four: "Boundary bonus",
  six: "Six bonus",
  milestone: "Milestone",
  duck: "Duck",
  strikeRate: "Strike rate",
  wicket: "Wickets",
  lbwOrBowled: "LBW or bowled bonus",
  haul: "Wicket haul",
  maiden: "Maiden over",
  dot: "Dot balls",
  economy: "Economy",
  catch: "Catches",
  catchBonus: "Three-catch bonus",
  stumping: "Stumping",
  runOutDirect: "Run-out, direct hit",
  runOutThrower: "Run-out, throw",
  runOutCatcher: "Run-out, catch",
};

export const pointsText = (qp: PointsQp): string =>
  qpToPoints(qp).toLocaleString("en-IN", { maximumFractionDigits: 2 });

export const signedPoints = (qp: PointsQp): string => (qp > 0 ? `+${pointsText(qp)}` : pointsText(qp));

export const creditsText = (tenths: number): string => (tenths / 10).toFixed(1);

export const countText = (count: number): string => count.toLocaleString("en-IN");

export const plural = (count: number, one: string, many = `${one}s`): string =>
  `${countText(count)} ${count === 1 ? one : many}`;

/** "2d 4h", "3h 12m", "04:32" */
export function countdownText(leftMs: number): string {
  const seconds = Math.max(0, Math.ceil(leftMs / 1_000));
  const [days, hours, minutes] = [
    Math.floor(seconds / 86_400),
    Math.floor(seconds / 3_600) % 24,
    Math.floor(seconds / 60) % 60,
  ];
  if (days > 0) return `${days}d ${hours}h`;
  if (hours > 0) return `${hours}h ${minutes}m`;
  return `${String(minutes).padStart(2, "0")}:${String(seconds % 60).padStart(2, "0")}`;
}

const dateTime = new Intl.DateTimeFormat("en-IN", {
  day: "numeric",
  month: "short",
  hour: "numeric",
  minute: "2-digit",
  hour12: false,
});
export const timeText = (atMs: number): string => dateTime.format(atMs);

/** "Mumbai Monsoons" is "MM"; a single word gives its first three letters. */
export function shortName(side: string): string {
  const words = side.split(/\s+/).filter((word) => word !== "");
  const letters =
    words.length > 1 ? words.map((word) => Array.from(word)[0]!).join("") : Array.from(side).slice(0, 3).join("");
  return Array.from(letters.toUpperCase()).slice(0, 4).join("");
}

/** The last word of a name, as on a scoreboard. */
export const surname = (name: string): string => name.trim().split(/\s+/).at(-1) ?? name;
