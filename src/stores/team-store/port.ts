import type { ContestId, EntryId, MatchId, UserId } from "../../domain/ids.ts";
import type { PointsQp } from "../../domain/points.ts";
import type { Roster } from "../../domain/roster.ts";

/**
 * What happened, append-only: every version of every team, the points log, samples of boards, final totals.
 *
 * Law:
 * - Appending the same row again changes nothing (rows are keyed by what they are, not by when they came).
 * - Team versions and the consumer's position are one commit: after a crash the position never is ahead of the rows, and
 *   rows ahead of the position are the same rows again.
 * - What resolved is durable.
 */
export interface TeamStore {
  /** `nextOffset`: the first offset of the partition that is not covered by these rows. */
  appendTeams(partition: number, rows: readonly TeamVersion[], nextOffset: number): Promise<void>;
  /** Where the materialiser goes on; 0 before its first commit. */
  teamsPosition(partition: number): Promise<number>;
  /** The newest version of each team of the user in the match, by team number. */
  teams(match: MatchId, user: UserId): Promise<TeamVersion[]>;
  /** All versions of one team, oldest first. */
  versions(match: MatchId, entry: EntryId): Promise<TeamVersion[]>;

  appendPoints(row: PointsRow): Promise<void>;
  /** In order of version, from `afterVersion` (exclusive). */
  points(match: MatchId, afterVersion: number, limit: number): Promise<PointsRow[]>;

  /** The row with the highest version, or null. */
  newestPoints(match: MatchId): Promise<PointsRow | null>;

  appendSample(row: BoardSample): Promise<void>;
  /** In order of version. */
  samples(contest: ContestId, slice: number): Promise<BoardSample[]>;

  putTotals(contest: ContestId, rows: readonly EntryTotal[]): Promise<void>;
  totals(contest: ContestId, entries: readonly EntryId[]): Promise<EntryTotal[]>;
  /** Says what the totals of a contest are of; the last mark put is the one that is read. */
  markTotals(contest: ContestId, mark: TotalsMark): Promise<void>;
  /** null: nothing was ever said. */
  totalsMark(contest: ContestId): Promise<TotalsMark | null>;
  close(): Promise<void>;
}

export interface TeamVersion {
  readonly matchId: MatchId;
  readonly entryId: EntryId;
  /** Offset of the save in its partition of `team-saves`, plus one: larger is newer, gaps mean nothing. */
  readonly version: number;
  readonly savedAtMs: number;
  readonly roster: Roster;
}

export interface PointsRow {
  readonly matchId: MatchId;
  /** Rises with every change of the match's points, from 1. */
  readonly version: number;
  readonly atMs: number;
  /** The JSON points update as published. */
  readonly payload: Uint8Array;
}

/**
 * Histogram of one slice of a contest under the points of one version, which with the contest and slice names it; with a
 * roster and these points it gives how many entries of the slice scored more then.
 */
export interface BoardSample {
  readonly contestId: ContestId;
  readonly slice: number;
  readonly atMs: number;
  readonly pointsVersion: number;
  readonly payload: Uint8Array;
}

export interface EntryTotal {
  readonly entryId: EntryId;
  readonly scoreQp: PointsQp;
  readonly rank: number;
  readonly prizePaise: number;
}

/** What the totals of a contest are of, put when they all are. */
export interface TotalsMark {
  readonly pointsVersion: number;
  /** false: a contest that is not played pays nobody. */
  readonly hasPrizes: boolean;
  /** false: others are being written, so the rows are of different versions. */
  readonly isWhole: boolean;
  /** The board as it is copied (mirror/board-copy.ts): one row brings it back, however many entries it has. */
  readonly board: Uint8Array;
}
