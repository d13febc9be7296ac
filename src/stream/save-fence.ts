import type { Clock } from "../domain/clock.ts";
import type { MatchId } from "../domain/ids.ts";
import type { Match } from "../domain/match.ts";
import type { Catalog } from "../stores/catalog/port.ts";
import { type EventLog, TOPICS } from "../stores/event-log/port.ts";

export interface SaveFenceDeps {
  readonly catalog: Pick<Catalog, "match" | "lockPositions" | "putLockPositions">;
  readonly log: Pick<EventLog, "endOffset">;
  readonly clock: Clock;
  /** No two nodes' clocks differ by more. */
  readonly clockSkewMsMax: number;
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

  constructor(deps: SaveFenceDeps) {
    this.#deps = deps;
  }

  /**
   * Of a match that is no longer upcoming: its saves end where they stand, unless their ends are written already. Answers
   * the ends by partition of `team-saves`.
   */
  async close(match: MatchId): Promise<readonly number[]> {
    const { catalog, log } = this.#deps;
    const written = await catalog.lockPositions(match);
    if (written !== null) return written;
    const partitions = Array.from({ length: TOPICS["team-saves"].partitionCount }, (_, partition) => partition);
    const ends = await Promise.all(partitions.map((partition) => log.endOffset("team-saves", partition)));
    return catalog.putLockPositions(match, ends);
  }

  /** false: some node may lock the match by now, or has. Costs nothing. */
  isSurelyOpen({ startMs }: Pick<Match, "startMs">): boolean {
    const { clock, clockSkewMsMax } = this.#deps;
    return clock.nowMs() < startMs - clockSkewMsMax;
  }

  /** Of records that are durable already: they count if they lie before this offset. */
  async endOf(match: Pick<Match, "id" | "startMs">, partition: number): Promise<number> {
    if (this.isSurelyOpen(match)) return Number.POSITIVE_INFINITY;
    const state = (await this.#deps.catalog.match(match.id))?.state;
    return state === "upcoming" ? Number.POSITIVE_INFINITY : (await this.close(match.id))[partition]!;
  }
}
