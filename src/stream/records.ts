import { assert } from "../domain/assert.ts";
import type { ContestId, EntryId, MatchId } from "../domain/ids.ts";
import { ROSTER_SIZE, type Roster } from "../domain/roster.ts";

/**
 * Values of the two topics that are read by the ten million at a deadline. Fixed-size and little-endian, so that an index
 * builder walks them in place:
 *
 *     TeamSave    0 entryId f64 · 8 serverTsMs f64 · 16 roster 11 bytes · 27 u8: 1 out of a spool · 28 matchId u32          (32 bytes)
 *     ContestJoin 0 contestId u32 · 4 matchId u32 · 8 entryId f64 · 16 serverTsMs f64                       (24 bytes)
 */
export const TEAM_SAVE_BYTES = 32;
export const CONTEST_JOIN_BYTES = 24;

export interface TeamSave {
  readonly entryId: EntryId;
  readonly matchId: MatchId;
  readonly serverTsMs: number;
  readonly roster: Roster;
}

export interface ContestJoin {
  readonly contestId: ContestId;
  readonly matchId: MatchId;
  readonly entryId: EntryId;
  readonly serverTsMs: number;
}

export function encodeTeamSave(save: TeamSave): Uint8Array {
  assert(save.roster.length === ROSTER_SIZE, `a roster has ${ROSTER_SIZE} bytes`);
  const bytes = new Uint8Array(TEAM_SAVE_BYTES);
  const view = new DataView(bytes.buffer);
  view.setFloat64(0, save.entryId, true);
  view.setFloat64(8, save.serverTsMs, true);
  bytes.set(save.roster, 16);
  view.setUint32(28, save.matchId, true);
  return bytes;
}

const SPOOLED_AT = 27;

/**
 * No two nodes' clocks differ by more where it is said which of a team's saves counts. A save whose append was given up and
 * spooled is acknowledged at least twice as long after its server time, so whatever its user saves next, on whichever node, is
 * later than it by more than this, and what is answered before the next begins is never that much later.
 */
export const LATE_MS = 100;

/**
 * Whether a save counts no more, of which `newestMs` is the newest server time among those of its team that came before it in
 * the log and count. What was spooled may reach the log behind a newer save that another node took, so it goes by server
 * time. All others go by their order in the log, unless they are so late that their append was given up long before
 * (save-spool.ts): of two saves in a row on two nodes the second counts, however their clocks differ.
 */
export const isOvertaken = (serverTsMs: number, newestMs: number, spooled: boolean): boolean =>
  newestMs - serverTsMs > (spooled ? 0 : LATE_MS);

/** The record as it waits in a spool (save-spool.ts). */
export function asSpooled(record: Uint8Array): Uint8Array {
  const marked = record.slice();
  marked[SPOOLED_AT] = 1;
  return marked;
}

export const isSpooled = (record: Uint8Array, at = 0): boolean => record[at + SPOOLED_AT] === 1;

export function decodeTeamSave(bytes: Uint8Array): TeamSave {
  assert(bytes.length === TEAM_SAVE_BYTES, `a team save has ${TEAM_SAVE_BYTES} bytes, not ${bytes.length}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return {
    entryId: view.getFloat64(0, true) as EntryId,
    serverTsMs: view.getFloat64(8, true),
    roster: bytes.slice(16, 16 + ROSTER_SIZE),
    matchId: view.getUint32(28, true) as MatchId,
  };
}

export function encodeContestJoin(join: ContestJoin): Uint8Array {
  const bytes = new Uint8Array(CONTEST_JOIN_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, join.contestId, true);
  view.setUint32(4, join.matchId, true);
  view.setFloat64(8, join.entryId, true);
  view.setFloat64(16, join.serverTsMs, true);
  return bytes;
}

export function decodeContestJoin(bytes: Uint8Array): ContestJoin {
  assert(bytes.length === CONTEST_JOIN_BYTES, `a contest join has ${CONTEST_JOIN_BYTES} bytes, not ${bytes.length}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return {
    contestId: view.getUint32(0, true) as ContestId,
    matchId: view.getUint32(4, true) as MatchId,
    entryId: view.getFloat64(8, true) as EntryId,
    serverTsMs: view.getFloat64(16, true),
  };
}
