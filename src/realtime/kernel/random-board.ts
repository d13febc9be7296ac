import { entryId, teamNo, userId } from "../../domain/ids.ts";
import { POOL_SIZE_MAX, type PointsVector } from "../../domain/points.ts";
import { ROSTER_SIZE } from "../../domain/roster.ts";
import type { LockedTeams } from "../index/port.ts";
import type { ContestColumns } from "./port.ts";
import { putRoster, rosterAt, tileBytes } from "./tiles.ts";

/** Seeded generators of boards for suites and benchmarks. */
export type Random = () => number;

/** mulberry32: uniform in [0, 1), the same sequence for the same seed on every machine. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export const below = (random: Random, limit: number): number => Math.floor(random() * limit);

/** Eleven different players; popular ones (a low index) in more teams, as in real contests. */
export function randomRoster(random: Random, poolSize: number): Uint8Array {
  const roster = new Uint8Array(ROSTER_SIZE);
  for (let slot = 0; slot < ROSTER_SIZE;) {
    const index = Math.floor(poolSize * random() ** 1.3);
    if (roster.subarray(0, slot).includes(index)) continue;
    roster[slot++] = index;
  }
  roster.subarray(2).sort();
  return roster;
}

/** Even quarter-points within ±`sizeMaxQp`; all players beyond `poolSize` have none. */
export function randomPoints(random: Random, poolSize: number, sizeMaxQp: number): PointsVector {
  const points = new Int16Array(POOL_SIZE_MAX);
  for (let index = 0; index < poolSize; index++) points[index] = 2 * Math.round((random() - 0.5) * sizeMaxQp);
  return points;
}

/** Entries of ascending users, each with a random roster. */
export function randomColumns(random: Random, entryCount: number, poolSize: number): ContestColumns {
  const entryIds = new Float64Array(entryCount);
  const tiles = new Uint8Array(tileBytes(entryCount));
  let user = 0;
  for (let position = 0; position < entryCount; position++) {
    user += 1 + below(random, 3);
    entryIds[position] = entryId(userId(user), teamNo(1 + below(random, 20)));
    putRoster(tiles, position, randomRoster(random, poolSize));
  }
  return { entryCount, entryIds, tiles };
}

/** Every team of some contests, as a board holds them beside its contests. */
export function teamsOf(contests: Iterable<ContestColumns>): LockedTeams {
  const rosters = new Map<number, Uint8Array>();
  for (const { entryIds, tiles } of contests) {
    for (const [position, id] of entryIds.entries()) rosters.set(id, rosterAt(tiles, position));
  }
  const entryIds = Float64Array.from(rosters.keys()).sort();
  return { entryIds, rosters: Uint8Array.from(Array.from(entryIds, (id) => [...rosters.get(id)!]).flat()) };
}
