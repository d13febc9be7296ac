import { assert } from "../../domain/assert.ts";
import type { EntryId } from "../../domain/ids.ts";
import type { PointsVector } from "../../domain/points.ts";
import type { ContestColumns, Kernel, Selection } from "../kernel/port.ts";
import type { EntryRange, PlaceRange, ScoredEntries, ScoreUnder } from "./board-protocol.ts";
import { type RankedEntry, Standing } from "./standing.ts";

/**
 * Up to here all entries of a score are collected in one scan and ordered. More entries on one score than this are so
 * dense in the columns that a scan for a few of them stops almost at once.
 */
const COLLECT_MAX = 262_144;

/** One contest at one points version: the standing is that of exactly these points. */
export interface RankedContest {
  readonly columns: ContestColumns;
  readonly points: PointsVector;
  readonly standing: Standing;
}

/** Place of an id among ascending ones, or -1: ids ascend, so no index is needed. */
export function indexOfId(ascending: Float64Array, entry: EntryId): number {
  const at = lowerBound(ascending, entry);
  return ascending[at] === entry ? at : -1;
}

/** How many of the ascending values are lower. */
export function lowerBound(ascending: Float64Array | Uint32Array, value: number): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ascending[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Up to `count` entries in total order from a 0-based place. */
export function page(kernel: Kernel, contest: RankedContest, place: number, count: number): RankedEntry[] {
  return ranked(contest, entriesBetween(kernel, contest, place, place + count));
}

/** An entry with up to `radius` entries before and after it in total order; empty if it is not in the contest. */
export function neighbours(kernel: Kernel, contest: RankedContest, entry: EntryId, radius: number): RankedEntry[] {
  const { columns, points, standing } = contest;
  const position = indexOfId(columns.entryIds, entry);
  if (position < 0) return [];
  const own = kernel.select(points, columns, { ...anyScore, from: position, backward: false, skip: 0, limit: 1 });
  const scoreQp = own.scoresQp[0]!;
  const above = standing.countAbove(scoreQp);
  const tied = standing.countAt(scoreQp);
  assert(tied > 0, "a standing counts every entry of its contest");

  if (tied <= COLLECT_MAX) {
    const start = Math.max(0, above - radius);
    const around = entriesBetween(kernel, contest, start, above + tied + radius);
    const index = around.positions.indexOf(position);
    return ranked(contest, slice(around, Math.max(0, index - radius), index + radius + 1));
  }
  const same = { minQp: scoreQp, maxQp: scoreQp, skip: 0, limit: radius };
  const before =
    position === 0 ? nothing : kernel.select(points, columns, { ...same, from: position - 1, backward: true });
  const after =
    position + 1 === columns.entryCount
      ? nothing
      : kernel.select(points, columns, { ...same, from: position + 1, backward: false });
  const better = radius - before.positions.length;
  const worse = radius - after.positions.length;
  return [
    ...ranked(contest, entriesBetween(kernel, contest, Math.max(0, above - better), above)),
    ...ranked(contest, before).reverse(),
    ...ranked(contest, own),
    ...ranked(contest, after),
    ...ranked(contest, entriesBetween(kernel, contest, above + tied, above + tied + worse)),
  ];
}

/** By id, not by rank; a slice of a contest is read like this by whoever puts slices together. */
export function entriesFrom(kernel: Kernel, columns: ContestColumns, range: EntryRange): ScoredEntries {
  const { fromEntry, limit, maxQp, minQp, points } = range;
  const from = lowerBound(columns.entryIds, fromEntry);
  if (from === columns.entryCount || limit === 0) return { entryIds: new Float64Array(0), scoresQp: new Int16Array(0) };
  const { positions, scoresQp } = kernel.select(points, columns, {
    minQp,
    maxQp,
    from,
    backward: false,
    skip: 0,
    limit: Math.min(limit, columns.entryCount - from),
  });
  return {
    entryIds: Float64Array.from(positions, (position) => columns.entryIds[position]!),
    scoresQp: scoresQp.slice(),
  };
}

/** By rank: as `page`, by the hundred thousand. */
export function entriesAtPlaces(kernel: Kernel, columns: ContestColumns, range: PlaceRange): ScoredEntries {
  const { count, place, points } = range;
  const contest = { columns, points, standing: Standing.decode(range.standing) };
  const { positions, scoresQp } = entriesBetween(kernel, contest, place, place + count);
  return { entryIds: Float64Array.from(positions, (position) => columns.entryIds[position]!), scoresQp };
}

/** How many entries with exactly this score have a lower id than each of `below`: one scan for all of them. */
export function countTied(
  kernel: Kernel,
  columns: ContestColumns,
  { points, scoreQp }: ScoreUnder,
  below: readonly number[],
): number[] {
  const { positions } = kernel.select(points, columns, {
    minQp: scoreQp,
    maxQp: scoreQp,
    from: 0,
    backward: false,
    skip: 0,
    limit: columns.entryCount,
  });
  return below.map((entry) => lowerBound(positions, lowerBound(columns.entryIds, entry)));
}

const anyScore = { minQp: -32768, maxQp: 32767 };
const nothing: Selection = { positions: new Uint32Array(0), scoresQp: new Int16Array(0) };

const slice = ({ positions, scoresQp }: Selection, start: number, end: number): Selection => ({
  positions: positions.subarray(start, end),
  scoresQp: scoresQp.subarray(start, end),
});

function ranked({ columns, standing }: RankedContest, { positions, scoresQp }: Selection): RankedEntry[] {
  return Array.from(positions, (position, index) => {
    return standing.ranked(columns.entryIds[position]! as EntryId, scoresQp[index]!);
  });
}

/** The entries at places [start, end) of the total order. */
function entriesBetween(kernel: Kernel, contest: RankedContest, start: number, end: number): Selection {
  const { columns, points, standing } = contest;
  const last = Math.min(end, standing.entryCount);
  const first = Math.max(0, start);
  if (first >= last) return nothing;
  const positions = new Uint32Array(last - first);
  const scoresQp = new Int16Array(last - first);
  for (let place = first; place < last;) {
    const maxQp = standing.scoreAtPlace(place);
    const above = standing.countAbove(maxQp);
    const tied = standing.countAt(maxQp);
    if (tied > COLLECT_MAX) {
      const limit = Math.min(last, above + tied) - place;
      // From whichever end of the columns is nearer in the tie, so that the scan is as short as it can be.
      const fromEnd = above + tied - (place + limit) < place - above;
      const skip = fromEnd ? above + tied - (place + limit) : place - above;
      const from = fromEnd ? columns.entryCount - 1 : 0;
      const found = kernel.select(points, columns, { minQp: maxQp, maxQp, from, backward: fromEnd, skip, limit });
      positions.set(fromEnd ? found.positions.toReversed() : found.positions, place - first);
      scoresQp.set(found.scoresQp, place - first);
      place += limit;
      continue;
    }
    // One scan for this score and as many lower ones as are wanted and not too dense.
    let minQp = maxQp;
    let reached = above + tied;
    while (reached < last) {
      const nextQp = standing.scoreAtPlace(reached);
      const next = standing.countAt(nextQp);
      if (reached - above + next > COLLECT_MAX) break;
      minQp = nextQp;
      reached += next;
    }
    const found = kernel.select(points, columns, {
      minQp,
      maxQp,
      from: 0,
      backward: false,
      skip: 0,
      limit: reached - above,
    });
    assert(found.positions.length === reached - above, "a standing and its points agree");
    // Positions come ascending, so the entries of each score fall into place one after the other.
    const nextPlace = new Map<number, number>();
    for (const [index, position] of found.positions.entries()) {
      const scoreQp = found.scoresQp[index]!;
      const at = nextPlace.get(scoreQp) ?? standing.countAbove(scoreQp);
      nextPlace.set(scoreQp, at + 1);
      if (at < first || at >= last) continue;
      positions[at - first] = position;
      scoresQp[at - first] = scoreQp;
    }
    place = Math.min(last, reached);
  }
  return { positions, scoresQp };
}
