import { assert } from "../domain/assert.ts";
import type { ContestId, EntryId } from "../domain/ids.ts";
import { ROSTER_SIZE, type Roster } from "../domain/roster.ts";

/**
 * The values of the `team-saves` and `contest-joins` topics: fixed-size little-endian records, so that the index builder
 * can take a batch of the log as it is, end to end, without decoding one by one.
 *
 *     team save     0 f64 entry id    8 f64 server time (UTC ms)    16 u8 roster[11]    27 zero to 32
 *     contest join  0 u32 contest id  4 zero to 8    8 f64 entry id    16 f64 server time (UTC ms), 24 in all
 */
export const TEAM_SAVE_BYTES = 32;
export const CONTEST_JOIN_BYTES = 24;

export interface TeamSave {
  readonly entryId: EntryId;
  readonly serverTsMs: number;
  readonly roster: Roster;
}

export interface ContestJoin {
  readonly contestId: ContestId;
  readonly entryId: EntryId;
  readonly serverTsMs: number;
}

export function encodeTeamSave(save: TeamSave): Uint8Array {
  const record = new Uint8Array(TEAM_SAVE_BYTES);
  putTeamSave(new DataView(record.buffer), 0, save);
  return record;
}

/** Writes into a batch at `offset`. */
export function putTeamSave(batch: DataView, offset: number, save: TeamSave): void {
  assert(save.roster.length === ROSTER_SIZE, `a roster has ${ROSTER_SIZE} bytes`);
  batch.setFloat64(offset, save.entryId, true);
  batch.setFloat64(offset + 8, save.serverTsMs, true);
  for (let slot = 0; slot < ROSTER_SIZE; slot++) batch.setUint8(offset + 16 + slot, save.roster[slot]!);
}

export function decodeTeamSave(batch: Uint8Array, offset = 0): TeamSave {
  const view = new DataView(batch.buffer, batch.byteOffset + offset, TEAM_SAVE_BYTES);
  return {
    entryId: view.getFloat64(0, true) as EntryId,
    serverTsMs: view.getFloat64(8, true),
    roster: batch.slice(offset + 16, offset + 16 + ROSTER_SIZE),
  };
}

export function encodeContestJoin(join: ContestJoin): Uint8Array {
  const record = new Uint8Array(CONTEST_JOIN_BYTES);
  putContestJoin(new DataView(record.buffer), 0, join);
  return record;
}

/** Writes into a batch at `offset`. */
export function putContestJoin(batch: DataView, offset: number, join: ContestJoin): void {
  batch.setUint32(offset, join.contestId, true);
  batch.setFloat64(offset + 8, join.entryId, true);
  batch.setFloat64(offset + 16, join.serverTsMs, true);
}

export function decodeContestJoin(batch: Uint8Array, offset = 0): ContestJoin {
  const view = new DataView(batch.buffer, batch.byteOffset + offset, CONTEST_JOIN_BYTES);
  return {
    contestId: view.getUint32(0, true) as ContestId,
    entryId: view.getFloat64(8, true) as EntryId,
    serverTsMs: view.getFloat64(16, true),
  };
}
