import type { ContestId, MatchId } from "./ids.ts";
import type { Paise } from "./money.ts";
import { checkPrizeTable, type PrizeTable } from "./prizes.ts";

export const CONTEST_KINDS = ["free", "paid", "mega", "head_to_head", "private"] as const;
export type ContestKind = (typeof CONTEST_KINDS)[number];

/**
 * open → settling → settled: prizes are paid. open or settling → cancelling → cancelled: every entry is refunded.
 * The two middle states exist because paying 12 M entries takes a while and must resume after a crash.
 */
export type ContestState = "open" | "settling" | "settled" | "cancelling" | "cancelled";

export interface ContestTerms {
  readonly matchId: MatchId;
  readonly kind: ContestKind;
  readonly name: string;
  readonly entryFeePaise: Paise;
  readonly entriesMax: number;
  readonly entriesPerUserMax: number;
  readonly prizePoolPaise: Paise;
  readonly prizes: PrizeTable;
  /** A guaranteed contest pays its whole table however few joined; any other is refunded unless it fills. */
  readonly guaranteed: boolean;
  /** Only of private contests: whoever knows it may join. */
  readonly inviteCode: string | null;
}

export interface Contest extends ContestTerms {
  readonly id: ContestId;
  readonly state: ContestState;
  /** Seats taken, those of joins still under way included; never above `entriesMax`. */
  readonly seatsTaken: number;
}

export const ENTRIES_MAX = 12_000_000;
export const TEAMS_PER_USER_MAX = 20;

/** What is wrong with the terms, each with its field; empty when they can be opened. */
export function checkContestTerms(terms: ContestTerms): readonly { field: string; message: string }[] {
  const faults: { field: string; message: string }[] = [];
  const fault = (field: string, message: string) => faults.push({ field, message });
  if (terms.entryFeePaise < 0) fault("entryFeePaise", "an entry fee is not negative");
  if (terms.kind === "free" && terms.entryFeePaise > 0) fault("entryFeePaise", "a free contest has no entry fee");
  if ((terms.kind === "paid" || terms.kind === "mega") && terms.entryFeePaise === 0) {
    fault("entryFeePaise", `a ${terms.kind} contest has an entry fee`);
  }
  if (!Number.isInteger(terms.entriesMax) || terms.entriesMax < 2 || terms.entriesMax > ENTRIES_MAX) {
    fault("entriesMax", `between 2 and ${ENTRIES_MAX} entries`);
  }
  if (terms.kind === "head_to_head" && terms.entriesMax !== 2) fault("entriesMax", "a head-to-head has two entries");
  const perUserLimit = Math.min(TEAMS_PER_USER_MAX, terms.entriesMax);
  if (
    !Number.isInteger(terms.entriesPerUserMax) ||
    terms.entriesPerUserMax < 1 ||
    terms.entriesPerUserMax > perUserLimit
  ) {
    fault("entriesPerUserMax", `between 1 and ${perUserLimit} entries a user`);
  }
  if ((terms.kind === "private") !== (terms.inviteCode !== null)) {
    fault("inviteCode", "a private contest has an invite code, no other has one");
  }
  for (const message of checkPrizeTable(terms.prizes, terms.prizePoolPaise, terms.entriesMax)) fault("prizes", message);
  return faults;
}

/** Whether the contest is played for its prizes; otherwise every entry is refunded. */
export const isPlayed = (contest: Pick<Contest, "guaranteed" | "entriesMax">, entryCount: number): boolean =>
  entryCount > 0 && (contest.guaranteed || entryCount === contest.entriesMax);
