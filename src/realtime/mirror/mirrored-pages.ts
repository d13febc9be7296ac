import type { ContestId, MatchId } from "../../domain/ids.ts";
import type { BoardEntries, BoardHead, MirroredBoards } from "../../stores/hot-store/boards.ts";
import type { TeamStore } from "../../stores/team-store/port.ts";
import { StoreUnavailable } from "../../stores/unavailable.ts";
import type { RankedPage } from "../board/board-protocol.ts";
import { decodeBoardCopy } from "./board-copy.ts";
import { type Copies, mirroredPage } from "./mirrored-page.ts";
import { ScoreCounts } from "./score-counts.ts";

export interface MirroredPagesDeps {
  readonly hotStore: MirroredBoards;
  readonly teamStore: Pick<TeamStore, "totalsMark">;
  readonly ttlMs: number;
  /** How long ago the points of a page may have been the newest that this node knew. */
  readonly staleMsMax: number;
  readonly nowMs: () => number;
}

interface Seen {
  readonly pointsVersion: number;
  readonly atMs: number;
}

/**
 * Pages out of the copies, for as long as they are nearly true. A board that nobody has, and of which the hot store has lost the copy,
 * comes out of the mark of its totals, and goes back into the hot store.
 */
export class MirroredPages {
  readonly #deps: MirroredPagesDeps;
  /** Versions by when this node learnt of them: those of the last `staleMsMax`, and the one before. */
  readonly #seen = new Map<MatchId, Seen[]>();

  constructor(deps: MirroredPagesDeps) {
    this.#deps = deps;
  }

  /** The match has points of this version. */
  seen(match: MatchId, pointsVersion: number): void {
    const seen = this.#seen.get(match) ?? [];
    if ((seen.at(-1)?.pointsVersion ?? -1) >= pointsVersion) return;
    seen.push({ pointsVersion, atMs: this.#deps.nowMs() });
    this.#seen.set(match, seen);
    this.#oldestAllowed(match);
  }

  /** null: there is no copy of it, or the copy is too old. */
  async page(match: MatchId, contest: ContestId, place: number, count: number): Promise<RankedPage | null> {
    for (const read of [() => this.#deps.hotStore, () => this.#fromTotals(contest)]) {
      const page = await unlessAway(async () => {
        const boards = await read();
        return boards && mirroredPage(boards, contest, place, count);
      });
      if (page !== null && page.pointsVersion >= this.#oldestAllowed(match)) return page;
    }
    return null;
  }

  async #fromTotals(contestId: ContestId): Promise<Copies | null> {
    const { hotStore, teamStore, ttlMs } = this.#deps;
    const mark = await teamStore.totalsMark(contestId);
    if (mark === null || mark.board.length === 0) return null;
    const { compact, entries } = decodeBoardCopy(mark.board);
    const { entryCount } = ScoreCounts.ofCompact([compact]);
    const head: BoardHead = {
      contestId,
      // All slices of the contest in one.
      slice: 0,
      pointsVersion: mark.pointsVersion,
      contestEntryCount: entryCount,
      entryCount,
      heldCount: entries.entryIds.length,
      compact,
    };
    await unlessAway(async () => {
      const [kept] = await hotStore.boardVersions([contestId]);
      // Where some of it is, its slices have owners, who write them.
      if (kept!.size === 0) await hotStore.putBoard(head, inOnePiece(entries), ttlMs);
      return null;
    });
    return {
      boardHeads: async () => [head],
      boardEntries: async (_contest, _version, ranges) =>
        ranges.map(({ end, start }) => ({
          entryIds: entries.entryIds.slice(start, end),
          scoresQp: entries.scoresQp.slice(start, end),
        })),
    };
  }

  /** The version that was the newest `staleMsMax` ago. */
  #oldestAllowed(match: MatchId): number {
    const seen = this.#seen.get(match) ?? [];
    const sinceMs = this.#deps.nowMs() - this.#deps.staleMsMax;
    while (seen.length > 1 && seen[1]!.atMs <= sinceMs) seen.shift();
    return seen.length > 0 && seen[0]!.atMs <= sinceMs ? seen[0]!.pointsVersion : -1;
  }
}

async function* inOnePiece(entries: BoardEntries): AsyncGenerator<BoardEntries> {
  yield entries;
}

async function unlessAway<T>(ask: () => Promise<T | null>): Promise<T | null> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof StoreUnavailable) return null;
    throw error;
  }
}
