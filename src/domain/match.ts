import type { MatchId } from "./ids.ts";

export type MatchFormat = "T20" | "ODI" | "Test" | "T10";

/**
 * upcoming → locked (the deadline passed; rosters are frozen) → live (first ball) → review (last ball) → settled (the
 * result is approved) → released (prizes are being paid, or were). Any state before settled may become abandoned. A
 * correction of a settled match re-opens its review; of a released one it is refused.
 */
export type MatchState = "upcoming" | "locked" | "live" | "review" | "settled" | "released" | "abandoned";

export interface Match {
  readonly id: MatchId;
  readonly name: string;
  readonly sides: readonly [string, string];
  readonly format: MatchFormat;
  /** Server UTC. The deadline: nothing received at or after it counts. */
  readonly startMs: number;
  readonly state: MatchState;
  /** Name of the scoring rules, e.g. "t20-2026"; fixed when the match is created. */
  readonly scoringRules: string;
  /** Name of the roster rules, e.g. "modern"; fixed when the match is created. */
  readonly rosterRules: string;
}

const NEXT_STATES: Readonly<Record<MatchState, readonly MatchState[]>> = {
  upcoming: ["locked", "abandoned"],
  locked: ["live", "abandoned"],
  live: ["review", "abandoned"],
  review: ["settled", "abandoned"],
  settled: ["review", "released"],
  released: [],
  abandoned: [],
};

export const canMove = (from: MatchState, to: MatchState): boolean => NEXT_STATES[from].includes(to);

/** Its rosters are frozen, and it has boards or will in a moment. */
export const isLocked = (state: MatchState): boolean => state !== "upcoming" && state !== "abandoned";

/** The deadline rule in one place; the edge, the materialiser and the index builder all ask here. */
export const isBeforeDeadline = (match: Pick<Match, "startMs">, atMs: number): boolean => atMs < match.startMs;
