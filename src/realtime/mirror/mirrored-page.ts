import type { ContestId, EntryId } from "../../domain/ids.ts";
import type { BoardEntries, BoardHead, MirroredBoards } from "../../stores/hot-store/boards.ts";
import type { RankedPage } from "../board/board-protocol.ts";
import type { RankedEntry } from "../board/standing.ts";
import { ScoreCounts } from "./score-counts.ts";

/** Entries that are read of each slice at most, to find a place within a tie; one that lies deeper is not answered. */
const READ_MAX = 16_384;

/**
 * A page of a contest out of its copy: up to `count` entries in total order from a 0-based place, ranks and ties exact for the version
 * that it names. null when the copy is not whole, or does not reach so far down.
 */
export async function mirroredPage(
  boards: Copies,
  contest: ContestId,
  place: number,
  count: number,
): Promise<RankedPage | null> {
  // Between the two questions a newer version may have come.
  return (await pageOf(boards, contest, place, count)) ?? pageOf(boards, contest, place, count);
}

async function pageOf(boards: Copies, contest: ContestId, place: number, count: number): Promise<RankedPage | null> {
  const heads = await boards.boardHeads(contest);
  if (heads.length === 0) return null;
  const { pointsVersion } = heads[0]!;
  const slices = heads.map((head) => ({ head, counts: ScoreCounts.ofCompact([head.compact]) }));
  const whole = ScoreCounts.ofCompact(heads.map(({ compact }) => compact));
  const end = Math.min(place + count, whole.entryCount);
  if (place >= end) return { pointsVersion, entryCount: whole.entryCount, entries: [] };

  const wanted = rangesOf(slices, whole, place, end);
  if (wanted === null) return null;
  const { ranges, skipped } = wanted;
  const found = await boards.boardEntries(contest, pointsVersion, ranges);
  if (found === null) return null;
  const entries = ranked(found, whole).slice(skipped, skipped + end - place);
  return { pointsVersion, entryCount: whole.entryCount, entries };
}

export type Copies = Pick<MirroredBoards, "boardEntries" | "boardHeads">;

interface Slice {
  readonly head: BoardHead;
  readonly counts: ScoreCounts;
}

/**
 * Where in each slice the entries at places [start, end) of the whole may be, and how many of those found come before them; null: some
 * are too deep, or not held.
 */
function rangesOf(slices: readonly Slice[], whole: ScoreCounts, start: number, end: number) {
  const maxQp = whole.scoreAtPlace(start);
  const minQp = whole.scoreAtPlace(end - 1);
  const [only] = slices;
  if (slices.length === 1) {
    return end <= only!.head.heldCount ? { skipped: 0, ranges: [{ slice: only!.head.slice, start, end }] } : null;
  }
  // Counted from the first of the highest score, the page ends here; no slice can have more of it.
  const wanted = end - whole.countAbove(maxQp);
  if (wanted > READ_MAX) return null;
  const ranges = slices.map(({ counts, head: { heldCount, slice } }) => {
    const first = counts.countAbove(maxQp);
    const last = Math.min(counts.countAbove(minQp - 1), first + wanted);
    return { slice, start: first, end: last, isHeld: last <= heldCount };
  });
  if (!ranges.every(({ isHeld }) => isHeld)) return null;
  return { skipped: start - whole.countAbove(maxQp), ranges: ranges.filter((range) => range.end > range.start) };
}

function ranked(found: readonly BoardEntries[], whole: ScoreCounts): RankedEntry[] {
  const entries = found.flatMap(({ entryIds, scoresQp }) =>
    Array.from(entryIds, (entry, index) => {
      const scoreQp = scoresQp[index]!;
      const above = whole.countAbove(scoreQp);
      const tiedCount = whole.countAbove(scoreQp - 1) - above;
      return { entryId: entry as EntryId, scoreQp, rank: 1 + above, tiedCount };
    }),
  );
  return entries.sort((a, b) => b.scoreQp - a.scoreQp || a.entryId - b.entryId);
}
