import type { ContestId, MatchId } from "../../domain/ids.ts";
import type { ContestColumns } from "../kernel/port.ts";

/**
 * Joins what the log says of one match: the newest save of each team that came before the deadline, and the entries of each
 * contest.
 *
 * Law:
 * - Guard three of three: a record whose server time is not before the deadline counts for nothing, whoever wrote it.
 * - The result depends on the records alone, not on how batches are cut or partitions interleaved, so a board can be built
 *   again at any time. Records of one partition come in their order; reading a partition twice changes nothing.
 * - Of a team's saves the last in that order counts; but one out of a spool only if the one that counted
 *   before it has no later server time.
 * - Every engine gives the same bytes.
 */
export interface RosterIndex {
  /** `TeamSave` records of any match, packed (stream/records.ts). Throws on an entry id that is none. */
  addTeamSaves(records: Uint8Array): void;
  /** `ContestJoin` records of any match, packed. */
  addContestJoins(records: Uint8Array): void;
  /** Once, when all records are in; nothing is added afterwards. */
  build(): BuiltIndex;
  /** Gives the memory back; what `build` returned is of no use afterwards. */
  close(): void;
}

/** Every team of a match, or of one of its slices, as it was at the deadline. */
export interface LockedTeams {
  /** Ascending. */
  readonly entryIds: Float64Array;
  /** `ROSTER_SIZE` bytes a team, in the order of `entryIds`. */
  readonly rosters: Uint8Array;
}

export interface IndexedContest {
  readonly contestId: ContestId;
  /** At least 1. */
  readonly entryCount: number;
}

export interface BuiltIndex {
  readonly teams: LockedTeams;
  /** Ascending by id. */
  readonly contests: readonly IndexedContest[];
  /** Announced entries whose team no save in time is known of; a join is refused without a team, so none is expected. */
  readonly entriesWithoutTeam: number;
  /** Columns of `contests[index]`; asked for once each. Buffers are the engine's, until the next call. */
  takeContest(index: number): ContestColumns;
}

/** What an index is of. */
export interface IndexedMatch {
  readonly id: MatchId;
  readonly startMs: number;
}

export type OpenRosterIndex = (match: IndexedMatch) => RosterIndex;
