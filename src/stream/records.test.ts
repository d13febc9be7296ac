import { expect, test } from "bun:test";
import { contestId, entryId, matchId, teamNo, userId } from "../domain/ids.ts";
import {
  CONTEST_JOIN_BYTES,
  decodeContestJoin,
  decodeTeamSave,
  encodeContestJoin,
  encodeTeamSave,
  TEAM_SAVE_BYTES,
} from "./records.ts";

const save = {
  entryId: entryId(userId(2 ** 46 - 1), teamNo(63)),
  matchId: matchId(2 ** 31 - 1),
  serverTsMs: 1_767_225_600_123,
  roster: Uint8Array.of(63, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9),
};

test("a team save is 32 bytes and comes back as it was, with the largest ids", () => {
  expect(encodeTeamSave(save)).toHaveLength(TEAM_SAVE_BYTES);
  expect(decodeTeamSave(encodeTeamSave(save))).toEqual(save);
});

test("a contest join is 24 bytes and comes back as it was, with the largest ids", () => {
  const { entryId: entry, matchId: match, serverTsMs } = save;
  const join = { contestId: contestId(2 ** 31 - 1), matchId: match, entryId: entry, serverTsMs };
  expect(encodeContestJoin(join)).toHaveLength(CONTEST_JOIN_BYTES);
  expect(decodeContestJoin(encodeContestJoin(join))).toEqual(join);
});
