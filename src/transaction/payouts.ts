import type { EntryId } from "../domain/ids.ts";
import { type Paise, paise } from "../domain/money.ts";
import type { PrizeSchedule } from "../domain/prizes.ts";
import type { FinalScores, ScoredChunk } from "./final-scores.ts";

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

/** Entries that follow each other, each with what it wins. */
export interface PrizedChunk extends ScoredChunk {
  readonly prizesPaise: Float64Array;
}

/** Every entry in order of entry id. Odd paise go by the order of all of a tie, so each call begins with the first. */
export async function* prizesOf(schedule: PrizeSchedule, scores: FinalScores): AsyncGenerator<PrizedChunk> {
  const shares = new Map<number, Share>();
  const shareOf = (scoreQp: number): Share => {
    const { eachPaise, extraPaiseCount } = schedule.split(1 + scores.countAbove(scoreQp), scores.countAt(scoreQp));
    const share = { eachPaise, extraPaiseLeft: extraPaiseCount };
    shares.set(scoreQp, share);
    return share;
  };
  for await (const { entries, scoresQp } of scores.chunks()) {
    const prizesPaise = new Float64Array(entries.length);
    for (let index = 0; index < entries.length; index++) {
      const scoreQp = scoresQp[index]!;
      const share = shares.get(scoreQp) ?? shareOf(scoreQp);
      let prizePaise = share.eachPaise;
      if (share.extraPaiseLeft > 0) {
        prizePaise++;
        share.extraPaiseLeft--;
      }
      prizesPaise[index] = prizePaise;
    }
    yield { entries, scoresQp, prizesPaise };
  }
}

/**
 * The winners after entry `afterEntry` in order of entry id, a chunk at a time, for a step of an async iterator an entry
 * would cost more than the entry.
 */
export async function* payoutsOf(
  schedule: PrizeSchedule,
  scores: FinalScores,
  afterEntry: EntryId | 0,
): AsyncGenerator<readonly Payout[]> {
  for await (const { entries, prizesPaise } of prizesOf(schedule, scores)) {
    const payouts: Payout[] = [];
    for (let index = 0; index < entries.length; index++) {
      const entryId = entries[index]! as EntryId;
      const prizePaise = prizesPaise[index]!;
      if (prizePaise > 0 && entryId > afterEntry) payouts.push({ entryId, prizePaise: paise(prizePaise) });
    }
    yield payouts;
  }
}
