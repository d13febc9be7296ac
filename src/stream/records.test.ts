import { expect, test } from "bun:test";
import { contestId, entryId, teamNo, userId } from "../domain/ids.ts";
import {
  CONTEST_JOIN_BYTES,
  decodeContestJoin,
  decodeTeamSave,
  encodeContestJoin,
  encodeTeamSave,
  putTeamSave,
  TEAM_SAVE_BYTES,
} from "./records.ts";

const save = {
  entryId: entryId(userId(2 ** 46 - 1), teamNo(63)),
  serverTsMs: 1_767_225_600_123,
  roster: Uint8Array.of(63, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9),
};

test("a team save is 32 bytes and comes back as it was, with the largest ids", () => {
  expect(encodeTeamSave(save)).toHaveLength(TEAM_SAVE_BYTES);
  expect(decodeTeamSave(encodeTeamSave(save))).toEqual(save);
});

test("a contest join is 24 bytes and comes back as it was, with the largest ids", () => {
  const join = { contestId: contestId(2 ** 31 - 1), entryId: save.entryId, serverTsMs: save.serverTsMs };
  expect(encodeContestJoin(join)).toHaveLength(CONTEST_JOIN_BYTES);
  expect(decodeContestJoin(encodeContestJoin(join))).toEqual(join);
});

test("records of a batch are read at their offset", () => {
  const batch = new Uint8Array(2 * TEAM_SAVE_BYTES);
  const second = { ...save, roster: save.roster.toReversed() };
  putTeamSave(new DataView(batch.buffer), 0, save);
  putTeamSave(new DataView(batch.buffer), TEAM_SAVE_BYTES, second);
  expect(decodeTeamSave(batch, TEAM_SAVE_BYTES)).toEqual(second);
});
