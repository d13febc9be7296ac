import type { ContestId, EntryId, MatchId, UserId } from "../../domain/ids.ts";
import type { PointsVector } from "../../domain/points.ts";
import type { Roster } from "../../domain/roster.ts";
import { StoreUnavailable } from "../../stores/unavailable.ts";
import type { EntryRange, ScoredEntries, ScoreUnder } from "../board/board-protocol.ts";
import type { PointsAt } from "../board/history.ts";

/** A slice of a match. */
export interface SliceOf {
  readonly matchId: MatchId;
  readonly slice: number;
}

/** The part of a contest that lies in a slice. */
export interface ContestSlice extends SliceOf {
  readonly contestId: ContestId;
}

/**
 * What is asked of a slice, wherever it is. Whoever asks brings the points: a score is a function of a roster and points, so
 * answers of several slices are of one moment, whatever ball each of them shows at the time.
 *
 * Every call rejects with `SliceLoading` while the slice is not open where it was looked for.
 */
export interface SliceQuestions {
  /** Bytes of the `Standing` of each of the contests under these points; contests that nobody of the slice entered are left out. */
  standings(of: SliceOf, contests: readonly ContestId[], at: PointsAt): Promise<ReadonlyMap<ContestId, Uint8Array>>;
  /** The entries that these users have in the contest. */
  entriesOfUsers(of: ContestSlice, users: readonly UserId[]): Promise<readonly OwnRoster[]>;
  entries(of: ContestSlice, range: EntryRange): Promise<ScoredEntries>;
  /** How many entries tied at the score have a lower id than each of `below`. */
  countTied(of: ContestSlice, tie: ScoreUnder, below: readonly number[]): Promise<readonly number[]>;
  /** How many entries score more, by position. */
  countsAbove(of: ContestSlice, asked: readonly ScoreAtBall[]): Promise<readonly number[]>;
  entryCounts(of: SliceOf): Promise<ReadonlyMap<ContestId, number>>;
  /** The locked roster of a team, in a contest or not; null when none was saved in time. */
  rosterOf(of: SliceOf, entry: EntryId): Promise<Roster | null>;
  /** null: it is being computed. */
  commitment(of: SliceOf): Promise<SliceRoot | null>;
  /** null: the team is not in the slice, or the commitment is being computed. */
  proof(of: SliceOf, entry: EntryId): Promise<SliceProof | null>;
}

export interface OwnRoster {
  readonly entryId: EntryId;
  readonly roster: Roster;
}

export interface ScoreAtBall {
  readonly pointsVersion: number;
  readonly points: PointsVector;
  readonly scoreQp: number;
}

/** The Merkle root over the teams of a slice; 32 zero bytes over none. */
export interface SliceRoot {
  readonly root: Uint8Array;
  readonly teamCount: number;
}

export interface SliceProof extends SliceRoot {
  readonly slice: number;
  readonly leafIndex: number;
  readonly roster: Roster;
  readonly siblings: readonly Uint8Array[];
}

/** The board is being built, or is on its way from one node to another: ask again. */
export class SliceLoading extends StoreUnavailable {
  override name = "SliceLoading";

  constructor({ matchId, slice }: SliceOf, why: string, options?: ErrorOptions) {
    super("Boards", `slice ${slice} of match ${matchId} ${why}`, options);
  }
}
