import { join } from "node:path";
import { ROSTER_SIZE } from "../../domain/roster.ts";
import type { LockedTeams } from "../index/port.ts";
import { Teams } from "./generated/powerplay/board/teams.ts";
import {
  alignUp,
  byteBuffer,
  bytesOf,
  headOf,
  mapSegment,
  type PutChecksum,
  type Refusal,
  sealedChecksum,
  segmentHead,
  writeSegment,
} from "./segment.ts";
import { type BoardIdentity, FORMAT_VERSION, TEAMS_FILE } from "./shared-memory.ts";

const rostersAt = (teamCount: number): number => alignUp(teamCount * 8);
const bulkBytes = (teamCount: number): number => rostersAt(teamCount) + teamCount * ROSTER_SIZE;
export const teamsBytes = (teamCount: number): number => 4096 + bulkBytes(teamCount);

const putChecksum: PutChecksum = (head, checksum) => Teams.getRootAsTeams(head).mutate_checksum(checksum);

export function writeTeams(directory: string, identity: BoardIdentity, boardId: bigint, teams: LockedTeams): void {
  const teamCount = teams.entryIds.length;
  const head = segmentHead(bulkBytes(teamCount), (builder, columns) => {
    Teams.startTeams(builder);
    Teams.addFormatVersion(builder, FORMAT_VERSION);
    Teams.addBoardId(builder, boardId);
    Teams.addMatchId(builder, identity.matchId);
    Teams.addSlice(builder, identity.slice);
    Teams.addSliceCount(builder, identity.sliceCount);
    Teams.addTeamCount(builder, teamCount);
    Teams.addChecksum(builder, 0n);
    Teams.addColumns(builder, columns);
    return Teams.endTeams(builder);
  });
  const parts = [
    { bytes: bytesOf(teams.entryIds), at: 0 },
    { bytes: teams.rosters, at: rostersAt(teamCount) },
  ];
  writeSegment(join(directory, TEAMS_FILE), head, parts, putChecksum);
}

/** Maps the teams of the board `boardId` in a directory; `verify` reads every byte. */
export function openTeams(
  directory: string,
  boardId: bigint,
  verify: boolean,
): { readonly ok: true; readonly teams: LockedTeams } | Refusal {
  const path = join(directory, TEAMS_FILE);
  const refuse = (what: string): Refusal => ({ ok: false, reason: `${path} ${what}` });
  const mapped = mapSegment(path);
  if (!mapped.ok) return mapped;
  const { bytes } = mapped;
  const root = Teams.getRootAsTeams(byteBuffer(bytes));
  if (root.formatVersion() !== FORMAT_VERSION) return refuse(`has format version ${root.formatVersion()}`);
  if (root.boardId() !== boardId) return refuse("is of another board");
  const columns = root.columnsArray();
  const teamCount = root.teamCount();
  if (columns === null || columns.length !== bulkBytes(teamCount)) return refuse("is cut short");
  const teams = {
    entryIds: new Float64Array(columns.buffer, columns.byteOffset, teamCount),
    rosters: columns.subarray(rostersAt(teamCount)),
  };
  if (verify) {
    const checksum = sealedChecksum(headOf(bytes, columns), [bytesOf(teams.entryIds), teams.rosters], putChecksum);
    if (checksum !== root.checksum()) return refuse("has a wrong checksum");
  }
  return { ok: true, teams };
}
