import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { assert } from "../../domain/assert.ts";
import type { ContestId, EntryId } from "../../domain/ids.ts";
import type { PointsVector } from "../../domain/points.ts";
import type { Roster } from "../../domain/roster.ts";
import { assertPoints, type ContestColumns, type Kernel, type Pass } from "../kernel/port.ts";
import type { LockedTeams } from "../index/port.ts";
import { slotBytes, usedSlotBytes } from "../kernel/slot.ts";
import { rosterAt, tileBytes } from "../kernel/tiles.ts";
import { ContestColumns as ColumnsStruct } from "./generated/powerplay/board/contest-columns.ts";
import { Rosters } from "./generated/powerplay/board/rosters.ts";
import { indexOfId } from "./queries.ts";
import { putRostersChecksum } from "./board-writer.ts";
import type { Commitment } from "./commitment.ts";
import { readCommitment } from "./commitment-file.ts";
import { byteBuffer, bytesOf, headOf, mapSegment, type Refusal, sealedChecksum } from "./segment.ts";
import { type BoardIdentity, boardName, FORMAT_VERSION, rostersFile } from "./shared-memory.ts";
import { Standing } from "./standing.ts";
import { openTeams } from "./teams-file.ts";
import { createStandings, type Generation, type StandingAt, StandingsFile } from "./standings-file.ts";

export interface BoardContest extends ContestColumns {
  readonly contestId: ContestId;
}

export interface OpenOptions {
  /** Reads every byte to check it (24 GB/s); a process that only reads may trust the owner that did. */
  readonly verify: boolean;
  /** The one process that runs passes: it makes a new standings file where there is no valid one. */
  readonly owner: boolean;
}

export type BoardOpening = { readonly ok: true; readonly board: Board } | Refusal;

/**
 * A sealed board, mapped. Rosters are private mappings: shared memory as long as it is only read, and no stray write can ever
 * reach the file. A board that does not open is rebuilt from the log.
 */
export class Board {
  private constructor(
    readonly path: string,
    readonly boardId: bigint,
    readonly logPosition: string,
    readonly contests: ReadonlyMap<ContestId, BoardContest>,
    readonly entryCount: number,
    /** Every team of the match, in a contest or not. */
    readonly teams: LockedTeams,
    readonly standings: StandingsFile,
  ) {}

  #commitment: Commitment | null = null;
  #prepared: { readonly kernel: Kernel; readonly pass: Pass } | undefined;

  static open(directory: string, identity: BoardIdentity, options: OpenOptions): BoardOpening {
    try {
      return Board.#open(directory, identity, options);
    } catch (error) {
      // Damaged offsets lead anywhere, mostly beyond the end of the file.
      if (!(error instanceof RangeError)) throw error;
      return { ok: false, reason: `${boardName(identity)} is damaged: ${error.message}` };
    }
  }

  static #open(directory: string, identity: BoardIdentity, options: OpenOptions): BoardOpening {
    const path = join(directory, boardName(identity));
    if (!existsSync(path)) return { ok: false, reason: `${path} is not there` };
    const contests = new Map<ContestId, BoardContest>();
    let first: Rosters | undefined;
    let entryCount = 0;
    for (let segment = 0; segment < (first?.segmentCount() ?? 1); segment++) {
      const opening = openSegment(join(path, rostersFile(segment)), identity, options.verify);
      if (!opening.ok) return opening;
      first ??= opening.root;
      if (opening.root.boardId() !== first.boardId() || opening.root.segment() !== segment) {
        return { ok: false, reason: `${path} mixes the files of different boards` };
      }
      for (const contest of opening.contests) contests.set(contest.contestId, contest);
      entryCount += Number(opening.root.entryCount());
    }
    assert(first !== undefined, "a board has at least one segment");

    const boardId = first.boardId();
    const teams = openTeams(path, boardId, options.verify);
    if (!teams.ok) return teams;

    let standings = StandingsFile.open(path);
    if (options.owner && (!standings.ok || standings.file.boardId !== boardId)) {
      createStandings(path, identity, boardId, [...contests.values()]);
      standings = StandingsFile.open(path);
    }
    if (!standings.ok) return standings;
    if (standings.file.boardId !== boardId) return { ok: false, reason: `${path} mixes the files of different boards` };
    const logPosition = first.logPosition() ?? "";
    const board = new Board(path, boardId, logPosition, contests, entryCount, teams.teams, standings.file);
    return { ok: true, board };
  }

  static remove(directory: string, identity: BoardIdentity): void {
    rmSync(join(directory, boardName(identity)), { recursive: true, force: true });
  }

  /** Re-scores every contest and publishes the standings, all at once. Only the owner; blocks for the length of a pass. */
  rescore(kernel: Kernel, generation: Generation): void {
    assertPoints(generation.points);
    if (this.#prepared?.kernel !== kernel) this.#prepared = { kernel, pass: this.#prepare(kernel) };
    const { arena } = this.standings.beginPass();
    this.#prepared.pass.run(generation.points, arena);
    this.standings.publishPass(generation);
  }

  published(): Generation | undefined {
    return this.standings.generation();
  }

  standing(contestId: ContestId): StandingAt | undefined {
    return this.standings.standing(contestId);
  }

  /** The locked roster of an entry, or undefined if it is not in the contest. */
  roster(contestId: ContestId, entry: EntryId): Roster | undefined {
    const contest = this.contests.get(contestId);
    const position = contest === undefined ? -1 : indexOfId(contest.entryIds, entry);
    return position < 0 ? undefined : rosterAt(contest!.tiles, position);
  }

  /** The commitment to all teams; null until it was written, shortly after the seal. */
  commitment(): Commitment | null {
    try {
      this.#commitment ??= readCommitment(this.path, this.boardId, this.teams);
    } catch (error) {
      // As with the other files: damaged offsets lead beyond the end.
      if (!(error instanceof RangeError)) throw error;
    }
    return this.#commitment;
  }

  #prepare(kernel: Kernel): Pass {
    return kernel.preparePass(
      Array.from(this.contests.values(), (contest) => {
        const slot = this.standings.slotOf(contest.contestId);
        assert(slot?.entryCount === contest.entryCount, "rosters and standings agree on their contests");
        return { ...contest, slotOffset: slot.offset };
      }),
    );
  }
}

/** The standing of one contest under any points, for example those of an earlier ball. */
export function standingOf(kernel: Kernel, columns: ContestColumns, points: PointsVector): Standing {
  assertPoints(points);
  const arena = new Uint8Array(slotBytes(columns.entryCount));
  kernel.preparePass([{ ...columns, slotOffset: 0 }]).run(points, arena);
  return new Standing(arena.slice(0, usedSlotBytes(arena)));
}

type SegmentOpening =
  { readonly ok: true; readonly root: Rosters; readonly contests: readonly BoardContest[] } | Refusal;

function openSegment(path: string, identity: BoardIdentity, verify: boolean): SegmentOpening {
  const refuse = (what: string): Refusal => ({ ok: false, reason: `${path} ${what}` });
  const mapped = mapSegment(path);
  if (!mapped.ok) return mapped;
  const { bytes } = mapped;
  const root = Rosters.getRootAsRosters(byteBuffer(bytes));
  if (root.formatVersion() !== FORMAT_VERSION) return refuse(`has format version ${root.formatVersion()}`);
  if (root.matchId() !== identity.matchId || root.slice() !== identity.slice) return refuse("is of another board");
  if (root.sliceCount() !== identity.sliceCount) return refuse("is of another board");
  const columns = root.columnsArray();
  if (columns === null || columns.byteOffset + columns.length !== bytes.byteOffset + bytes.length) {
    return refuse("is cut short");
  }

  if (root.contestsLength() * ColumnsStruct.sizeOf() > bytes.length) return refuse("is damaged");
  const contests: BoardContest[] = [];
  const struct = new ColumnsStruct();
  for (let index = 0; index < root.contestsLength(); index++) {
    root.contests(index, struct);
    const entryCount = struct.entryCount();
    const idsAt = columns.byteOffset + Number(struct.entryIdsOffset());
    const tilesAt = columns.byteOffset + Number(struct.tilesOffset());
    if (tilesAt + tileBytes(entryCount) > bytes.byteOffset + bytes.length)
      return refuse("has a contest beyond its end");
    contests.push({
      contestId: struct.contestId() as ContestId,
      entryCount,
      entryIds: new Float64Array(bytes.buffer, idsAt, entryCount),
      tiles: new Uint8Array(bytes.buffer, tilesAt, tileBytes(entryCount)),
    });
  }
  if (verify) {
    const parts = contests.flatMap(({ entryIds, tiles }) => [bytesOf(entryIds), tiles]);
    if (sealedChecksum(headOf(bytes, columns), parts, putRostersChecksum) !== root.checksum()) {
      return refuse("has a wrong checksum");
    }
  }
  return { ok: true, root, contests };
}
