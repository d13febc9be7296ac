import type { PlayerId } from "../domain/ids.ts";
import type { Role } from "../domain/squad.ts";

/**
 * What a Cricsheet file tells about a player's part in his side. The format has neither roles nor prices; both are guessed
 * from how much a player batted and bowled, never from how well, so that they give no result away.
 */
export interface Involvement {
  readonly id: PlayerId;
  ballsFaced: number;
  ballsBowled: number;
  catches: number;
  stumpings: number;
  /** 1 for an opener of the side's first innings; null: did not bat. */
  battingPlace: number | null;
  /** Position in the file's list of the side, from 0. */
  readonly listPlace: number;
}

const LAST_PLACE = 12;
const BALLS_PER_OVER = 6;
/** Places up to here are batters' and all-rounders', those below are bowlers'. */
const LAST_BATTING_PLACE = 7;
/** So many of each at either end of a side are batters and bowlers whatever they did, so that legal teams exist. */
const SURE_BATTERS = 3;
const SURE_BOWLERS = 3;

const placeOf = (player: Involvement): number => player.battingPlace ?? Math.max(player.listPlace + 1, 6);

/** Negative for a batter, positive for a bowler. */
const bowlingLean = (player: Involvement): number =>
  Math.min(player.ballsBowled, 24) + 2 * (placeOf(player) - LAST_BATTING_PLACE) - Math.min(player.ballsFaced, 24) / 3;

/** The roles of one side, in its order: exactly one WK, at least 3 BAT, 1 AR and 3 BOWL in a side of eleven. */
export function guessRoles(side: readonly Involvement[]): Role[] {
  const keeper = side.toSorted((a, b) => keeping(b) - keeping(a) || placeOf(a) - placeOf(b))[0];
  const others = side.filter((player) => player !== keeper).sort((a, b) => bowlingLean(a) - bowlingLean(b));
  const roles = new Map<Involvement, Role>(others.map((player) => [player, naturalRole(player)]));
  for (const player of others.slice(0, SURE_BATTERS)) roles.set(player, "BAT");
  for (const player of others.slice(-SURE_BOWLERS)) roles.set(player, "BOWL");
  const middle = others.slice(SURE_BATTERS, -SURE_BOWLERS);
  if (middle.length > 0 && !middle.some((player) => roles.get(player) === "AR")) {
    roles.set(
      middle.reduce((most, player) => (player.ballsBowled > most.ballsBowled ? player : most)),
      "AR",
    );
  }
  return side.map((player) => roles.get(player) ?? "WK");
}

/** A stumping proves a keeper; else the keeper is whoever caught most without bowling. */
const keeping = (player: Involvement): number =>
  player.stumpings * 100 + (player.ballsBowled === 0 ? player.catches : -1);

function naturalRole(player: Involvement): Role {
  const isBatter = placeOf(player) <= LAST_BATTING_PLACE;
  if (player.ballsBowled < BALLS_PER_OVER) return isBatter ? "BAT" : "BOWL";
  return isBatter ? "AR" : "BOWL";
}

const CREDITS_MIN_TENTHS = 80;
const CREDITS_MAX_TENTHS = 105;

/** 8.0 … 10.5 credits: dearer the higher a player bats and the more he bowls, and a few tenths of his own. */
export function guessCreditsTenths(player: Involvement): number {
  const batting = Math.max(0, LAST_PLACE - 4 - placeOf(player)) * 1.5;
  const bowling = Math.min(player.ballsBowled, 24) / 3;
  const own = fnv1a(player.id) % 6;
  return Math.min(CREDITS_MAX_TENTHS, CREDITS_MIN_TENTHS + Math.round(batting + bowling) + own);
}

/** FNV-1a, 32 bits. */
export function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}
