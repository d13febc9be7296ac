import type { ContestId } from "../../domain/ids.ts";

/**
 * A copy of the boards of contests, slice by slice, for when the node that has a slice can't be asked.
 *
 * Law: a slice is replaced at once, from one points version to another, or not at all; nobody reads some entries of one and some of
 * another. Of each slice the newest version stays, and the newest that all slices of the contest have in common. As with all keys,
 * any of it may vanish at any time, and what vanished in part is as good as gone.
 */
export interface MirroredBoards {
  /**
   * Replaces what is kept of the slice, `head.heldCount` entries in total order, in pieces of any size. Two writers of one slice and
   * version write the same. Rejects with `StoreUnavailable`, also when entries vanished meanwhile: begin again.
   */
  putBoard(head: BoardHead, entries: AsyncIterable<BoardEntries>, ttlMs: number): Promise<void>;
  /** All slices of the contest at the newest version that all of them have; empty without one. */
  boardHeads(contest: ContestId): Promise<readonly BoardHead[]>;
  /** By position; null when one of the slices is not whole at this version any more. */
  boardEntries(
    contest: ContestId,
    pointsVersion: number,
    ranges: readonly BoardRange[],
  ): Promise<readonly BoardEntries[] | null>;
  /** The newest version of each slice that is kept, by contest as asked and then by slice. */
  boardVersions(contests: readonly ContestId[]): Promise<readonly ReadonlyMap<number, number>[]>;
}

/** One slice of a contest under the points of one version. */
export interface BoardHead {
  readonly contestId: ContestId;
  readonly slice: number;
  readonly pointsVersion: number;
  /** Of the whole contest: the slices that have so many together are all. */
  readonly contestEntryCount: number;
  readonly entryCount: number;
  /** How many of the best are kept, from 1. */
  readonly heldCount: number;
  /** How many entries have which score (board/compact-standing.ts), of all that the slice has. */
  readonly compact: Uint8Array;
}

/** In total order: score descending, entry id ascending. */
export interface BoardEntries {
  readonly entryIds: Float64Array;
  readonly scoresQp: Int16Array;
}

/** The entries of a slice at places [start, end) of its own total order, all of them among those held. */
export interface BoardRange {
  readonly slice: number;
  readonly start: number;
  readonly end: number;
}

/** The newest version that all slices of a contest have; null without one. */
export function wholeVersion(heads: Iterable<BoardHead>): number | null {
  const missing = new Map<number, number>();
  for (const { contestEntryCount, entryCount, pointsVersion } of heads) {
    missing.set(pointsVersion, (missing.get(pointsVersion) ?? contestEntryCount) - entryCount);
  }
  const whole = [...missing].flatMap(([version, count]) => (count === 0 ? [version] : []));
  return whole.length === 0 ? null : Math.max(...whole);
}
