import { type AccountId, escrowAccount } from "../domain/account.ts";
import type { ContestTerms } from "../domain/contest.ts";
import { type ContestId, type EntryId, userOfEntry } from "../domain/ids.ts";

/** So many entries share one stripe at most, until there are `STRIPES_MAX`. */
const ENTRIES_PER_STRIPE = 10_000;
const STRIPES_MAX = 64;

/** A function of the terms alone, which never change: everybody who asks gets the same stripes for ever. */
export const escrowStripeCount = (terms: Pick<ContestTerms, "entriesMax">): number =>
  Math.min(STRIPES_MAX, Math.ceil(terms.entriesMax / ENTRIES_PER_STRIPE));

/** Where this entry's fee is held. By user, so that users who joined together do not meet in one record. */
export const escrowOfEntry = (
  contest: { readonly id: ContestId } & Pick<ContestTerms, "entriesMax">,
  entry: EntryId,
): AccountId => escrowAccount(contest.id, userOfEntry(entry) % escrowStripeCount(contest));

export const escrowStripes = (contest: { readonly id: ContestId } & Pick<ContestTerms, "entriesMax">): AccountId[] =>
  Array.from({ length: escrowStripeCount(contest) }, (_, stripe) => escrowAccount(contest.id, stripe));
