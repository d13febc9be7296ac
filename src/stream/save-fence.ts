import { LRUCache } from "lru-cache";
import type { Clock } from "../domain/clock.ts";
import type { MatchId } from "../domain/ids.ts";
import type { Match } from "../domain/match.ts";
import type { Catalog } from "../stores/catalog/port.ts";
import { type EventLog, partitionsOf } from "../stores/event-log/port.ts";
import { StoreUnavailable } from "../stores/unavailable.ts";

export interface SaveFenceDeps {
  readonly catalog: Pick<Catalog, "match" | "lockPositions" | "openSpools" | "putLockPositions">;
  readonly log: Pick<EventLog, "endOffset">;
  readonly clock: Clock;
  /** No two nodes' clocks differ by more. */
  readonly clockSkewMsMax: number;
  /** Matches whose ends are remembered. */
  readonly matchesMax: number;
}

/**
 * Which saves count when a match is locked. A save that passed the deadline check may reach the log late, on whichever node;
 * so at the lock the end of each partition is written down once, and that decides for everybody and for ever:
 *
 * - the index and the materialiser take what lies before it, so a board that is built again is the same;
 * - a save is acknowledged only if it does, which it asks after its append. While the match is not locked, whoever looks for
 *   the ends will look later and find the save. Once it is, ends that nobody has written yet may have been looked up
 *   before the save, so whoever asks writes them, and the first to be written decides.
 */
export class SaveFence {
  readonly #deps: SaveFenceDeps;
  /** Ends never change once they are written. */
  readonly #ends: LRUCache<MatchId, readonly number[]>;
  readonly #looks = new Map<MatchId, Look>();

  constructor(deps: SaveFenceDeps) {
    this.#deps = deps;
    this.#ends = new LRUCache({ max: deps.matchesMax });
  }

  /**
   * Of a match that is no longer upcoming: its saves end where they stand, unless their ends are written already. Answers
   * the ends by partition of `team-saves`. Rejects with `StoreUnavailable` while a node may hold acknowledged saves that are
   * not in the log yet: whoever has locked the match asks again.
   */
  async close(match: MatchId): Promise<readonly number[]> {
    const { catalog, log } = this.#deps;
    let ends = this.#ends.get(match) ?? (await catalog.lockPositions(match));
    if (ends === null) {
      const spools = await catalog.openSpools();
      if (spools.length > 0) {
        throw new StoreUnavailable("EventLog", `saves of match ${match} may still wait on node ${spools.join(", ")}`);
      }
      const durable = await Promise.all(
        partitionsOf("team-saves").map((partition) => log.endOffset("team-saves", partition)),
      );
      ends = await catalog.putLockPositions(match, durable);
    }
    this.#ends.set(match, ends);
    return ends;
  }

  /** What any node's clock may say by now. */
  latestMs(): number {
    const { clock, clockSkewMsMax } = this.#deps;
    return clock.nowMs() + clockSkewMsMax;
  }

  /** false: some node may lock the match by now, or has. Costs nothing. */
  isSurelyOpen({ startMs }: Pick<Match, "startMs">): boolean {
    const { clock, clockSkewMsMax } = this.#deps;
    return clock.nowMs() < startMs - clockSkewMsMax;
  }

  /** Of records that are durable already: they count if they lie before this offset. */
  async endOf(match: Pick<Match, "id" | "startMs">, partition: number): Promise<number> {
    if (this.isSurelyOpen(match)) return Number.POSITIVE_INFINITY;
    const ends = this.#ends.get(match.id) ?? (await this.#look(match.id));
    return ends === null ? Number.POSITIVE_INFINITY : ends[partition]!;
  }

  /**
   * Of a save that is durable on this node and not in the log yet, after the node's spool was opened in the catalog: whoever
   * locks the match later finds the spool and waits for the save; after the lock it is too late.
   */
  async takesSpooled(match: Pick<Match, "id" | "startMs">): Promise<boolean> {
    if (this.isSurelyOpen(match)) return true;
    return (await this.#deps.catalog.match(match.id))?.state === "upcoming";
  }

  /**
   * A look that began after the question; in the last second, the busiest of all, thousands of saves share one. The look that
   * is under way began too early to know of them.
   */
  #look(match: MatchId): Promise<readonly number[] | null> {
    const underWay = this.#looks.get(match);
    if (underWay === undefined) return this.#beginLook(match);
    underWay.next ??= underWay.answer.catch(() => null).then(() => this.#beginLook(match));
    return underWay.next;
  }

  #beginLook(match: MatchId): Promise<readonly number[] | null> {
    const look: Look = { answer: this.#endsIfLocked(match), next: null };
    this.#looks.set(match, look);
    const forget = () => {
      if (this.#looks.get(match) === look) this.#looks.delete(match);
    };
    look.answer.then(forget, forget);
    return look.answer;
  }

  async #endsIfLocked(match: MatchId): Promise<readonly number[] | null> {
    const state = (await this.#deps.catalog.match(match))?.state;
    return state === "upcoming" ? null : this.close(match);
  }
}

/** `next` begins when `answer` has come, for those who asked meanwhile. */
interface Look {
  readonly answer: Promise<readonly number[] | null>;
  next: Promise<readonly number[] | null> | null;
}
