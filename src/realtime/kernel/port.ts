import { assert } from "../../domain/assert.ts";
import { captainQp, POOL_SIZE_MAX, type PointsVector, viceCaptainQp } from "../../domain/points.ts";
import { ROSTER_SIZE } from "../../domain/roster.ts";
import { SCORE_MAX } from "./slot.ts";

/**
 * What the boards ask of a kernel. Law: every kernel gives the same bytes for the same input, whatever its speed, its
 * instruction set and its number of threads; scores are int16 quarter-points, sums taken modulo 2^16, and true as long as
 * `assertPointsFit` holds. Buffers belong to the caller. Calls run to their end on the calling thread: long ones belong in
 * a worker.
 */
export interface Kernel {
  /** "typescript", "serial", "avx2", "avx512vbmi" or "neon". */
  readonly name: string;
  /** `scores[i]` becomes the score of entry i; `scores` holds at least `entryCount`. */
  score(points: PointsVector, tiles: Uint8Array, entryCount: number, scores: Int16Array): void;
  /** The entries of one contest that score within a range, in the order met. */
  select(points: PointsVector, columns: ContestColumns, query: SelectQuery): Selection;
  /** Fixes the contests of a board, so that a pass costs no preparation. The columns must stay mapped. */
  preparePass(contests: readonly PassContest[]): Pass;
}

/** One contest of a board: entries in ascending order of id, so that a position is also the order within a tie. */
export interface ContestColumns {
  /** At least 1. */
  readonly entryCount: number;
  readonly entryIds: Float64Array;
  /** `tileBytes(entryCount)` bytes; lanes behind the last entry are 0. */
  readonly tiles: Uint8Array;
}

export interface PassContest extends ContestColumns {
  /** Where in the arena the standing goes: a multiple of 8 with room for `slotBytes(entryCount)`. */
  readonly slotOffset: number;
}

export interface Pass {
  /** Re-scores every contest and writes every slot of the arena (layout: slot.ts). */
  run(points: PointsVector, arena: Uint8Array): void;
}

export interface SelectQuery {
  readonly minQp: number;
  readonly maxQp: number;
  /** First position looked at; the scan goes on from there to the end, or back to 0. */
  readonly from: number;
  readonly backward: boolean;
  /** How many matching entries to leave out first. */
  readonly skip: number;
  /** The scan stops once it has this many. */
  readonly limit: number;
}

export interface Selection {
  readonly positions: Uint32Array;
  readonly scoresQp: Int16Array;
}

/**
 * The overflow bound of every kernel: no eleven distinct players can sum, with multipliers, beyond int16. Four times any
 * real match stays far below; a vector beyond it is a corrupt feed, and a wrapped score would be a wrong rank.
 */
export function pointsFit(points: PointsVector): boolean {
  const sizes = Array.from(points, Math.abs).sort((a, b) => b - a);
  let worstQp = 0;
  for (let slot = 0; slot < ROSTER_SIZE; slot++) {
    const sizeQp = sizes[slot] ?? 0;
    worstQp += slot === 0 ? captainQp(sizeQp) : slot === 1 ? viceCaptainQp(sizeQp) : sizeQp;
  }
  return worstQp <= SCORE_MAX;
}

export function assertPoints(points: PointsVector): void {
  assert(points.length === POOL_SIZE_MAX, `a points vector has ${POOL_SIZE_MAX} elements, this one ${points.length}`);
  assert(
    points.every((qp) => qp % 2 === 0),
    "a player's own points are an even number of quarter-points",
  );
  assert(pointsFit(points), "the best eleven would score beyond the 32767 quarter-points that a board can hold");
}
