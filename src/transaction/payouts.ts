import type { EntryId } from "../domain/ids.ts";
import { type Paise, paise } from "../domain/money.ts";
import type { PrizeSchedule } from "../domain/prizes.ts";
import type { FinalScores } from "./final-scores.ts";

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
}

/** What the entries of one score win: all the same, and a paisa more for the first few in order of entry id. */
interface Share {
  readonly eachPaise: number;
  extraPaiseLeft: number;
}

/**
 * The winners after entry `afterEntry` in order of entry id, a chunk at a time, for a step of an async iterator an entry
 * would cost more than the entry. Those before are counted through, because odd paise go by the order of all of a tie.
 */
export async function* payoutsOf(
  schedule: PrizeSchedule,
  scores: FinalScores,
  afterEntry: EntryId | 0,
): AsyncGenerator<readonly Payout[]> {
  const shares = new Map<number, Share>();
  const shareOf = (scoreQp: number): Share => {
    const { eachPaise, extraPaiseCount } = schedule.split(1 + scores.countAbove(scoreQp), scores.countAt(scoreQp));
    const share = { eachPaise, extraPaiseLeft: extraPaiseCount };
    shares.set(scoreQp, share);
    return share;
  };
  for await (const { entries, scoresQp } of scores.chunks()) {
    const payouts: Payout[] = [];
    for (let index = 0; index < entries.length; index++) {
      const scoreQp = scoresQp[index]!;
      const share = shares.get(scoreQp) ?? shareOf(scoreQp);
      let prizePaise = share.eachPaise;
      if (share.extraPaiseLeft > 0) {
        prizePaise++;
        share.extraPaiseLeft--;
      }
      const entryId = entries[index]! as EntryId;
      if (prizePaise > 0 && entryId > afterEntry) payouts.push({ entryId, prizePaise: paise(prizePaise) });
    }
    yield payouts;
  }
}
