import { captainQp, type PointsQp, type PointsVector, viceCaptainQp } from "../domain/points.ts";
import { ROSTER_SIZE } from "../domain/roster.ts";
import type { Standing } from "../realtime/board/standing.ts";
import type { ContestColumns } from "../realtime/kernel/port.ts";
import { TILE_BYTES, TILE_ENTRIES } from "../realtime/kernel/tiles.ts";

/** Entries that follow each other, each with its final score. */
export interface ScoredChunk {
  readonly entries: Float64Array;
  readonly scoresQp: Int16Array;
}

/**
 * The end of a contest as settlement reads it: every entry in order of entry id, and how many there are of each score. In
 * that order, and not in that of ranks, because it is the order of the ledger's own indices: twelve million credits then
 * are one sweep through them instead of twelve million places.
 */
export interface FinalScores {
  readonly entryCount: number;
  countAbove(scoreQp: PointsQp): number;
  countAt(scoreQp: PointsQp): number;
  /** All entries in ascending order of id, in pieces, so that they are never in memory at once; each call begins anew. */
  chunks(): AsyncIterable<ScoredChunk>;
}

/** Nobody entered. */
export const NO_SCORES: FinalScores = {
  entryCount: 0,
  countAbove: () => 0,
  countAt: () => 0,
  async *chunks() {},
};

/** Scored in about a millisecond, after which the event loop has its turn. */
const CHUNK_TILES = 512;

/** Read straight from the columns of a board. The points must be final, for it is read over a while. */
export function scoresOfColumns(columns: ContestColumns, standing: Standing, points: PointsVector): FinalScores {
  return {
    entryCount: columns.entryCount,
    countAbove: (scoreQp) => standing.countAbove(scoreQp),
    countAt: (scoreQp) => standing.countAt(scoreQp),
    async *chunks() {
      const scorer = new TileScorer(points);
      const chunkEntries = CHUNK_TILES * TILE_ENTRIES;
      for (let from = 0; from < columns.entryCount; from += chunkEntries) {
        const count = Math.min(chunkEntries, columns.entryCount - from);
        const scoresQp = scorer.score(columns.tiles, (from / TILE_ENTRIES) * TILE_BYTES, count);
        yield { entries: columns.entryIds.subarray(from, from + count), scoresQp };
        await new Promise(setImmediate);
      }
    },
  };
}

/** Column 0 is the captain's, column 1 the vice-captain's, the rest count once. */
class TileScorer {
  readonly #once: PointsVector;
  readonly #captain: Int16Array;
  readonly #viceCaptain: Int16Array;

  constructor(points: PointsVector) {
    this.#once = points;
    this.#captain = points.map((pointsQp) => captainQp(pointsQp));
    this.#viceCaptain = points.map((pointsQp) => viceCaptainQp(pointsQp));
  }

  score(tiles: Uint8Array, firstByte: number, count: number): Int16Array {
    const scores = new Int16Array(Math.ceil(count / TILE_ENTRIES) * TILE_ENTRIES);
    let at = firstByte;
    for (let first = 0; first < count; first += TILE_ENTRIES) {
      for (let column = 0; column < ROSTER_SIZE; column++) {
        const worth = column === 0 ? this.#captain : column === 1 ? this.#viceCaptain : this.#once;
        for (let place = first; place < first + TILE_ENTRIES; place++) scores[place]! += worth[tiles[at++]!]!;
      }
    }
    return scores.subarray(0, count);
  }
}
