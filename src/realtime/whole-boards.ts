import { LRUCache } from "lru-cache";
import type { Slices } from "../cluster/slices.ts";
import { type ContestId, type EntryId, type MatchId, type UserId, userOfEntry } from "../domain/ids.ts";
import { sliceRootsRoot } from "../domain/merkle.ts";
import type { Roster } from "../domain/roster.ts";
import { scoreRoster } from "../domain/roster.ts";
import type { TeamStore } from "../stores/team-store/port.ts";
import { decodePointsUpdate, pointsVectorOf } from "../stream/points-update.ts";
import { type FinalScores, NO_SCORES, scoresOfColumns } from "../transaction/final-scores.ts";
import type { RankedPage } from "./board/board-protocol.ts";
import type { BoardEngine } from "./board/engine.ts";
import { type PointsAt, type RankAt, SampleSchedule } from "./board/history.ts";
import type { Standing } from "./board/standing.ts";
import type { StandingAt } from "./board/standings-file.ts";
import type { LiveBoards } from "./gateway/contest-room.ts";
import type { LockedSlice } from "./locked-slice.ts";
import type { MatchBoards } from "./match-boards.ts";
import type { AskSlice } from "./slices/ask-slice.ts";
import { SliceLoading, type SliceProof, type SliceQuestions, type SliceRoot } from "./slices/slice-questions.ts";
import type { StandingExchange } from "./slices/standing-exchange.ts";
import { WholeContest, wholeStandings } from "./slices/whole-contest.ts";

export interface WholeBoardsDeps {
  readonly slices: Slices;
  readonly boards: MatchBoards;
  readonly engine: BoardEngine;
  readonly ask: AskSlice;
  /** null: this node has all there is. */
  readonly exchange: StandingExchange | null;
  readonly teamStore: Pick<TeamStore, "points">;
  /** Told when a board is asked for that is not open: of a match whose prizes are paid, it comes back on demand. */
  readonly missing: (match: MatchId) => void;
  readonly sampleEveryMs: number;
  readonly limits: WholeBoardsLimits;
}

export interface WholeBoardsLimits {
  /** Rosters of users of other nodes' slices whose sockets are here. */
  readonly rostersMax: number;
  /** Standings put together for a question, each at one ball. */
  readonly standingsMax: number;
  /** How long a follower waits for a slice that is on its way to another node. */
  readonly patienceMs: number;
  readonly retryMs: number;
}

const POINTS_ROWS = 1_000;
const NOTHING_TO_STOP = { ready: Promise.resolve(), stop: () => undefined };

interface Samples {
  readonly taken: PointsAt[];
  readonly schedule: SampleSchedule;
  reading: Promise<void>;
}

/**
 * The boards as users see them, whichever nodes have their slices. A node that is alone reads its one slice straight from
 * shared memory; in a cluster, answers of all slices under the same points are put together.
 */
export class WholeBoards implements LiveBoards {
  readonly #deps: WholeBoardsDeps;
  /** By contest and user; of locked matches, so they never change. */
  readonly #rosters: LRUCache<string, ReadonlyMap<EntryId, Roster>>;
  readonly #standings: LRUCache<
    ContestId,
    { readonly pointsVersion: number; readonly whole: Promise<WholeContest | null> }
  >;
  readonly #samples = new Map<MatchId, Samples>();

  constructor(deps: WholeBoardsDeps) {
    this.#deps = deps;
    this.#rosters = new LRUCache({ max: deps.limits.rostersMax });
    this.#standings = new LRUCache({ max: deps.limits.standingsMax });
  }

  standing(match: MatchId, contest: ContestId): StandingAt | null | undefined {
    const { boards, exchange } = this.#deps;
    if (exchange !== null) return exchange.latest(match, contest);
    const slice = boards.slice(match, 0);
    return slice && (slice.board.standing(contest) ?? null);
  }

  roster(match: MatchId, contest: ContestId, entry: EntryId): Roster | null {
    const user = userOfEntry(entry);
    const slice = this.#localSlice(match, user);
    if (slice !== undefined) return slice.board.roster(contest, entry) ?? null;
    return this.#rosters.get(rosterKey(contest, user))?.get(entry) ?? null;
  }

  watch(match: MatchId, contest: ContestId): { readonly ready: Promise<void>; readonly stop: () => void } {
    return this.#deps.exchange?.watch(match, contest) ?? NOTHING_TO_STOP;
  }

  prepare(match: MatchId, contest: ContestId, users: readonly UserId[]): Promise<void> | null {
    const unknown = users.filter(
      (user) => this.#localSlice(match, user) === undefined && !this.#rosters.has(rosterKey(contest, user)),
    );
    if (unknown.length === 0 || this.#deps.exchange === null) return null;
    const bySlice = Map.groupBy(unknown, (user) => this.#deps.slices.sliceOf(user));
    return Promise.all(
      Array.from(bySlice, ([slice, ofSlice]) => this.#learnRosters(match, contest, slice, ofSlice)),
    ).then(() => undefined);
  }

  /** null for a contest that nobody entered. Like all below, rejects with `SliceLoading` while a slice is on its way. */
  async standingNow(match: MatchId, contest: ContestId): Promise<StandingAt | null> {
    const only = this.#onlySlice(match);
    if (only !== null) return only.board.standing(contest) ?? null;
    const whole = await this.#whole(match, contest);
    return whole && { ...whole.at, standing: whole.standing };
  }

  /** The locked roster of an entry; null when it is not in the contest. */
  async rosterNow(match: MatchId, contest: ContestId, entry: EntryId): Promise<Roster | null> {
    const slice = this.#deps.slices.sliceOf(userOfEntry(entry));
    const found = await this.#deps
      .ask(match, slice)
      .entriesOfUsers({ matchId: match, slice, contestId: contest }, [userOfEntry(entry)]);
    return found.find(({ entryId }) => entryId === entry)?.roster ?? null;
  }

  /** The roster that the team had at the deadline, in a contest or not. */
  lockedRoster(match: MatchId, entry: EntryId): Promise<Roster | null> {
    const slice = this.#deps.slices.sliceOf(userOfEntry(entry));
    return this.#deps.ask(match, slice).rosterOf({ matchId: match, slice }, entry);
  }

  async page(match: MatchId, contest: ContestId, place: number, count: number): Promise<RankedPage | null> {
    const only = this.#onlySlice(match);
    if (only !== null) return this.#deps.engine.page(only.identity, contest, place, count);
    return (await this.#whole(match, contest))?.page(place, count) ?? null;
  }

  async neighbours(match: MatchId, contest: ContestId, entry: EntryId, radius: number): Promise<RankedPage | null> {
    const only = this.#onlySlice(match);
    if (only !== null) return this.#deps.engine.neighbours(only.identity, contest, entry, radius);
    const slice = this.#deps.slices.sliceOf(userOfEntry(entry));
    return (await this.#whole(match, contest))?.neighbours(slice, entry, radius) ?? null;
  }

  /** Score and rank of a team at every sample of the match. */
  async rankHistory(match: MatchId, contest: ContestId, roster: Roster): Promise<readonly RankAt[]> {
    const samples = await this.#samplesOf(match);
    const asked = samples.map(({ points, pointsVersion }) => ({
      points,
      pointsVersion,
      scoreQp: scoreRoster(roster, points),
    }));
    if (asked.length === 0) return [];
    const counts = await this.#ofAllSlices(match, (ask, slice) =>
      ask.countsAbove({ matchId: match, slice, contestId: contest }, asked),
    );
    return samples.map(({ pointsVersion, timeMs }, index) => ({
      timeMs,
      pointsVersion,
      scoreQp: asked[index]!.scoreQp,
      rank: 1 + counts.reduce((sum, ofSlice) => sum + ofSlice[index]!, 0),
    }));
  }

  async entryCounts(match: MatchId): Promise<ReadonlyMap<ContestId, number>> {
    const total = new Map<ContestId, number>();
    for (const counts of await this.#ofAllSlices(match, (ask, slice) => ask.entryCounts({ matchId: match, slice }))) {
      for (const [contest, count] of counts) total.set(contest, (total.get(contest) ?? 0) + count);
    }
    return total;
  }

  /** The end of a contest whose points are final and known here. Rejects while the board shows older ones: money follows. */
  async finalScores(match: MatchId, contest: ContestId): Promise<FinalScores> {
    const now = await this.scoresNow(match, contest);
    if (now === null) return NO_SCORES;
    if (now.pointsVersion < this.#deps.boards.points(match).pointsVersion) {
      throw new SliceLoading({ matchId: match, slice: 0 }, "does not show the last ball yet");
    }
    return now.scores;
  }

  /** Every entry of the contest at one ball; null when nobody entered. */
  async scoresNow(match: MatchId, contest: ContestId): Promise<ContestScores | null> {
    const only = this.#onlySlice(match);
    if (only === null) {
      const whole = await this.#whole(match, contest);
      if (whole === null) return null;
      return { pointsVersion: whole.at.pointsVersion, standing: whole.standing, scores: whole.finalScores() };
    }
    const columns = only.board.contests.get(contest);
    if (columns === undefined) return null;
    const at = only.board.standing(contest);
    if (at === undefined) throw new SliceLoading(only.identity, "shows no points yet");
    const { points, pointsVersion, standing } = at;
    return { pointsVersion, standing, scores: scoresOfColumns(columns, standing, points) };
  }

  /** null: being computed, for a few seconds after the deadline. */
  async commitment(match: MatchId): Promise<MatchCommitment | null> {
    const slices = await this.#ofAllSlices(match, (ask, slice) => ask.commitment({ matchId: match, slice }));
    const roots = slices.filter((root) => root !== null);
    if (roots.length < slices.length) return null;
    const teamCount = roots.reduce((sum, root) => sum + root.teamCount, 0);
    return { root: roots.length === 1 ? roots[0]!.root : sliceRootsRoot(roots), teamCount, slices: roots };
  }

  /** null: the team is not among the locked ones. */
  proof(match: MatchId, entry: EntryId): Promise<SliceProof | null> {
    const slice = this.#deps.slices.sliceOf(userOfEntry(entry));
    return this.#deps.ask(match, slice).proof({ matchId: match, slice }, entry);
  }

  async #ofAllSlices<Answer>(
    match: MatchId,
    question: (ask: SliceQuestions, slice: number) => Promise<Answer>,
  ): Promise<Answer[]> {
    return Promise.all(
      Array.from({ length: this.#deps.slices.count }, async (_, slice) =>
        question(this.#deps.ask(match, slice), slice),
      ),
    );
  }

  #localSlice(match: MatchId, user: UserId): LockedSlice | undefined {
    return this.#deps.boards.slice(match, this.#deps.slices.sliceOf(user));
  }

  /** Of a node that is alone; null in a cluster. */
  #onlySlice(match: MatchId): LockedSlice | null {
    if (this.#deps.slices.count > 1) return null;
    const slice = this.#deps.boards.slice(match, 0);
    if (slice !== undefined) return slice;
    this.#deps.missing(match);
    throw new SliceLoading({ matchId: match, slice: 0 }, "is not open yet");
  }

  /** The contest under the newest points that this node knows; null when nobody entered. */
  #whole(match: MatchId, contest: ContestId): Promise<WholeContest | null> {
    const at = this.#deps.boards.points(match);
    const known = this.#standings.get(contest);
    if (known !== undefined && known.pointsVersion >= at.pointsVersion) return known.whole;
    const whole = this.#putTogether(match, contest, at);
    this.#standings.set(contest, { pointsVersion: at.pointsVersion, whole });
    whole.catch(() => {
      if (this.#standings.get(contest)?.whole === whole) this.#standings.delete(contest);
    });
    return whole;
  }

  async #putTogether(match: MatchId, contest: ContestId, at: PointsAt): Promise<WholeContest | null> {
    const { count } = this.#deps.slices;
    const shown = this.#deps.exchange?.latest(match, contest);
    const standing =
      shown?.pointsVersion === at.pointsVersion
        ? shown.standing
        : (await wholeStandings(this.#deps.ask, count, match, [contest], at)).get(contest)!.standing;
    return standing && new WholeContest(this.#deps.ask, count, match, contest, at, standing);
  }

  /** A slice moves within seconds, so a follower waits for it rather than hear that it has no entries. */
  async #learnRosters(match: MatchId, contest: ContestId, slice: number, users: readonly UserId[]): Promise<void> {
    const { patienceMs, retryMs } = this.#deps.limits;
    for (const startMs = performance.now(); ;) {
      try {
        const of = { matchId: match, slice, contestId: contest };
        const found = await this.#deps.ask(match, slice).entriesOfUsers(of, users);
        const byUser = Map.groupBy(found, ({ entryId }) => userOfEntry(entryId));
        for (const user of users) {
          const own = byUser.get(user) ?? [];
          this.#rosters.set(rosterKey(contest, user), new Map(own.map(({ entryId, roster }) => [entryId, roster])));
        }
        return;
      } catch (error) {
        if (!(error instanceof SliceLoading) || performance.now() - startMs > patienceMs) throw error;
        await Bun.sleep(retryMs);
      }
    }
  }

  async #samplesOf(match: MatchId): Promise<readonly PointsAt[]> {
    let samples = this.#samples.get(match);
    if (samples === undefined) {
      samples = { taken: [], schedule: new SampleSchedule(this.#deps.sampleEveryMs), reading: Promise.resolve() };
      this.#samples.set(match, samples);
    }
    const { taken } = samples;
    samples.reading = samples.reading.catch(() => undefined).then(() => this.#readSamples(match, samples));
    await samples.reading;
    return taken;
  }

  async #readSamples(match: MatchId, { schedule, taken }: Samples): Promise<void> {
    for (;;) {
      const rows = await this.#deps.teamStore.points(match, schedule.version, POINTS_ROWS);
      for (const { atMs, payload, version } of rows) {
        if (!schedule.offer(version, atMs)) continue;
        taken.push({ pointsVersion: version, timeMs: atMs, points: pointsVectorOf(decodePointsUpdate(payload)) });
      }
      if (rows.length < POINTS_ROWS) return;
    }
  }
}

export interface ContestScores {
  readonly pointsVersion: number;
  readonly standing: Standing;
  readonly scores: FinalScores;
}

export interface MatchCommitment {
  readonly root: Uint8Array;
  readonly teamCount: number;
  /** One of a node that is alone; its root is the whole root then. */
  readonly slices: readonly SliceRoot[];
}

const rosterKey = (contest: ContestId, user: UserId): string => `${contest}:${user}`;
