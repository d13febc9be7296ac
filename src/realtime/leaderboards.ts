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
import type { TeamStore } from "../stores/team-store/port.ts";
import type { MatchCache, MatchInfo } from "../stream/match-cache.ts";
import type { Scorer } from "../stream/scorer.ts";
import type { MatchBoard, RankedEntry } from "./board/match-board.ts";
import { type MatchBoards, readSample } from "./match-boards.ts";

export interface BoardLeaderboardsDeps {
  readonly catalog: Pick<Catalog, "contest" | "userNames" | "entriesOfUser">;
  readonly teamStore: Pick<TeamStore, "samples">;
  readonly matches: MatchCache;
  readonly boards: MatchBoards;
  readonly scorer: Scorer;
}

const refused = (refusal: BoardRefusal) => ({ ok: false, refusal }) as const;
const answered = <T>(value: T) => ({ ok: true, value }) as const;

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

/** What users ask of the boards of this node. */
export class BoardLeaderboards implements Leaderboards {
  readonly #deps: BoardLeaderboardsDeps;

  constructor(deps: BoardLeaderboardsDeps) {
    this.#deps = deps;
  }

  top(contest: ContestId, count: number): Promise<BoardResult<BoardPage>> {
    return this.#page(contest, (board) => board.top(contest, count));
  }

  page(contest: ContestId, fromRank: number, count: number): Promise<BoardResult<BoardPage>> {
    return this.#page(contest, (board) => board.page(contest, fromRank - 1, count));
  }

  async mine(user: UserId, id: ContestId): Promise<BoardResult<BoardPage>> {
    const contest = await this.#deps.catalog.contest(id);
    if (contest === null) return refused("contest_not_found");
    const entries = await this.#deps.catalog.entriesOfUser(user, contest.matchId);
    const own = entries.filter((entry) => entry.contestId === id).map((entry) => entry.entryId);
    return this.#page(id, (board) => {
      const rows = own.map((entry) => board.entry(id, entry)).filter((row) => row !== null);
      return rows.sort((a, b) => b.scoreQp - a.scoreQp || a.entryId - b.entryId);
    });
  }

  async neighbours(contest: ContestId, entry: EntryId, radius: number): Promise<BoardResult<BoardPage>> {
    const opened = await this.#open(contest);
    if (!opened.ok) return opened;
    const position = opened.value.board.positionOf(contest, entry);
    if (position === null) return refused("not_entered");
    const from = Math.max(0, position - radius);
    return this.#page(contest, (board) => board.page(contest, from, position - from + radius + 1));
  }

  async rankHistory(contest: ContestId, entry: EntryId): Promise<BoardResult<readonly RankSample[]>> {
    const opened = await this.#open(contest);
    if (!opened.ok) return opened;
    const found = opened.value.board.entry(contest, entry);
    if (found === null) return refused("not_entered");
    const samples = await this.#deps.teamStore.samples(contest);
    return answered(
      samples.map((sample) => {
        const { points, standing } = readSample(sample);
        const scoreQp = scoreRoster(found.roster, points);
        return { atMs: sample.atMs, rank: standing.rank(scoreQp), scoreQp };
      }),
    );
  }

  async teamBreakdown(match: MatchId, entryId: EntryId): Promise<BoardResult<TeamBreakdown>> {
    const opened = await this.#openMatch(match);
    if (!opened.ok) return opened;
    const { board, info } = opened.value;
    const roster = board.rosterOf(entryId);
    if (roster === null) return refused("not_entered");
    const { points } = board;
    const players = Array.from(roster, (poolIndex, slot) => {
      const pointsQp = points[poolIndex]!;
      const multiplier = slot === 0 ? "captain" : slot === 1 ? "vice_captain" : "none";
      const contributionQp = slot === 0 ? captainQp(pointsQp) : slot === 1 ? viceCaptainQp(pointsQp) : pointsQp;
      return { playerId: info.squad!.players[poolIndex]!.id, multiplier, pointsQp, contributionQp } as const;
    });
    return answered({ entryId, scoreQp: scoreRoster(roster, points), pointsVersion: board.version, players });
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
    const opened = await this.#openMatch(match);
    if (!opened.ok) return opened;
    const tree = opened.value.board.commitment();
    return tree === null ? refused("not_entered") : answered({ rootHex: hex(tree.root), leafCount: tree.leafCount });
  }

  async inclusionProof(match: MatchId, entryId: EntryId): Promise<BoardResult<InclusionProof>> {
    const opened = await this.#openMatch(match);
    if (!opened.ok) return opened;
    const { board } = opened.value;
    const tree = board.commitment();
    const leafIndex = board.leafIndexOf(entryId);
    if (tree === null || leafIndex === null) return refused("not_entered");
    return answered({
      entryId,
      rosterHex: hex(board.rosterOf(entryId)!),
      leafIndex,
      leafCount: tree.leafCount,
      siblingsHex: tree.proof(leafIndex).map(hex),
      rootHex: hex(tree.root),
    });
  }

  async #page(id: ContestId, read: (board: MatchBoard) => readonly RankedEntry[]): Promise<BoardResult<BoardPage>> {
    const opened = await this.#open(id);
    if (!opened.ok) return opened;
    const { board, contest } = opened.value;
    // Read in one go: everything below is of this version.
    const { version } = board;
    const standing = board.standing(id);
    const ranked = read(board);
    const schedule = new PrizeSchedule(contest.prizes, contest.prizePoolPaise);
    const tiedCounts = ranked.map((row) => standing?.tiedAt(row.scoreQp) ?? 1);
    const names = await this.#deps.catalog.userNames([...new Set(ranked.map((row) => userOfEntry(row.entryId)))]);
    const rows = ranked.map(({ entryId, scoreQp, rank }, index): BoardRow => {
      const userId = userOfEntry(entryId);
      return {
        rank,
        entryId,
        userId,
        userName: names.get(userId) ?? `user ${userId}`,
        teamNo: teamOfEntry(entryId),
        scoreQp,
        prizePaise: schedule.split(rank, tiedCounts[index]!).eachPaise,
      };
    });
    return answered({ contestId: id, pointsVersion: version, entryCount: board.entryCount(id), rows });
  }

  async #open(id: ContestId): Promise<BoardResult<{ readonly board: MatchBoard; readonly contest: Contest }>> {
    const contest = await this.#deps.catalog.contest(id);
    if (contest === null) return refused("contest_not_found");
    const opened = await this.#openMatch(contest.matchId);
    return opened.ok ? answered({ board: opened.value.board, contest }) : opened;
  }

  async #openMatch(match: MatchId): Promise<BoardResult<{ readonly board: MatchBoard; readonly info: MatchInfo }>> {
    const info = await this.#deps.matches.get(match);
    if (info === null) return refused("contest_not_found");
    if (info.match.state === "upcoming") return refused("not_locked");
    const board = this.#deps.boards.get(match);
    return board ? answered({ board, info }) : refused("loading");
  }
}

const shown = ({ poolIndex, eventId, rule, qp, provisional }: FoldedReason, info: MatchInfo): ReasonLine => ({
  playerId: info.squad!.players[poolIndex]!.id,
  eventId,
  rule,
  pointsQp: qp,
  provisional,
});
