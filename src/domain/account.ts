import { type ContestId, userId, type UserId } from "./ids.ts";

declare const accountBrand: unique symbol;
/** Names one account of the ledger. Built only by the functions below. */
export type AccountId = string & { readonly [accountBrand]: true };

const USER_PREFIX = "user:";
/** A user's wallet. */
export const userAccount = (user: UserId): AccountId => `${USER_PREFIX}${user}` as AccountId;
/** Whose wallet it is; null for any other account. */
export const userOfAccount = (account: AccountId): UserId | null =>
  account.startsWith(USER_PREFIX) ? userId(Number(account.slice(USER_PREFIX.length))) : null;
/** Entry fees of a contest until it is settled or refunded; striped, so that a mega contest is not one hot record. */
export const escrowAccount = (contest: ContestId, stripe: number): AccountId =>
  `escrow:${contest}:${stripe}` as AccountId;
/** The contest's prize pool while it is being paid out. */
export const prizeAccount = (contest: ContestId): AccountId => `prizes:${contest}` as AccountId;
/** Withdrawals that a payout is under way for. */
export const payoutHoldAccount: AccountId = "payout-hold" as AccountId;
/** The world outside: what the payment gateway owes us, negative by all that users brought in. */
export const gatewayAccount: AccountId = "gateway" as AccountId;
/** Where the one paisa rests while a transfer id is being put out of use (`voidTransfer`); zero but for that moment. */
export const voidAccount: AccountId = "void" as AccountId;
/** Ours: margins, and what tops up guaranteed pools. */
export const houseAccount: AccountId = "house" as AccountId;

/** Only the gateway (the outside world) and the house (its equity is outside this ledger) go below zero. */
export const mayOverdraw = (account: AccountId): boolean => account === gatewayAccount || account === houseAccount;
