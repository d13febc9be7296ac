import type { EntryId } from "../domain/ids.ts";
import { type Paise, paise } from "../domain/money.ts";
import type { PrizeSchedule } from "../domain/prizes.ts";

/** Entries that share a rank, or a part of them when they are many: chunks of one group follow each other. */
export interface TieChunk {
  /** Competition rank: 1, 2, 2, 4. */
  readonly rank: number;
  /** In the whole group, not in this chunk. */
  readonly tiedCount: number;
  /** How many of the group came in earlier chunks. */
  readonly offset: number;
  /** Entry ids, ascending within the group. */
  readonly entries: Float64Array;
}

/** A final board as settlement reads it: in rank order, in pieces, so that 12 M entries are never in memory at once. */
export interface FinalBoard {
  readonly entryCount: number;
  /** From the chunk that holds board position `fromPosition` (0 is the first of rank 1), or from an earlier one. */
  chunks(fromPosition: number): AsyncIterable<TieChunk>;
}

/** One winner. */
export interface Payout {
  readonly entryId: EntryId;
  readonly prizePaise: Paise;
  /** Position on the board, from 0. */
  readonly position: number;
}

/**
 * The winners from `fromPosition` on, a chunk at a time, for a step of an async iterator an entry would cost more than the
 * entry. Stops reading the board after the last paid rank, so entries that win nothing cost nothing.
 */
export async function* payoutsOf(
  schedule: PrizeSchedule,
  board: FinalBoard,
  fromPosition: number,
): AsyncGenerator<readonly Payout[]> {
  if (fromPosition >= board.entryCount) return;
  for await (const { rank, tiedCount, offset, entries } of board.chunks(fromPosition)) {
    if (rank > schedule.lastPaidRank) return;
    const { eachPaise, extraPaiseCount } = schedule.split(rank, tiedCount);
    const payouts: Payout[] = [];
    for (let index = 0; index < entries.length; index++) {
      const placeInGroup = offset + index;
      const position = rank - 1 + placeInGroup;
      const prizePaise = paise(eachPaise + (placeInGroup < extraPaiseCount ? 1 : 0));
      if (position >= fromPosition && prizePaise > 0) {
        payouts.push({ entryId: entries[index]! as EntryId, prizePaise, position });
      }
    }
    yield payouts;
  }
}
