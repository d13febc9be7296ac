import { captainQp, POOL_SIZE_MAX, type PointsVector, viceCaptainQp } from "../../domain/points.ts";
import { ROSTER_SIZE } from "../../domain/roster.ts";
import type { ContestColumns, Kernel, Pass, PassContest, Selection, SelectQuery } from "./port.ts";
import {
  FORM_DENSE,
  FORM_SORTED,
  isDense,
  SCORE_MAX,
  SCORE_MIN,
  SLOT_HEADER_BYTES,
  topCapacity,
  windowOffset,
} from "./slot.ts";
import { TILE_BYTES, TILE_ENTRIES } from "./tiles.ts";

const BLOCK_ENTRIES = 2048;
const DOMAIN = SCORE_MAX - SCORE_MIN + 1;

/** The reference in plain TypeScript, and what serves on a machine without a C compiler. One thread, ~15x slower. */
export const typescriptKernel: Kernel = { name: "typescript", score, select, preparePass };

/** The points by multiplier, flat: captain at 0, vice-captain at 64, all others at 128. */
function weightedPoints(points: PointsVector): Int16Array {
  const weighted = new Int16Array(3 * POOL_SIZE_MAX);
  for (let index = 0; index < POOL_SIZE_MAX; index++) {
    const qp = points[index]!;
    weighted[index] = captainQp(qp);
    weighted[index + POOL_SIZE_MAX] = viceCaptainQp(qp);
    weighted[index + 2 * POOL_SIZE_MAX] = qp;
  }
  return weighted;
}

const INDEX_MASK = POOL_SIZE_MAX - 1;

/** Scores entries `first` (at the start of a tile) to `first + count`; the Int16Array store is the modulo 2^16. */
function scoreRun(weighted: Int16Array, tiles: Uint8Array, first: number, count: number, scores: Int16Array): void {
  const others = 2 * POOL_SIZE_MAX;
  let tile = (first / TILE_ENTRIES) * TILE_BYTES;
  for (let start = 0; start < count; start += TILE_ENTRIES, tile += TILE_BYTES) {
    const lanes = Math.min(TILE_ENTRIES, count - start);
    for (let lane = 0; lane < lanes; lane++) {
      let at = tile + lane;
      let sum = weighted[tiles[at]! & INDEX_MASK]!;
      at += TILE_ENTRIES;
      sum += weighted[POOL_SIZE_MAX + (tiles[at]! & INDEX_MASK)]!;
      for (let slot = 2; slot < ROSTER_SIZE; slot++) {
        at += TILE_ENTRIES;
        sum += weighted[others + (tiles[at]! & INDEX_MASK)]!;
      }
      scores[start + lane] = sum;
    }
  }
}

function score(points: PointsVector, tiles: Uint8Array, entryCount: number, scores: Int16Array): void {
  scoreRun(weightedPoints(points), tiles, 0, entryCount, scores);
}

function select(points: PointsVector, columns: ContestColumns, query: SelectQuery): Selection {
  const { entryCount, tiles } = columns;
  const { minQp, maxQp, from, backward, limit } = query;
  const weighted = weightedPoints(points);
  const scores = new Int16Array(BLOCK_ENTRIES);
  const positions: number[] = [];
  const found: number[] = [];
  let skip = query.skip;
  const step = backward ? -BLOCK_ENTRIES : BLOCK_ENTRIES;
  for (let start = from - (from % BLOCK_ENTRIES); start >= 0 && start < entryCount; start += step) {
    const count = Math.min(BLOCK_ENTRIES, entryCount - start);
    scoreRun(weighted, tiles, start, count, scores);
    for (let i = 0; i < count && positions.length < limit; i++) {
      const index = backward ? count - 1 - i : i;
      const position = start + index;
      const scoreQp = scores[index]!;
      if (scoreQp < minQp || scoreQp > maxQp || (backward ? position > from : position < from)) continue;
      if (skip > 0) {
        skip--;
        continue;
      }
      positions.push(position);
      found.push(scoreQp);
    }
    if (positions.length >= limit) break;
  }
  return { positions: Uint32Array.from(positions), scoresQp: Int16Array.from(found) };
}

function preparePass(contests: readonly PassContest[]): Pass {
  const counts = new Uint32Array(DOMAIN);
  const scores = new Int16Array(Math.max(0, ...contests.map((contest) => contest.entryCount)));
  return {
    run(points, arena) {
      const weighted = weightedPoints(points);
      for (const contest of contests) {
        scoreRun(weighted, contest.tiles, 0, contest.entryCount, scores);
        writeStanding(contest, scores, counts, arena);
      }
    },
  };
}

/** `counts` is all zero before and after. */
function writeStanding(contest: PassContest, scores: Int16Array, counts: Uint32Array, arena: Uint8Array): void {
  const { entryCount } = contest;
  let min = SCORE_MAX;
  let max = SCORE_MIN;
  for (let i = 0; i < entryCount; i++) {
    const scoreQp = scores[i]!;
    counts[scoreQp - SCORE_MIN]!++;
    if (scoreQp < min) min = scoreQp;
    if (scoreQp > max) max = scoreQp;
  }
  const base = arena.byteOffset + contest.slotOffset;
  const windowAt = base + windowOffset(entryCount);
  const spread = max - min + 1;
  const dense = isDense(entryCount, spread);

  const header = new DataView(arena.buffer, base, SLOT_HEADER_BYTES);
  for (let at = 0; at < SLOT_HEADER_BYTES; at += 4) header.setUint32(at, 0, true);
  header.setUint32(0, entryCount, true);
  header.setInt16(8, min, true);
  header.setInt16(10, max, true);
  header.setUint32(12, dense ? FORM_DENSE : FORM_SORTED, true);
  header.setUint32(16, dense ? spread : entryCount, true);

  const above = dense ? new Uint32Array(arena.buffer, windowAt, spread) : undefined;
  const sorted = dense ? undefined : new Int16Array(arena.buffer, windowAt, entryCount);
  const wanted = topCapacity(entryCount);
  let seen = 0;
  let threshold = min;
  let ties = wanted;
  for (let scoreQp = max; scoreQp >= min; scoreQp--) {
    const here = counts[scoreQp - SCORE_MIN]!;
    if (above !== undefined) above[scoreQp - min] = seen;
    if (sorted !== undefined) sorted.fill(scoreQp, seen, seen + here);
    if (seen < wanted && seen + here >= wanted) {
      threshold = scoreQp;
      ties = wanted - seen;
    }
    seen += here;
  }
  counts.fill(0, min - SCORE_MIN, max - SCORE_MIN + 1);

  const top: number[] = [];
  for (let i = 0; i < entryCount; i++) {
    const scoreQp = scores[i]!;
    if (scoreQp > threshold || (scoreQp === threshold && ties-- > 0)) top.push(i);
  }
  top.sort((a, b) => scores[b]! - scores[a]! || a - b);
  const topIds = new Float64Array(arena.buffer, base + SLOT_HEADER_BYTES, wanted);
  const topScores = new Int16Array(arena.buffer, base + SLOT_HEADER_BYTES + wanted * 8, wanted);
  for (const [place, position] of top.entries()) {
    topIds[place] = contest.entryIds[position]!;
    topScores[place] = scores[position]!;
  }
  header.setUint32(4, top.length, true);
}
