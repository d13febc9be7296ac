import { assert } from "./assert.ts";
import { type Paise, paise } from "./money.ts";

/** Each rank from `fromRank` to `toRank` (both included) wins an amount, or a share of the pool in basis points. */
export type PrizeBand =
  | { readonly fromRank: number; readonly toRank: number; readonly amountPaise: Paise }
  | { readonly fromRank: number; readonly toRank: number; readonly shareBps: number };

/** Bands in rank order from 1, without gaps. Ranks past the last band win nothing. */
export type PrizeTable = readonly PrizeBand[];

const BPS_WHOLE = 10_000;
/** ₹900 crore: keeps pool × basis points a safe integer. */
export const PRIZE_POOL_PAISE_MAX = 900_000_000_000;

/** The sentences to show for a table that must not be opened; empty for a good one. */
export function checkPrizeTable(table: PrizeTable, poolPaise: Paise, entriesMax: number): string[] {
  const faults: string[] = [];
  if (!Number.isInteger(poolPaise) || poolPaise < 0 || poolPaise > PRIZE_POOL_PAISE_MAX) {
    faults.push(`the prize pool is a non-negative amount of at most ${PRIZE_POOL_PAISE_MAX} paise`);
  }
  let nextRank = 1;
  let sharesBps = 0;
  let amountsPaise = 0;
  let previousPaise = Number.POSITIVE_INFINITY;
  for (const [index, band] of table.entries()) {
    const where = `band ${index + 1} (ranks ${band.fromRank}-${band.toRank})`;
    if (!Number.isInteger(band.fromRank) || band.fromRank !== nextRank) {
      faults.push(`${where} must start at rank ${nextRank}`);
    }
    if (!Number.isInteger(band.toRank) || band.toRank < band.fromRank) faults.push(`${where} ends before it starts`);
    if (band.toRank > entriesMax) faults.push(`${where} goes past the ${entriesMax} entries`);
    const ranks = band.toRank - band.fromRank + 1;
    const eachPaise = amountOfBand(band, poolPaise);
    if (!Number.isInteger(eachPaise) || eachPaise < 0) faults.push(`${where} pays a negative or broken amount`);
    if (eachPaise > previousPaise) faults.push(`${where} pays more than the band before it`);
    if ("shareBps" in band) sharesBps += band.shareBps * ranks;
    else amountsPaise += band.amountPaise * ranks;
    previousPaise = eachPaise;
    nextRank = band.toRank + 1;
  }
  const shares = table.some((band) => "shareBps" in band);
  const amounts = table.some((band) => "amountPaise" in band);
  if (shares && amounts) faults.push("a table has amounts or shares, not both");
  if (shares && !amounts && sharesBps !== BPS_WHOLE) {
    faults.push(`the shares sum to ${sharesBps} basis points, not to ${BPS_WHOLE}`);
  }
  if (!shares && amountsPaise !== poolPaise) {
    faults.push(`the amounts sum to ${amountsPaise} paise, the pool is ${poolPaise}`);
  }
  return faults;
}

function amountOfBand(band: PrizeBand, poolPaise: Paise): Paise {
  return "amountPaise" in band ? band.amountPaise : paise(Math.floor((poolPaise * band.shareBps) / BPS_WHOLE));
}

/**
 * The prize of each rank as a step function with prefix sums, so that any run of ranks is summed in O(log bands).
 * A paisa that rounding a share leaves over goes to rank 1.
 */
export class PrizeSchedule {
  readonly #toRanks: number[] = [];
  readonly #eachPaise: number[] = [];
  /** Sum of all prizes up to and including each band. */
  readonly #sumsPaise: number[] = [];
  readonly totalPaise: Paise;

  constructor(table: PrizeTable, poolPaise: Paise) {
    const sharesTotalPaise = table.reduce(
      (sum, band) => sum + amountOfBand(band, poolPaise) * (band.toRank - band.fromRank + 1),
      0,
    );
    const leftOverPaise = table.length > 0 ? poolPaise - sharesTotalPaise : 0;
    assert(leftOverPaise >= 0, "a prize table never pays more than its pool");
    const step = (toRank: number, eachPaise: number) => {
      const fromRank = (this.#toRanks.at(-1) ?? 0) + 1;
      this.#toRanks.push(toRank);
      this.#eachPaise.push(eachPaise);
      this.#sumsPaise.push((this.#sumsPaise.at(-1) ?? 0) + eachPaise * (toRank - fromRank + 1));
    };
    for (const band of table) {
      const eachPaise = amountOfBand(band, poolPaise);
      if (band.fromRank === 1 && leftOverPaise > 0) {
        step(1, eachPaise + leftOverPaise);
        if (band.toRank > 1) step(band.toRank, eachPaise);
      } else step(band.toRank, eachPaise);
    }
    this.totalPaise = paise(this.#sumsPaise.at(-1) ?? 0);
  }

  get lastPaidRank(): number {
    return this.#toRanks.at(-1) ?? 0;
  }

  /** Sum of the prizes of ranks 1 … rank. */
  #sumThrough(rank: number): number {
    if (rank <= 0) return 0;
    if (rank >= this.lastPaidRank) return this.totalPaise;
    let low = 0;
    let high = this.#toRanks.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#toRanks[middle]! >= rank) high = middle;
      else low = middle + 1;
    }
    return this.#sumsPaise[low]! - this.#eachPaise[low]! * (this.#toRanks[low]! - rank);
  }

  /**
   * What `tiedCount` entries that share competition rank `rank` win: the prizes of the positions that they occupy are
   * pooled and split evenly; the paise that do not divide go one each to the first `extraPaiseCount` of them in the order
   * of entry id. The sum over all tie groups is exactly the sum of the table over the occupied positions.
   */
  split(rank: number, tiedCount: number): { readonly eachPaise: Paise; readonly extraPaiseCount: number } {
    assert(rank >= 1 && tiedCount >= 1, "a tie group has a rank and members");
    const pooledPaise = this.#sumThrough(rank + tiedCount - 1) - this.#sumThrough(rank - 1);
    const eachPaise = Math.floor(pooledPaise / tiedCount);
    return { eachPaise: paise(eachPaise), extraPaiseCount: pooledPaise - eachPaise * tiedCount };
  }
}
