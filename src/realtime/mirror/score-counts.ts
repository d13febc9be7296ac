import { assert } from "../../domain/assert.ts";
import type { PointsQp } from "../../domain/points.ts";
import { forEachCount } from "../board/compact-standing.ts";
import { SCORE_MAX, SCORE_MIN } from "../kernel/slot.ts";

/** How many entries have which score, read from the compact standings of one slice or of many. */
export class ScoreCounts {
  readonly entryCount: number;
  readonly #minQp: PointsQp;
  /** How many score more, by score from the lowest. */
  readonly #above: Uint32Array;

  private constructor(minQp: PointsQp, above: Uint32Array, entryCount: number) {
    this.#minQp = minQp;
    this.#above = above;
    this.entryCount = entryCount;
  }

  static ofCompact(slices: readonly Uint8Array[]): ScoreCounts {
    const counts = new Map<PointsQp, number>();
    let [minQp, maxQp] = [SCORE_MAX, SCORE_MIN];
    for (const bytes of slices) {
      forEachCount(bytes, (scoreQp, count) => {
        if (count === 0) return;
        counts.set(scoreQp, (counts.get(scoreQp) ?? 0) + count);
        minQp = Math.min(minQp, scoreQp);
        maxQp = Math.max(maxQp, scoreQp);
      });
    }
    const above = new Uint32Array(Math.max(0, maxQp - minQp + 1));
    let entryCount = 0;
    for (let scoreQp = maxQp; scoreQp >= minQp; scoreQp--) {
      above[scoreQp - minQp] = entryCount;
      entryCount += counts.get(scoreQp) ?? 0;
    }
    return new ScoreCounts(minQp, above, entryCount);
  }

  countAbove(scoreQp: PointsQp): number {
    return scoreQp < this.#minQp ? this.entryCount : (this.#above[scoreQp - this.#minQp] ?? 0);
  }

  /** Of the entry at a 0-based place of the total order. */
  scoreAtPlace(place: number): PointsQp {
    assert(place >= 0 && place < this.entryCount, `place ${place} of ${this.entryCount} entries`);
    // The lowest score that at most `place` entries beat.
    let low = 0;
    let high = this.#above.length - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#above[middle]! <= place) high = middle;
      else low = middle + 1;
    }
    return this.#minQp + low;
  }
}
