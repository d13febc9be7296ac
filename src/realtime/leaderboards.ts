import { LRUCache } from "lru-cache";
import type { Contest } from "../domain/contest.ts";
import {
  type ContestId,
  type EntryId,
  type MatchId,
  type PlayerId,
  teamOfEntry,
  type UserId,
  userOfEntry,
} from "../domain/ids.ts";
import { PrizeSchedule } from "../domain/prizes.ts";
import { captainQp, viceCaptainQp } from "../domain/points.ts";
import { scoreRoster } from "../domain/roster.ts";
import type { ReasonLine as FoldedReason } from "../domain/scoring/sport.ts";
import type {
  BoardPage,
  BoardRefusal,
  BoardResult,
  BoardRow,
  CommentaryLine,
  InclusionProof,
  Leaderboards,
  PlayerBreakdown,
  RankSample,
  ReasonLine,
  TeamBreakdown,
} from "../edge/game.ts";
import type { Catalog } from "../stores/catalog/port.ts";
import type { MatchCache, MatchInfo } from "../stream/match-cache.ts";
import type { Scorer } from "../stream/scorer.ts";
import type { RankedPage } from "./board/board-protocol.ts";
import type { PointsAt } from "./board/history.ts";
import type { NamesOf } from "./known-names.ts";
import type { RankedEntry } from "./board/standing.ts";
import type { MirroredPages } from "./mirror/mirrored-pages.ts";
import { SliceLoading } from "./slices/slice-questions.ts";
import type { MatchCommitment, WholeBoards } from "./whole-boards.ts";

export interface BoardLeaderboardsDeps {
  readonly catalog: Pick<Catalog, "contest" | "entriesOfUser">;
  readonly namesOf: NamesOf;
  readonly matches: MatchCache;
  readonly boards: WholeBoards;
  /** The newest points of the match that this node has read. */
  readonly pointsOf: (match: MatchId) => PointsAt;
  readonly scorer: Scorer;
  /** What is shown of a contest while one of its slices can't be asked. */
  readonly copies: Pick<MirroredPages, "page">;
  /** Told which contests are looked at. */
  readonly onAsked: (contest: ContestId) => void;
  /** Contests whose immutable terms are remembered, so that a page needs no catalog. */
  readonly termsMax: number;
}

type Terms = Pick<Contest, "matchId" | "prizePoolPaise" | "prizes">;

const refused = (refusal: BoardRefusal) => ({ ok: false, refusal }) as const;
const answered = <T>(value: T) => ({ ok: true, value }) as const;

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

/** What users ask of the boards. */
export class BoardLeaderboards implements Leaderboards {
  readonly #deps: BoardLeaderboardsDeps;
  readonly #terms: LRUCache<ContestId, Terms>;

  constructor(deps: BoardLeaderboardsDeps) {
    this.#deps = deps;
    this.#terms = new LRUCache({ max: deps.termsMax });
  }

  top(contest: ContestId, count: number): Promise<BoardResult<BoardPage>> {
    return this.#pageOrCopy(contest, 0, count, async (match) => {
      const at = await this.#deps.boards.standingNow(match, contest);
      return at && { ...at, entryCount: at.standing.entryCount, entries: at.standing.top().slice(0, count) };
    });
  }

  page(contest: ContestId, fromRank: number, count: number): Promise<BoardResult<BoardPage>> {
    const place = fromRank - 1;
    return this.#pageOrCopy(contest, place, count, (match) => this.#deps.boards.page(match, contest, place, count));
  }

  async mine(user: UserId, id: ContestId): Promise<BoardResult<BoardPage>> {
    return this.#page(id, async (match) => {
      const entries = await this.#deps.catalog.entriesOfUser(user, match);
      const at = await this.#deps.boards.standingNow(match, id);
      if (at === null) return null;
      const ranked: RankedEntry[] = [];
      for (const { contestId, entryId } of entries) {
        const roster = contestId === id ? await this.#deps.boards.rosterNow(match, id, entryId) : null;
        if (roster !== null) ranked.push(at.standing.ranked(entryId, scoreRoster(roster, at.points)));
      }
      ranked.sort((a, b) => b.scoreQp - a.scoreQp || a.entryId - b.entryId);
      return { pointsVersion: at.pointsVersion, entryCount: at.standing.entryCount, entries: ranked };
    });
  }

  async neighbours(contest: ContestId, entry: EntryId, radius: number): Promise<BoardResult<BoardPage>> {
    const opened = await this.#open(contest);
    if (!opened.ok) return opened;
    const match = opened.value.contest.matchId;
    return unlessLoading(async () => {
      if ((await this.#deps.boards.rosterNow(match, contest, entry)) === null) return refused("not_entered");
      return this.#page(contest, () => this.#deps.boards.neighbours(match, contest, entry, radius));
    });
  }

  async rankHistory(contest: ContestId, entry: EntryId): Promise<BoardResult<readonly RankSample[]>> {
    const opened = await this.#open(contest);
    if (!opened.ok) return opened;
    const match = opened.value.contest.matchId;
    return unlessLoading(async () => {
      const roster = await this.#deps.boards.rosterNow(match, contest, entry);
      if (roster === null) return refused("not_entered");
      const ranks = await this.#deps.boards.rankHistory(match, contest, roster);
      return answered(ranks.map(({ timeMs, rank, scoreQp }) => ({ atMs: timeMs, rank, scoreQp })));
    });
  }

  async teamBreakdown(match: MatchId, entryId: EntryId): Promise<BoardResult<TeamBreakdown>> {
    const opened = await this.#openMatch(match);
    if (!opened.ok) return opened;
    const { info } = opened.value;
    const found = await unlessLoading(async () => answered(await this.#deps.boards.lockedRoster(match, entryId)));
    if (!found.ok) return found;
    const roster = found.value;
    if (roster === null) return refused("not_entered");
    const { points, pointsVersion } = this.#deps.pointsOf(match);
    const players = Array.from(roster, (poolIndex, slot) => {
      const pointsQp = points[poolIndex]!;
      const multiplier = slot === 0 ? "captain" : slot === 1 ? "vice_captain" : "none";
      const contributionQp = slot === 0 ? captainQp(pointsQp) : slot === 1 ? viceCaptainQp(pointsQp) : pointsQp;
      return { playerId: info.squad!.players[poolIndex]!.id, multiplier, pointsQp, contributionQp } as const;
    });
    return answered({ entryId, scoreQp: scoreRoster(roster, points), pointsVersion, players });
  }

  async playerBreakdown(match: MatchId, playerId: PlayerId): Promise<BoardResult<PlayerBreakdown>> {
    const opened = await this.#openMatch(match);
    if (!opened.ok) return opened;
    const { info } = opened.value;
    const poolIndex = info.poolIndex.get(playerId);
    if (poolIndex === undefined) return refused("not_entered");
    const score = this.#deps.scorer.scored(match)?.score;
    if (score === undefined) return answered({ playerId, pointsQp: 0, reasons: [] });
    const reasons = score.reasons().filter((line) => line.poolIndex === poolIndex);
    return answered({
      playerId,
      pointsQp: score.pointsOf(poolIndex),
      reasons: reasons.map((line) => shown(line, info)),
    });
  }

  async commentary(match: MatchId, count: number): Promise<BoardResult<readonly CommentaryLine[]>> {
    const opened = await this.#openMatch(match);
    if (!opened.ok) return opened;
    const updates = this.#deps.scorer.scored(match)?.updates ?? [];
    return answered(
      updates
        .slice(-count)
        .reverse()
        .map(({ eventId, atMs, commentary, reasons }) => ({
          eventId,
          atMs,
          text: commentary,
          reasons: reasons.map((line) => shown(line, opened.value.info)),
        })),
    );
  }

  async commitment(match: MatchId): Promise<BoardResult<{ readonly rootHex: string; readonly leafCount: number }>> {
    const opened = await this.#openCommitment(match);
    if (!opened.ok) return opened;
    const { root, teamCount } = opened.value;
    return answered({ rootHex: hex(root), leafCount: teamCount });
  }

  async inclusionProof(match: MatchId, entryId: EntryId): Promise<BoardResult<InclusionProof>> {
    const opened = await this.#openCommitment(match);
    if (!opened.ok) return opened;
    const commitment = opened.value;
    return unlessLoading(async () => {
      const proof = await this.#deps.boards.proof(match, entryId);
      if (proof === null) return refused("not_entered");
      const { slices } = commitment;
      return answered({
        entryId,
        rosterHex: hex(proof.roster),
        leafIndex: proof.leafIndex,
        leafCount: proof.teamCount,
        siblingsHex: proof.siblings.map(hex),
        slice: proof.slice,
        slices: slices.length === 1 ? [] : slices.map(({ root, teamCount }) => ({ rootHex: hex(root), teamCount })),
        rootHex: hex(commitment.root),
      });
    });
  }

  async #openCommitment(match: MatchId): Promise<BoardResult<MatchCommitment>> {
    const opened = await this.#openMatch(match);
    if (!opened.ok) return opened;
    return unlessLoading(async () => {
      const commitment = await this.#deps.boards.commitment(match);
      if (commitment === null) return refused("loading");
      return commitment.teamCount === 0 ? refused("not_entered") : answered(commitment);
    });
  }

  #pageOrCopy(
    id: ContestId,
    place: number,
    count: number,
    read: (match: MatchId) => Promise<RankedPage | null>,
  ): Promise<BoardResult<BoardPage>> {
    this.#deps.onAsked(id);
    return this.#page(id, async (match) => {
      try {
        return await read(match);
      } catch (error) {
        const copy = error instanceof SliceLoading ? await this.#deps.copies.page(match, id, place, count) : null;
        if (copy) return copy;
        throw error;
      }
    });
  }

  async #page(id: ContestId, read: (match: MatchId) => Promise<RankedPage | null>): Promise<BoardResult<BoardPage>> {
    const opened = await this.#open(id);
    if (!opened.ok) return opened;
    const { contest } = opened.value;
    const found = await unlessLoading(async () => answered(await read(contest.matchId)));
    if (!found.ok) return found;
    const page = found.value;
    // Nobody entered: an empty board, not a missing one.
    if (page === null) return answered({ contestId: id, pointsVersion: 0, entryCount: 0, rows: [] });
    const schedule = new PrizeSchedule(contest.prizes, contest.prizePoolPaise);
    const names = await this.#deps.namesOf([...new Set(page.entries.map((row) => userOfEntry(row.entryId)))]);
    const rows = page.entries.map(({ entryId, rank, scoreQp, tiedCount }): BoardRow => {
      const userId = userOfEntry(entryId);
      return {
        rank,
        entryId,
        userId,
        userName: names.get(userId) ?? `user ${userId}`,
        teamNo: teamOfEntry(entryId),
        scoreQp,
        prizePaise: schedule.split(rank, tiedCount).eachPaise,
      };
    });
    const { pointsVersion, entryCount } = page;
    return answered({ contestId: id, pointsVersion, entryCount, rows });
  }

  async #open(id: ContestId): Promise<BoardResult<{ readonly contest: Terms }>> {
    const contest = this.#terms.get(id) ?? (await this.#deps.catalog.contest(id));
    if (contest === null) return refused("contest_not_found");
    const { matchId, prizePoolPaise, prizes } = contest;
    this.#terms.set(id, { matchId, prizePoolPaise, prizes });
    const opened = await this.#openMatch(matchId);
    return opened.ok ? answered({ contest }) : opened;
  }

  async #openMatch(match: MatchId): Promise<BoardResult<{ readonly info: MatchInfo }>> {
    const info = await this.#deps.matches.get(match);
    if (info === null) return refused("contest_not_found");
    if (info.match.state === "upcoming") return refused("not_locked");
    return info.match.state === "abandoned" ? refused("abandoned") : answered({ info });
  }
}

/** A board that is being built or moved is asked again later. */
async function unlessLoading<T>(ask: () => Promise<BoardResult<T>>): Promise<BoardResult<T>> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof SliceLoading) return refused("loading");
    throw error;
  }
}

const shown = ({ poolIndex, eventId, rule, qp, provisional }: FoldedReason, info: MatchInfo): ReasonLine => ({
  playerId: info.squad!.players[poolIndex]!.id,
  eventId,
  rule,
  pointsQp: qp,
  provisional,
});
