import { renameSync } from "node:fs";
import { join } from "node:path";
import { MerkleTree } from "../../domain/merkle.ts";
import type { LockedTeams } from "../index/port.ts";
import { blockCount, Commitment } from "./commitment.ts";
import { Commitment as CommitmentTable } from "./generated/powerplay/board/commitment.ts";
import {
  byteBuffer,
  headOf,
  mapSegment,
  type PutChecksum,
  sealedChecksum,
  segmentHead,
  writeSegment,
} from "./segment.ts";
import { BUILDING_SUFFIX, COMMITMENT_FILE, FORMAT_VERSION, syncDirectory } from "./shared-memory.ts";

const putChecksum: PutChecksum = (head, checksum) =>
  CommitmentTable.getRootAsCommitment(head).mutate_checksum(checksum);

/** Appears by a rename, so that a reader finds all of it or nothing. */
export function writeCommitment(directory: string, boardId: bigint, { teamCount, top }: Commitment): void {
  const head = segmentHead(top.bytes.length, (builder, levels) => {
    CommitmentTable.startCommitment(builder);
    CommitmentTable.addFormatVersion(builder, FORMAT_VERSION);
    CommitmentTable.addBoardId(builder, boardId);
    CommitmentTable.addTeamCount(builder, teamCount);
    CommitmentTable.addChecksum(builder, 0n);
    CommitmentTable.addLevels(builder, levels);
    return CommitmentTable.endCommitment(builder);
  });
  const path = join(directory, COMMITMENT_FILE);
  writeSegment(path + BUILDING_SUFFIX, head, [{ bytes: top.bytes, at: 0 }], putChecksum);
  renameSync(path + BUILDING_SUFFIX, path);
  syncDirectory(directory);
}

/** null: not there, or not of this board, or damaged; it is computed from the teams then. A few MB, always checked. */
export function readCommitment(directory: string, boardId: bigint, teams: LockedTeams): Commitment | null {
  const mapped = mapSegment(join(directory, COMMITMENT_FILE));
  if (!mapped.ok) return null;
  const root = CommitmentTable.getRootAsCommitment(byteBuffer(mapped.bytes));
  const teamCount = teams.entryIds.length;
  if (root.formatVersion() !== FORMAT_VERSION || root.boardId() !== boardId || root.teamCount() !== teamCount)
    return null;
  const levels = root.levelsArray();
  if (levels === null || levels.length !== MerkleTree.byteCount(blockCount(teamCount))) return null;
  if (sealedChecksum(headOf(mapped.bytes, levels), [levels], putChecksum) !== root.checksum()) return null;
  return new Commitment(teams, MerkleTree.of(blockCount(teamCount), levels));
}
