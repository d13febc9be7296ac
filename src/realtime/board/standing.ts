import { assert } from "../../domain/assert.ts";
import type { EntryId } from "../../domain/ids.ts";
import type { PointsQp } from "../../domain/points.ts";
import {
  FORM_DENSE,
  FORM_SORTED,
  isDense,
  SCORE_MAX,
  SCORE_MIN,
  SLOT_HEADER_BYTES,
  TOP_MAX,
  topCapacity,
  windowOffset,
} from "../kernel/slot.ts";

/** An entry in the total order of a contest: score descending, entry id ascending. Equal scores share a rank: 1, 2, 2, 4. */
export interface RankedEntry {
  readonly entryId: EntryId;
  readonly scoreQp: PointsQp;
  readonly rank: number;
  /** How many share the rank, itself included: what a prize is split by. */
  readonly tiedCount: number;
}

/**
 * The exact standing of one contest at one points version: how many entries score more than any score, and the top 100.
 * It is its own bytes (layout: kernel/slot.ts), so it travels between nodes and into a store as it is, and standings of the
 * slices of a contest merge by addition.
 */
export class Standing {
  readonly entryCount: number;
  readonly minQp: PointsQp;
  readonly maxQp: PointsQp;
  readonly #topCount: number;
  /** Dense form: how many score more, by score from `minQp`. */
  readonly #above: Uint32Array | undefined;
  /** Sorted form: every score, descending. */
  readonly #sorted: Int16Array | undefined;

  /** `bytes` begin with a slot and are this object's own from here on; their start is aligned to 8. */
  constructor(readonly bytes: Uint8Array) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.entryCount = view.getUint32(0, true);
    this.#topCount = view.getUint32(4, true);
    this.minQp = view.getInt16(8, true);
    this.maxQp = view.getInt16(10, true);
    const form = view.getUint32(12, true);
    const length = view.getUint32(16, true);
    const at = bytes.byteOffset + windowOffset(this.entryCount);
    assert(form === FORM_DENSE || form === FORM_SORTED, `unknown form ${form} of a standing`);
    assert(this.#topCount === topCapacity(this.entryCount), "a standing lists its best entries");
    if (form === FORM_DENSE) this.#above = new Uint32Array(bytes.buffer, at, length);
    else this.#sorted = new Int16Array(bytes.buffer, at, length);
  }

  /** From bytes at any alignment, for example out of a message. */
  static decode(bytes: Uint8Array): Standing {
    return new Standing(new Uint8Array(bytes));
  }

  /** How many entries score more than `scoreQp`, an entry's score or not. One array read in contests of any size. */
  countAbove(scoreQp: PointsQp): number {
    if (scoreQp >= this.maxQp) return 0;
    if (scoreQp < this.minQp) return this.entryCount;
    if (this.#above !== undefined) return this.#above[scoreQp - this.minQp]!;
    return firstWhere(this.entryCount, (place) => this.#sorted![place]! <= scoreQp);
  }

  countAt(scoreQp: PointsQp): number {
    return this.countAbove(scoreQp - 1) - this.countAbove(scoreQp);
  }

  /** The competition rank of a score: 1 + how many score more. */
  rank(scoreQp: PointsQp): number {
    return 1 + this.countAbove(scoreQp);
  }

  /** The score of the entry at a place (0-based) of the total order. */
  scoreAtPlace(place: number): PointsQp {
    assert(place >= 0 && place < this.entryCount, `place ${place} of ${this.entryCount} entries`);
    if (this.#sorted !== undefined) return this.#sorted[place]!;
    // The lowest score that at most `place` entries beat.
    const above = this.#above!;
    return this.minQp + firstWhere(above.length, (index) => above[index]! <= place);
  }

  /** The best 100 entries (or all, if fewer) in total order. */
  top(): RankedEntry[] {
    const ids = new Float64Array(this.bytes.buffer, this.bytes.byteOffset + SLOT_HEADER_BYTES, this.#topCount);
    const scores = new Int16Array(this.bytes.buffer, ids.byteOffset + ids.byteLength, this.#topCount);
    return Array.from(ids, (id, place) => {
      const scoreQp = scores[place]!;
      return this.ranked(id as EntryId, scoreQp);
    });
  }

  /** An entry of the contest that has this score. */
  ranked(entryId: EntryId, scoreQp: PointsQp): RankedEntry {
    return { entryId, scoreQp, rank: this.rank(scoreQp), tiedCount: this.countAt(scoreQp) };
  }

  /** The standing of a contest whose entries are spread over slices; all at the same points version. */
  static merge(slices: readonly Standing[]): Standing {
    assert(slices.length > 0, "a contest has at least one slice");
    if (slices.length === 1) return slices[0]!;
    const minQp = Math.min(...slices.map((slice) => slice.minQp));
    const maxQp = Math.max(...slices.map((slice) => slice.maxQp));
    const counts = new Uint32Array(maxQp - minQp + 1);
    for (const slice of slices) slice.#addCounts(counts, minQp);
    const top = slices
      .flatMap((slice) => slice.top())
      .sort((a, b) => b.scoreQp - a.scoreQp || a.entryId - b.entryId)
      .slice(0, TOP_MAX);
    return Standing.#of(minQp, counts, top);
  }

  #addCounts(counts: Uint32Array, baseQp: PointsQp): void {
    if (this.#sorted !== undefined) {
      for (const scoreQp of this.#sorted) counts[scoreQp - baseQp]!++;
      return;
    }
    let higher = this.entryCount;
    for (const [index, above] of this.#above!.entries()) {
      counts[this.minQp + index - baseQp]! += higher - above;
      higher = above;
    }
  }

  static #of(minQp: PointsQp, counts: Uint32Array, top: readonly RankedEntry[]): Standing {
    const entryCount = counts.reduce((sum, count) => sum + count, 0);
    const maxQp = minQp + counts.length - 1;
    assert(minQp >= SCORE_MIN && maxQp <= SCORE_MAX, "scores are int16");
    const dense = isDense(entryCount, counts.length);
    const at = windowOffset(entryCount);
    const bytes = new Uint8Array(at + (dense ? counts.length * 4 : entryCount * 2));
    const view = new DataView(bytes.buffer);
    view.setUint32(0, entryCount, true);
    view.setUint32(4, top.length, true);
    view.setInt16(8, minQp, true);
    view.setInt16(10, maxQp, true);
    view.setUint32(12, dense ? FORM_DENSE : FORM_SORTED, true);
    view.setUint32(16, dense ? counts.length : entryCount, true);
    new Float64Array(bytes.buffer, SLOT_HEADER_BYTES, top.length).set(top.map((entry) => entry.entryId));
    new Int16Array(bytes.buffer, SLOT_HEADER_BYTES + top.length * 8, top.length).set(top.map((entry) => entry.scoreQp));
    const above = dense ? new Uint32Array(bytes.buffer, at, counts.length) : undefined;
    const sorted = dense ? undefined : new Int16Array(bytes.buffer, at, entryCount);
    let seen = 0;
    for (let index = counts.length - 1; index >= 0; index--) {
      if (above !== undefined) above[index] = seen;
      sorted?.fill(minQp + index, seen, seen + counts[index]!);
      seen += counts[index]!;
    }
    return new Standing(bytes);
  }
}

/** The first index of [0, count) where a predicate that is false, then true, holds; `count` if nowhere. */
function firstWhere(count: number, holds: (index: number) => boolean): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
