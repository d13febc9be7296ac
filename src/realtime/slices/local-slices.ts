import { TEAMS_PER_USER_MAX } from "../../domain/contest.ts";
import { type ContestId, type EntryId, entryId, type MatchId, type TeamNo, type UserId } from "../../domain/ids.ts";
import { HASH_BYTES } from "../../domain/merkle.ts";
import type { Roster } from "../../domain/roster.ts";
import type { EntryRange, ScoredEntries, ScoreUnder } from "../board/board-protocol.ts";
import { countAboveInCompact } from "../board/compact-standing.ts";
import type { BoardEngine } from "../board/engine.ts";
import { KEPT_ENTRY_COUNT_MIN, type PointsAt } from "../board/history.ts";
import type { LockedSlice } from "../locked-slice.ts";
import type { MatchBoards } from "../match-boards.ts";
import {
  type ContestSlice,
  type OwnRoster,
  type ScoreAtBall,
  SliceLoading,
  type SliceOf,
  type SliceProof,
  type SliceQuestions,
  type SliceRoot,
} from "./slice-questions.ts";

export interface LocalSlicesDeps {
  readonly boards: MatchBoards;
  readonly engine: BoardEngine;
  /** Told when a slice is asked for that is not open: of a match whose prizes are paid, it comes back on demand. */
  readonly missing: (match: MatchId) => void;
}

const NOBODY: ScoredEntries = { entryIds: new Float64Array(0), scoresQp: new Int16Array(0) };

/** Answers from the boards of this node. */
export class LocalSlices implements SliceQuestions {
  readonly #deps: LocalSlicesDeps;

  constructor(deps: LocalSlicesDeps) {
    this.#deps = deps;
  }

  async standings(of: SliceOf, contests: readonly ContestId[], at: PointsAt) {
    const slice = this.#open(of);
    const { board, identity } = slice;
    const found = new Map<ContestId, Uint8Array>();
    for (const contest of contests) {
      if (!board.contests.has(contest)) continue;
      const shown = board.standing(contest);
      found.set(
        contest,
        shown?.pointsVersion === at.pointsVersion
          ? shown.standing.bytes
          : await this.#unlessGone(of, slice, this.#deps.engine.standingUnder(identity, contest, at.points)),
      );
    }
    return found;
  }

  async entriesOfUsers(of: ContestSlice, users: readonly UserId[]): Promise<OwnRoster[]> {
    const { board } = this.#open(of);
    const found: OwnRoster[] = [];
    for (const user of users) {
      for (let team = 1; team <= TEAMS_PER_USER_MAX; team++) {
        const entry = entryId(user, team as TeamNo);
        const roster = board.roster(of.contestId, entry);
        if (roster !== undefined) found.push({ entryId: entry, roster });
      }
    }
    return found;
  }

  async entries(of: ContestSlice, range: EntryRange): Promise<ScoredEntries> {
    const slice = this.#open(of);
    if (!slice.board.contests.has(of.contestId)) return NOBODY;
    return this.#unlessGone(of, slice, this.#deps.engine.entries(slice.identity, of.contestId, range));
  }

  async countTied(of: ContestSlice, tie: ScoreUnder, below: readonly number[]): Promise<readonly number[]> {
    const slice = this.#open(of);
    if (!slice.board.contests.has(of.contestId)) return below.map(() => 0);
    return this.#unlessGone(of, slice, this.#deps.engine.countTied(slice.identity, of.contestId, tie, below));
  }

  async countsAbove(of: ContestSlice, asked: readonly ScoreAtBall[]): Promise<readonly number[]> {
    const { contestId } = of;
    const slice = this.#open(of);
    const entryCount = slice.board.contests.get(contestId)?.entryCount;
    if (entryCount === undefined) return asked.map(() => 0);
    if (entryCount < KEPT_ENTRY_COUNT_MIN) {
      return this.#unlessGone(of, slice, this.#deps.engine.countsAbove(slice.identity, contestId, asked));
    }
    await this.#unlessGone(of, slice, this.#keepMissing(slice, contestId, asked));
    return asked.map(({ pointsVersion, scoreQp }) =>
      countAboveInCompact(slice.kept.get(pointsVersion)!.get(contestId)!, scoreQp),
    );
  }

  async entryCounts(of: SliceOf): Promise<ReadonlyMap<ContestId, number>> {
    return new Map(Array.from(this.#open(of).board.contests, ([contest, { entryCount }]) => [contest, entryCount]));
  }

  async rosterOf(of: SliceOf, entry: EntryId): Promise<Roster | null> {
    return this.#open(of).rosterOf(entry);
  }

  async commitment(of: SliceOf): Promise<SliceRoot | null> {
    const slice = this.#open(of);
    if (slice.teams.entryIds.length === 0) return { root: new Uint8Array(HASH_BYTES), teamCount: 0 };
    const commitment = slice.commitment();
    return commitment && { root: commitment.root, teamCount: commitment.teamCount };
  }

  async proof(of: SliceOf, entry: EntryId): Promise<SliceProof | null> {
    const slice = this.#open(of);
    const leafIndex = slice.leafIndexOf(entry);
    const commitment = slice.commitment();
    if (leafIndex === null || commitment === null) return null;
    const { root, teamCount } = commitment;
    const siblings = commitment.proof(leafIndex);
    return { root, teamCount, slice: of.slice, leafIndex, roster: slice.rosterOf(entry)!, siblings };
  }

  async #keepMissing(slice: LockedSlice, contest: ContestId, asked: readonly ScoreAtBall[]): Promise<void> {
    const missing = asked.filter(({ pointsVersion }) => slice.kept.get(pointsVersion)?.has(contest) !== true);
    if (missing.length === 0) return;
    const points = missing.map((each) => each.points);
    const compact = await this.#deps.engine.compactUnder(slice.identity, contest, points);
    for (const [index, { pointsVersion }] of missing.entries()) slice.keep(pointsVersion, contest, compact[index]!);
  }

  /** A slice may go to another node while it is asked. */
  async #unlessGone<Answer>(of: SliceOf, slice: LockedSlice, asking: Promise<Answer>): Promise<Answer> {
    try {
      return await asking;
    } catch (error) {
      if (this.#deps.boards.slice(of.matchId, of.slice) === slice) throw error;
      throw new SliceLoading(of, "went to another node", { cause: error });
    }
  }

  #open(of: SliceOf): LockedSlice {
    const { boards, missing } = this.#deps;
    const slice = boards.slice(of.matchId, of.slice);
    if (slice !== undefined) return slice;
    missing(of.matchId);
    throw new SliceLoading(of, "is not open yet");
  }
}
