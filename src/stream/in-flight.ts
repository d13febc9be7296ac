import type { MatchId } from "../domain/ids.ts";

/**
 * Counts what has passed a check but not yet reached the log, by match, so that a deadline can wait for exactly those.
 * `track` counts from the very call: nothing may be awaited between the check and it.
 */
export class InFlight {
  readonly #counts = new Map<MatchId, number>();
  readonly #waiters: { match: MatchId; resolve: () => void }[] = [];

  async track<T>(match: MatchId, work: () => Promise<T>): Promise<T> {
    this.#counts.set(match, (this.#counts.get(match) ?? 0) + 1);
    try {
      return await work();
    } finally {
      this.#landed(match);
    }
  }

  /** Resolves when nothing of the match is under way. */
  drained(match: MatchId): Promise<void> {
    if (!this.#counts.has(match)) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push({ match, resolve }));
  }

  #landed(match: MatchId): void {
    const left = this.#counts.get(match)! - 1;
    if (left > 0) {
      this.#counts.set(match, left);
      return;
    }
    this.#counts.delete(match);
    for (let index = this.#waiters.length - 1; index >= 0; index--) {
      if (this.#waiters[index]!.match === match) this.#waiters.splice(index, 1)[0]!.resolve();
    }
  }
}
