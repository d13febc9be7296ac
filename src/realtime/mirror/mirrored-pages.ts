import type { ContestId, MatchId } from "../../domain/ids.ts";
import type { MirroredBoards } from "../../stores/hot-store/boards.ts";
import { StoreUnavailable } from "../../stores/unavailable.ts";
import type { RankedPage } from "../board/board-protocol.ts";
import { mirroredPage } from "./mirrored-page.ts";

export interface MirroredPagesDeps {
  readonly hotStore: Pick<MirroredBoards, "boardEntries" | "boardHeads">;
  /** How long ago the points of a page may have been the newest that this node knew. */
  readonly staleMsMax: number;
  readonly nowMs: () => number;
}

interface Seen {
  readonly pointsVersion: number;
  readonly atMs: number;
}

/** Pages out of the copies, for as long as they are nearly true. */
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
    try {
      const page = await mirroredPage(this.#deps.hotStore, contest, place, count);
      return page !== null && page.pointsVersion >= this.#oldestAllowed(match) ? page : null;
    } catch (error) {
      if (error instanceof StoreUnavailable) return null;
      throw error;
    }
  }

  /** The version that was the newest `staleMsMax` ago. */
  #oldestAllowed(match: MatchId): number {
    const seen = this.#seen.get(match) ?? [];
    const sinceMs = this.#deps.nowMs() - this.#deps.staleMsMax;
    while (seen.length > 1 && seen[1]!.atMs <= sinceMs) seen.shift();
    return seen.length > 0 && seen[0]!.atMs <= sinceMs ? seen[0]!.pointsVersion : -1;
  }
}
