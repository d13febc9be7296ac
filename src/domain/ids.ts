import { assert, AssertionError } from "./assert.ts";

declare const brand: unique symbol;
type Branded<T, Name extends string> = T & { readonly [brand]: Name };

/** 1 … 2^46 - 1, allotted by the catalog. */
export type UserId = Branded<number, "UserId">;
/** 1 … 2^31 - 1, allotted by the catalog. */
export type MatchId = Branded<number, "MatchId">;
/** 1 … 2^31 - 1, allotted by the catalog. */
export type ContestId = Branded<number, "ContestId">;
/** The feed provider's own name for a player (for Cricsheet, the registry id). */
export type PlayerId = Branded<string, "PlayerId">;
/** 1 … 63: a user's first, second, … team for one match; what the app shows as T1, T2, … */
export type TeamNo = Branded<number, "TeamNo">;
/**
 * `userId × 64 + teamNo`. Within a match it names a team, within a contest it names an entry, so the 8 bytes that a board
 * stores an entry are enough to know whose it is without a look-up, and uniqueness of (user, contest, team) is uniqueness
 * of (contest, entry). Always a safe integer.
 */
export type EntryId = Branded<number, "EntryId">;

const USER_ID_MAX = 2 ** 46 - 1;
const CATALOG_ID_MAX = 2 ** 31 - 1;
const TEAM_NO_MAX = 63;
const TEAMS_PER_USER_ID = 64;

// Called for every entry of every message: the text of a failure is only built for a failure.
const isIdWithin = (value: number, max: number): boolean => Number.isInteger(value) && value >= 1 && value <= max;

export function userId(value: number): UserId {
  if (!isIdWithin(value, USER_ID_MAX)) throw new AssertionError(`user id ${value} is not in 1..${USER_ID_MAX}`);
  return value as UserId;
}

export function matchId(value: number): MatchId {
  if (!isIdWithin(value, CATALOG_ID_MAX)) throw new AssertionError(`match id ${value} is not in 1..${CATALOG_ID_MAX}`);
  return value as MatchId;
}

export function contestId(value: number): ContestId {
  if (!isIdWithin(value, CATALOG_ID_MAX))
    throw new AssertionError(`contest id ${value} is not in 1..${CATALOG_ID_MAX}`);
  return value as ContestId;
}

export function playerId(value: string): PlayerId {
  assert(value.length > 0 && value.length <= 64, `player id "${value}" has not 1..64 characters`);
  return value as PlayerId;
}

export function teamNo(value: number): TeamNo {
  if (!isIdWithin(value, TEAM_NO_MAX)) throw new AssertionError(`team number ${value} is not in 1..${TEAM_NO_MAX}`);
  return value as TeamNo;
}

export function entryId(user: UserId, team: TeamNo): EntryId {
  return (user * TEAMS_PER_USER_ID + team) as EntryId;
}

export function userOfEntry(entry: EntryId): UserId {
  return userId(Math.floor(entry / TEAMS_PER_USER_ID));
}

export function teamOfEntry(entry: EntryId): TeamNo {
  return teamNo(entry % TEAMS_PER_USER_ID);
}
