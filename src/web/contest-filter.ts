import type { ContestInfo } from "../client/index.ts";
import type { ContestKind } from "../domain/contest.ts";
import { rupees } from "../domain/money.ts";

export const FEES = {
  any: { label: "Any fee", from: 0, to: Number.POSITIVE_INFINITY },
  free: { label: "Free", from: 0, to: 0 },
  small: { label: "₹1 – ₹50", from: rupees(1), to: rupees(50) },
  middle: { label: "₹51 – ₹500", from: rupees(51), to: rupees(500) },
  large: { label: "Over ₹500", from: rupees(500) + 1, to: Number.POSITIVE_INFINITY },
} as const;
export type FeeName = keyof typeof FEES;

export const SORTS = {
  pool: { label: "Prize pool", by: (contest: ContestInfo) => -contest.prizePoolPaise },
  feeUp: { label: "Entry fee, low first", by: (contest: ContestInfo) => contest.entryFeePaise },
  feeDown: { label: "Entry fee, high first", by: (contest: ContestInfo) => -contest.entryFeePaise },
  filling: { label: "Filling up", by: (contest: ContestInfo) => -contest.seatsTaken / contest.entriesMax },
  spots: { label: "Spots left", by: (contest: ContestInfo) => -spotsLeft(contest) },
} as const;
export type SortName = keyof typeof SORTS;

export interface ContestFilter {
  /** null: every kind. */
  readonly kind: ContestKind | null;
  readonly fee: FeeName;
  readonly onlyOpen: boolean;
  readonly sort: SortName;
}

export const ALL_CONTESTS: ContestFilter = { kind: null, fee: "any", onlyOpen: true, sort: "pool" };

export const spotsLeft = (contest: Pick<ContestInfo, "entriesMax" | "seatsTaken">): number =>
  contest.entriesMax - contest.seatsTaken;

export function filterContests(contests: readonly ContestInfo[], filter: ContestFilter): ContestInfo[] {
  const { from, to } = FEES[filter.fee];
  const { by } = SORTS[filter.sort];
  return contests
    .filter(
      (contest) =>
        (filter.kind === null || contest.kind === filter.kind) &&
        contest.entryFeePaise >= from &&
        contest.entryFeePaise <= to &&
        (!filter.onlyOpen || spotsLeft(contest) > 0),
    )
    .sort((a, b) => by(a) - by(b) || a.id - b.id);
}
