import type { Clock } from "../domain/clock.ts";

/** Real time that can jump forward, so that a demonstration need not wait for its own deadline. */
export class DemoClock implements Clock {
  #aheadMs = 0;

  nowMs(): number {
    return Date.now() + this.#aheadMs;
  }

  advanceTo(atMs: number): void {
    this.#aheadMs += Math.max(0, atMs - this.nowMs());
  }
}
