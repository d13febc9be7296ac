import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { assert } from "../../domain/assert.ts";
import type { ContestId } from "../../domain/ids.ts";
import type { LockedTeams } from "../index/port.ts";
import type { ContestColumns } from "../kernel/port.ts";
import { tileBytes } from "../kernel/tiles.ts";
import { ContestColumns as ColumnsStruct } from "./generated/powerplay/board/contest-columns.ts";
import { Rosters } from "./generated/powerplay/board/rosters.ts";
import {
  alignUp,
  byteBuffer,
  bytesOf,
  checksumOf,
  type PutChecksum,
  SEGMENT_BYTES_MAX,
  segmentHead,
} from "./segment.ts";
import {
  assertRoom,
  type BoardIdentity,
  boardName,
  BUILDING_SUFFIX,
  FORMAT_VERSION,
  rostersFile,
  syncDirectory,
  writeFully,
} from "./shared-memory.ts";
import { createStandings, standingsBytes } from "./standings-file.ts";
import { teamsBytes, writeTeams } from "./teams-file.ts";

export interface ContestSize {
  readonly contestId: ContestId;
  /** At least 1: a contest without entries has no standing. */
  readonly entryCount: number;
}

export interface BoardPlan extends BoardIdentity {
  /** Position in the event log up to which the entries were taken. */
  readonly logPosition: string;
  readonly contests: readonly ContestSize[];
  /** Every team that was saved in time, in one of the contests or not. */
  readonly teams: LockedTeams;
  /** Bytes of a segment at most; smaller only in tests. */
  readonly segmentBytesMax?: number;
}

interface Placed extends ContestSize {
  readonly entryIdsOffset: number;
  readonly tilesOffset: number;
}

/** Room for the head of a segment beside its columns. */
const headBytes = (contestCount: number): number => 4096 + contestCount * ColumnsStruct.sizeOf();
const columnBytes = (entryCount: number): number => alignUp(entryCount * 8) + tileBytes(entryCount);

export const putRostersChecksum: PutChecksum = (head, checksum) =>
  Rosters.getRootAsRosters(head).mutate_checksum(checksum);

/** Contests in the given order, as many to a segment as fit; a contest never spans two. At least one segment. */
export function planSegments(contests: readonly ContestSize[], segmentBytesMax = SEGMENT_BYTES_MAX): ContestSize[][] {
  const segments: ContestSize[][] = [[]];
  let bytes = 0;
  for (const contest of contests) {
    const needed = columnBytes(contest.entryCount);
    assert(contest.entryCount >= 1, `contest ${contest.contestId} has no entries`);
    assert(needed + headBytes(1) <= segmentBytesMax, `contest ${contest.contestId} needs more than one slice`);
    if (headBytes(segments.at(-1)!.length + 1) + bytes + needed > segmentBytesMax) {
      segments.push([]);
      bytes = 0;
    }
    segments.at(-1)!.push(contest);
    bytes += needed;
  }
  return segments;
}

/** The memory that a sealed board takes, all files together. */
export function boardBytes(contests: readonly ContestSize[], teamCount: number): number {
  const segments = planSegments(contests);
  const rosters = contests.reduce((bytes, contest) => bytes + columnBytes(contest.entryCount), 0);
  const fixed = segments.length * 4096 + headBytes(contests.length);
  return rosters + fixed + standingsBytes(contests) + teamsBytes(teamCount);
}

/**
 * Writes one board: create, append every contest of the plan in its order, seal. A board without contests has its teams. The board appears to readers by the rename
 * in `seal`; a writer that dies before leaves a directory that no reader opens and the next writer removes.
 */
export class BoardWriter {
  readonly #directory: string;
  readonly #plan: BoardPlan;
  readonly #boardId = crypto.getRandomValues(new BigUint64Array(1))[0]!;
  readonly #segments: ContestSize[][];
  #segment = -1;
  #file = -1;
  #head: Uint8Array = new Uint8Array(0);
  #placed: Placed[] = [];
  #appended = 0;
  #checksum = 0n;

  /** Throws NotEnoughMemoryError. */
  static create(directory: string, plan: BoardPlan): BoardWriter {
    return new BoardWriter(directory, plan);
  }

  private constructor(directory: string, plan: BoardPlan) {
    this.#directory = directory;
    this.#plan = plan;
    this.#segments = planSegments(plan.contests, plan.segmentBytesMax);
    rmSync(this.#buildingPath, { recursive: true, force: true });
    assertRoom(directory, boardBytes(plan.contests, plan.teams.entryIds.length));
    mkdirSync(this.#buildingPath);
  }

  get #buildingPath(): string {
    return this.#path + BUILDING_SUFFIX;
  }

  get #path(): string {
    return join(this.#directory, boardName(this.#plan));
  }

  /** The next contest of the plan: ids strictly ascending, rosters in tiles. The buffers may be reused afterwards. */
  append(contestId: ContestId, columns: ContestColumns): void {
    if (this.#file < 0) this.#beginSegment();
    const placed = this.#placed[this.#appended]!;
    assert(placed.contestId === contestId, `contest ${placed.contestId} comes next, not ${contestId}`);
    assert(
      placed.entryCount === columns.entryCount,
      `contest ${contestId} was planned with ${placed.entryCount} entries`,
    );
    const ids = columns.entryIds.subarray(0, columns.entryCount);
    const tiles = columns.tiles.subarray(0, tileBytes(columns.entryCount));
    const idBytes = bytesOf(ids);
    writeFully(this.#file, idBytes, this.#head.length + placed.entryIdsOffset);
    writeFully(this.#file, tiles, this.#head.length + placed.tilesOffset);
    this.#checksum = checksumOf(tiles, checksumOf(idBytes, this.#checksum));
    this.#appended++;
    if (this.#appended === this.#placed.length) this.#endSegment();
  }

  /** Publishes the board, replacing one of the same identity. Returns its path. */
  seal(): string {
    if (this.#plan.contests.length === 0) {
      this.#beginSegment();
      this.#endSegment();
    }
    assert(
      this.#segment === this.#segments.length - 1 && this.#file < 0,
      "every planned contest is appended before the seal",
    );
    writeTeams(this.#buildingPath, this.#plan, this.#boardId, this.#plan.teams);
    createStandings(this.#buildingPath, this.#plan, this.#boardId, this.#plan.contests);
    syncDirectory(this.#buildingPath);
    // A rename does not replace a directory that holds files. Between these two there is no board, which means rebuild.
    rmSync(this.#path, { recursive: true, force: true });
    renameSync(this.#buildingPath, this.#path);
    syncDirectory(this.#directory);
    return this.#path;
  }

  /** Gives the memory back when the board is not wanted after all. */
  abandon(): void {
    if (this.#file >= 0) closeSync(this.#file);
    this.#file = -1;
    rmSync(this.#buildingPath, { recursive: true, force: true });
  }

  #beginSegment(): void {
    this.#segment++;
    const contests = this.#segments[this.#segment];
    assert(contests !== undefined, "no contest beyond the plan");
    let offset = 0;
    this.#placed = contests.map((contest) => {
      const entryIdsOffset = offset;
      const tilesOffset = entryIdsOffset + alignUp(contest.entryCount * 8);
      offset = tilesOffset + tileBytes(contest.entryCount);
      return { ...contest, entryIdsOffset, tilesOffset };
    });
    this.#appended = 0;
    this.#head = this.#buildHead(offset);
    this.#checksum = checksumOf(this.#head, 0n);
    this.#file = openSync(join(this.#buildingPath, rostersFile(this.#segment)), "wx");
    writeFully(this.#file, this.#head, 0);
  }

  #endSegment(): void {
    putRostersChecksum(byteBuffer(this.#head), this.#checksum);
    writeFully(this.#file, this.#head, 0);
    fsyncSync(this.#file);
    closeSync(this.#file);
    this.#file = -1;
  }

  #buildHead(bulkBytes: number): Uint8Array {
    const plan = this.#plan;
    const entryCount = this.#placed.reduce((sum, contest) => sum + contest.entryCount, 0);
    return segmentHead(bulkBytes, (builder, bulk) => {
      const logPosition = builder.createString(plan.logPosition);
      Rosters.startContestsVector(builder, this.#placed.length);
      for (const placed of this.#placed.toReversed()) {
        ColumnsStruct.createContestColumns(
          builder,
          placed.contestId,
          placed.entryCount,
          BigInt(placed.entryIdsOffset),
          BigInt(placed.tilesOffset),
        );
      }
      const contests = builder.endVector();
      Rosters.startRosters(builder);
      Rosters.addFormatVersion(builder, FORMAT_VERSION);
      Rosters.addBoardId(builder, this.#boardId);
      Rosters.addMatchId(builder, plan.matchId);
      Rosters.addSlice(builder, plan.slice);
      Rosters.addSliceCount(builder, plan.sliceCount);
      Rosters.addSegment(builder, this.#segment);
      Rosters.addSegmentCount(builder, this.#segments.length);
      Rosters.addLogPosition(builder, logPosition);
      Rosters.addEntryCount(builder, BigInt(entryCount));
      Rosters.addContests(builder, contests);
      Rosters.addChecksum(builder, 0n);
      Rosters.addColumns(builder, bulk);
      return Rosters.endRosters(builder);
    });
  }
}
