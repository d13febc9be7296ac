import { type ContestId, contestId, entryId, matchId, teamNo, userId } from "../../src/domain/ids.ts";
import { ROSTER_SIZE } from "../../src/domain/roster.ts";
import { BoardWriter, type ContestSize } from "../../src/realtime/board/board-writer.ts";
import type { LockedTeams } from "../../src/realtime/index/port.ts";
import type { BoardIdentity } from "../../src/realtime/board/shared-memory.ts";
import type { ContestColumns } from "../../src/realtime/kernel/port.ts";
import { putRoster, tileBytes } from "../../src/realtime/kernel/tiles.ts";

export const IDENTITY: BoardIdentity = { matchId: matchId(1), slice: 0, sliceCount: 1 };

/**
 * The contests of a final: a few mega contests hold half of all entries, and nearly half of all contests are duels and
 * private rounds. Entries each and how many of them: 10,000 contests, 150 M entries.
 */
const FINAL_TIERS: readonly (readonly [entryCount: number, contests: number])[] = [
  [12_000_000, 1],
  [6_000_000, 4],
  [3_000_000, 10],
  [1_000_000, 30],
  [250_000, 100],
  [40_000, 500],
  [7_000, 1_000],
  [1_200, 1_500],
  [70, 2_500],
  [48, 355],
  [2, 4_000],
];

export const MEGA_ENTRIES = FINAL_TIERS[0]![0];

/** The final, or the same shape at a fraction of its contests and entries. */
export function finalContests(scale = 1): ContestSize[] {
  const sizes = FINAL_TIERS.flatMap(([entryCount, contests]) =>
    Array.from({ length: Math.ceil(contests * scale) }, () => Math.max(2, Math.round(entryCount * Math.min(1, scale)))),
  );
  return contestsOf(sizes);
}

export const contestsOf = (sizes: readonly number[]): ContestSize[] =>
  sizes.map((entryCount, index) => ({ contestId: contestId(index + 1), entryCount }));

/** mulberry32's step, without a closure: it runs once an entry. */
function mixed(state: number): number {
  let value = Math.imul(state ^ (state >>> 15), state | 1);
  value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
  return (value ^ (value >>> 14)) >>> 0;
}

/** Where among `rosters` the team of a user is. */
const rosterAtOf = (user: number, rosterCount: number): number =>
  Math.floor((mixed(Math.imul(user, 0x9e3779b9) >>> 0) / 2 ** 32) * rosterCount) * ROSTER_SIZE;

const TEAM = teamNo(1);

/** Fills the columns of one contest: ascending users, each with one of `rosters`. Other users in every contest. */
export function fillColumns(contest: ContestId, entryCount: number, rosters: Uint8Array, into: ContestColumns): void {
  const { entryIds, tiles } = into;
  tiles.fill(0, 0, tileBytes(entryCount));
  const rosterCount = rosters.length / ROSTER_SIZE;
  let state = Math.imul(contest, 0x9e3779b9) >>> 0;
  for (let position = 0; position < entryCount; position++) {
    state = (state + 0x6d2b79f5) >>> 0;
    // Of three users the last and one of the others.
    const user = 3 * (position >> 1) + (position % 2 === 1 ? 3 : 1 + (mixed(state) & 1));
    entryIds[position] = entryId(userId(user), TEAM);
    putRoster(tiles, position, rosters, rosterAtOf(user, rosterCount));
  }
}

/** The teams of all users that a contest of this size may have. */
function teamsFor(entryCountMax: number, rosters: Uint8Array): LockedTeams {
  const teamCount = 3 * Math.ceil(entryCountMax / 2);
  const teams = { entryIds: new Float64Array(teamCount), rosters: new Uint8Array(teamCount * ROSTER_SIZE) };
  const rosterCount = rosters.length / ROSTER_SIZE;
  for (let index = 0; index < teamCount; index++) {
    const user = index + 1;
    const from = rosterAtOf(user, rosterCount);
    teams.entryIds[index] = entryId(userId(user), TEAM);
    for (let slot = 0; slot < ROSTER_SIZE; slot++) teams.rosters[index * ROSTER_SIZE + slot] = rosters[from + slot]!;
  }
  return teams;
}

export function emptyColumns(entryCount: number): ContestColumns {
  return { entryCount, entryIds: new Float64Array(entryCount), tiles: new Uint8Array(tileBytes(entryCount)) };
}

/** Writes and seals the board as the node does at the deadline; one contest at a time is in this process' memory. */
export function writeBoard(directory: string, contests: readonly ContestSize[], rosters: Uint8Array): void {
  const entryCountMax = Math.max(...contests.map(({ entryCount }) => entryCount));
  const room = emptyColumns(entryCountMax);
  const teams = teamsFor(entryCountMax, rosters);
  const writer = BoardWriter.create(directory, { ...IDENTITY, logPosition: "", contests, teams });
  for (const { contestId, entryCount } of contests) {
    const columns = { ...room, entryCount };
    fillColumns(contestId, entryCount, rosters, columns);
    writer.append(contestId, columns);
  }
  writer.seal();
}
