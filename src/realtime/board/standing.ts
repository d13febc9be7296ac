import type { EntryId } from "../../domain/ids.ts";
import type { PointsQp } from "../../domain/points.ts";
import { FORM_DENSE, SLOT_HEADER_BYTES, topCapacity, windowOffset } from "../kernel/slot.ts";

/** The standing of one contest as a pass left it in its slot (kernel/slot.ts); reads only, and copies nothing. */
export class Standing {
  readonly entryCount: number;
  readonly minQp: PointsQp;
  readonly maxQp: PointsQp;
  readonly #slot: Uint8Array;
  readonly #topCount: number;
  /** Dense: how many score more than `minQp + index`. */
  readonly #above: Uint32Array | null;
  /** Sorted: all scores, descending. */
  readonly #sorted: Int16Array;

  /** `slot` begins at a multiple of 8 of its buffer. */
  constructor(slot: Uint8Array) {
    const view = new DataView(slot.buffer, slot.byteOffset, slot.byteLength);
    this.#slot = slot;
    this.entryCount = view.getUint32(0, true);
    this.#topCount = view.getUint32(4, true);
    this.minQp = view.getInt16(8, true);
    this.maxQp = view.getInt16(10, true);
    const dense = view.getUint32(12, true) === FORM_DENSE;
    const length = view.getUint32(16, true);
    const window = slot.byteOffset + windowOffset(this.entryCount);
    this.#above = dense ? new Uint32Array(slot.buffer, window, length) : null;
    this.#sorted = dense ? new Int16Array(0) : new Int16Array(slot.buffer, window, length);
  }

  /** How many entries score more. */
  above(scoreQp: PointsQp): number {
    if (scoreQp >= this.maxQp) return 0;
    if (scoreQp < this.minQp) return this.entryCount;
    if (this.#above !== null) return this.#above[scoreQp - this.minQp]!;
    let low = 0;
    let high = this.#sorted.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#sorted[middle]! > scoreQp) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Competition rank (1, 2, 2, 4) of this score, whether or not an entry has it. */
  rank(scoreQp: PointsQp): number {
    return 1 + this.above(scoreQp);
  }

  /** How many entries have exactly this score. */
  tiedAt(scoreQp: PointsQp): number {
    return this.above(scoreQp - 1) - this.above(scoreQp);
  }

  /** The score of the entry at a position of the board, 0 the best. */
  scoreAt(position: number): PointsQp {
    if (this.#above === null) return this.#sorted[position]!;
    // The lowest score that at most `position` entries beat.
    let low = this.minQp;
    let high = this.maxQp;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.above(middle) <= position) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** The best, at most 100: by score, then entry id. */
  top(count: number): { readonly entryId: EntryId; readonly scoreQp: PointsQp }[] {
    const at = this.#slot.byteOffset + SLOT_HEADER_BYTES;
    const capacity = topCapacity(this.entryCount);
    const ids = new Float64Array(this.#slot.buffer, at, capacity);
    const scores = new Int16Array(this.#slot.buffer, at + capacity * 8, capacity);
    return Array.from({ length: Math.min(count, this.#topCount) }, (_, index) => ({
      entryId: ids[index] as EntryId,
      scoreQp: scores[index]!,
    }));
  }

  /** The part of the slot that is in use, as a copy that `new Standing` reads again. */
  copy(): Uint8Array {
    const window = this.#above ?? this.#sorted;
    return this.#slot.slice(0, windowOffset(this.entryCount) + window.byteLength);
  }
}
