import type { BallLine } from "../client/index.ts";
import type { PointsQp } from "../domain/points.ts";

export type BallTone = "wicket" | "six" | "four" | "runs" | "dot" | "extra" | "news";

export interface BallWords {
  readonly over: string | null;
  /** "Rao to Menon"; null when it was no ball. */
  readonly who: string | null;
  readonly what: string;
  /** What stands in the circle. */
  readonly badge: string;
  readonly tone: BallTone;
}

/** Takes a line of commentary apart, as `commentaryLine` put it together. */
export function ballWords(text: string): BallWords {
  const found = /^((?:Super over )?\d+\.\d+) (.+?): (.+)$/.exec(text);
  if (found === null) return { over: null, who: null, what: text, badge: "!", tone: "news" };
  const [, over, who, what] = found as unknown as [string, string, string, string];
  return { over, who, what, ...badgeOf(what) };
}

function badgeOf(what: string): { readonly badge: string; readonly tone: BallTone } {
  if (what.includes("OUT!")) return { badge: "W", tone: "wicket" };
  if (what.startsWith("SIX")) return { badge: "6", tone: "six" };
  if (what.startsWith("FOUR")) return { badge: "4", tone: "four" };
  const runs = /^(\d+) runs?\b/.exec(what);
  if (runs !== null) return { badge: runs[1]!, tone: "runs" };
  if (what.includes("no-ball")) return { badge: "nb", tone: "extra" };
  if (what.includes("wide")) return { badge: "wd", tone: "extra" };
  if (what.includes("leg-bye")) return { badge: "lb", tone: "extra" };
  if (what.includes("bye")) return { badge: "b", tone: "extra" };
  if (what.includes("penalty")) return { badge: "p", tone: "extra" };
  return { badge: "•", tone: "dot" };
}

/** What a ball gave to each player, all rules together, the most first. */
export function gainsOf(ball: BallLine): { readonly poolIndex: number; readonly pointsQp: PointsQp }[] {
  const sums = new Map<number, PointsQp>();
  for (const { poolIndex, pointsQp } of ball.reasons) sums.set(poolIndex, (sums.get(poolIndex) ?? 0) + pointsQp);
  return Array.from(sums, ([poolIndex, pointsQp]) => ({ poolIndex, pointsQp }))
    .filter(({ pointsQp }) => pointsQp !== 0)
    .sort((a, b) => b.pointsQp - a.pointsQp);
}
