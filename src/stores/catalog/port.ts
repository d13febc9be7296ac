import type { Contest, ContestState, ContestTerms } from "../../domain/contest.ts";
import type { ContestId, EntryId, MatchId, UserId } from "../../domain/ids.ts";
import type { Match, MatchState } from "../../domain/match.ts";
import type { Paise } from "../../domain/money.ts";
import type { Squad } from "../../domain/squad.ts";

/**
 * Who and what there is: users, matches, squads, contests, entries, join sagas, payments.
 *
 * Law:
 * - Unique: a user's name; (contest, entry); (user, idempotency key); a provider's order, and its payment.
 * - Seats taken never exceed `entriesMax`, a user's entries never exceed `entriesPerUserMax`; both count joins under way.
 * - `confirmJoin` makes the entry and its outbox row one commit: an entry is announced if and only if it exists.
 * - State moves are compare-and-set. What resolved is durable; every call is repeatable after a `StoreUnavailable`.
 * - Refusals are checked in the order in which their type lists them.
 */
export interface Catalog extends UserCatalog, MatchCatalog, ContestCatalog, JoinCatalog, PaymentCatalog, SpoolCatalog {
  /**
   * Names the data: a random word that the catalog got when it was made, the same on all nodes and for ever. What was derived
   * from another catalog's data (boards, positions in streams) is never taken for this one's.
   */
  identity(): Promise<string>;
  close(): Promise<void>;
}

export type UserRole = "user" | "admin";

export interface User {
  readonly id: UserId;
  readonly name: string;
  readonly role: UserRole;
  /** null: the user can only be logged in by a signed token (bots, single sign-on). */
  readonly passwordHash: string | null;
  readonly createdAtMs: number;
}

export interface UserCatalog {
  /** `name` is unique without regard to case. */
  createUser(user: Omit<User, "id">): Promise<{ ok: true; user: User } | { ok: false; refusal: "name_taken" }>;
  user(id: UserId): Promise<User | null>;
  userByName(name: string): Promise<User | null>;
  /** Names to show for the users that exist; others are left out. */
  userNames(ids: readonly UserId[]): Promise<Map<UserId, string>>;
}

export interface MatchCatalog {
  createMatch(match: Omit<Match, "id" | "state">): Promise<Match>;
  match(id: MatchId): Promise<Match | null>;
  /** By start, soonest first. */
  matches(filter: { readonly states?: readonly MatchState[]; readonly limit: number }): Promise<Match[]>;
  /** true if the match was in `from` and is now in `to`, or already was in `to`. */
  moveMatch(id: MatchId, from: MatchState, to: MatchState): Promise<boolean>;
  /**
   * Where the saves of a locked match end: one past the last that counts, by partition of `team-saves`. Written once, the
   * first call wins; answers what is written.
   */
  putLockPositions(id: MatchId, positions: readonly number[]): Promise<readonly number[]>;
  /** null before the lock. */
  lockPositions(id: MatchId): Promise<readonly number[] | null>;
  putSquad(id: MatchId, squad: Squad): Promise<void>;
  squad(id: MatchId): Promise<Squad | null>;
}

export interface ContestCatalog {
  createContest(terms: ContestTerms): Promise<Contest>;
  contest(id: ContestId): Promise<Contest | null>;
  contests(match: MatchId): Promise<Contest[]>;
  /** As `moveMatch`. */
  moveContest(id: ContestId, from: ContestState, to: ContestState): Promise<boolean>;
  /** How far paying out or refunding has come; only spares work, for the transfers are idempotent. null before it began. */
  payoutCursor(id: ContestId): Promise<string | null>;
  putPayoutCursor(id: ContestId, cursor: string): Promise<void>;
  /**
   * Contests whose end was begun or decided and is not reached, by id: settling and cancelling ones, and open ones of
   * matches that are released or abandoned. What a crash left to be done.
   */
  contestsToEnd(limit: number): Promise<Contest[]>;
}

export interface JoinRequest {
  /** 1 … 100 characters, unique per user: the client's, or derived from (user, contest, team). */
  readonly idempotencyKey: string;
  readonly userId: UserId;
  readonly matchId: MatchId;
  readonly contestId: ContestId;
  readonly entryId: EntryId;
  readonly feePaise: Paise;
  /** Server time at which the deadline was checked. */
  readonly receivedAtMs: number;
}

/**
 * reserved: a seat is held, the debit may or may not have happened · entered: the entry exists. A join that is released
 * leaves nothing but its number, so that the same key may try again with a new one.
 */
export type JoinState = "reserved" | "entered";

export interface JoinSaga extends JoinRequest {
  /** Names the attempt for ever; the ledger's transfer ids derive from it. */
  readonly sagaId: number;
  readonly state: JoinState;
}

export type JoinRefusal =
  /** The key was used by this user for another contest or team. */
  | "idempotency_key_reused"
  | "contest_not_found"
  /** Nor is it open once its match is no longer upcoming: after the lock the number of joins under way only falls. */
  | "contest_not_open"
  | "already_joined"
  | "entry_limit"
  | "contest_full";

export interface Entry {
  readonly contestId: ContestId;
  readonly matchId: MatchId;
  readonly entryId: EntryId;
  readonly feePaise: Paise;
  readonly joinedAtMs: number;
}

export interface JoinCatalog {
  /**
   * Takes the seat and records the saga in one commit. A key seen before with the same request answers the saga as it
   * stands (`begun: false`), however far it is.
   */
  beginJoin(
    request: JoinRequest,
  ): Promise<{ ok: true; saga: JoinSaga; begun: boolean } | { ok: false; refusal: JoinRefusal }>;
  /**
   * reserved → entered, with the entry and its outbox row. Repeatable: an entered saga answers its entry whatever became
   * of the contest. A reserved one is refused once the contest is no longer open (the debit must then be returned and the
   * join released) or the saga was released. The match may have been locked in between.
   */
  confirmJoin(
    sagaId: number,
  ): Promise<{ ok: true; entry: Entry } | { ok: false; refusal: "contest_not_open" | "released" }>;
  /** Gives the seat back and forgets the saga; false when it was already entered. Repeatable. */
  releaseJoin(sagaId: number): Promise<boolean>;
  /** Sagas still reserved and received before `receivedBeforeMs`, oldest first: the recovery worker's list. */
  reservedJoins(receivedBeforeMs: number, limit: number): Promise<JoinSaga[]>;
  /** How many sagas of the match are neither entered nor released. */
  reservedJoinCount(match: MatchId): Promise<number>;
  /** The user's entries of the match in all its contests. */
  entriesOfUser(user: UserId, match: MatchId): Promise<Entry[]>;
  /** By entry id, those after `afterEntry` (exclusive; 0 begins). */
  entriesOfContest(contest: ContestId, afterEntry: EntryId | 0, limit: number): Promise<Entry[]>;
  entryCount(contest: ContestId): Promise<number>;
  /** Entries not yet announced in `contest-joins`, oldest first. */
  outbox(limit: number): Promise<{ readonly outboxId: number; readonly entry: Entry }[]>;
  outboxSent(outboxIds: readonly number[]): Promise<void>;
  /** How many announcements of the match are still to be sent. */
  outboxCount(match: MatchId): Promise<number>;
}

export interface SpoolState {
  /** The newest; an integer of at most 31 bits. */
  readonly opening: number;
  readonly isOpen: boolean;
}

/**
 * Which nodes may hold acknowledged team saves that are not in the log yet. No match's saves are ended while there is one
 * (stream/save-fence.ts).
 */
export interface SpoolCatalog {
  /**
   * Before a node acknowledges the first save that it spools. `opening` rises from one call to the next, so that a call which
   * takes effect late, when its caller has given it up, undoes nothing: one that is not newer than all before changes nothing.
   * Answers how it stands: the caller's spool is open if the opening is the caller's and open.
   */
  openSpool(nodeId: string, opening: number): Promise<SpoolState>;
  /** When everything that it spooled under this opening and those before is in the log. Repeatable. */
  closeSpool(nodeId: string, opening: number): Promise<void>;
  /** Ids of the nodes, ascending. */
  openSpools(): Promise<string[]>;
}

export type DepositState = "created" | "credited" | "failed";

export interface Deposit {
  /** Ours; 1 … 64 characters. */
  readonly orderId: string;
  readonly userId: UserId;
  readonly amountPaise: Paise;
  readonly state: DepositState;
  /** The provider's name for the order; null until it answered. */
  readonly providerOrderId: string | null;
  /** The provider's payment that settled it. */
  readonly paymentId: string | null;
  readonly createdAtMs: number;
}

export type WithdrawalState = "created" | "held" | "sent" | "paid" | "returned";

export interface Withdrawal {
  /** Ours; 1 … 64 characters. */
  readonly withdrawalId: string;
  readonly userId: UserId;
  readonly amountPaise: Paise;
  readonly state: WithdrawalState;
  readonly providerPayoutId: string | null;
  readonly createdAtMs: number;
}

export interface PaymentCatalog {
  /** Repeatable by order id: a second call answers the first row. */
  createDeposit(deposit: Pick<Deposit, "orderId" | "userId" | "amountPaise" | "createdAtMs">): Promise<Deposit>;
  deposit(orderId: string): Promise<Deposit | null>;
  depositByProviderOrder(providerOrderId: string): Promise<Deposit | null>;
  /** Sets the provider's order id once; later calls with another are refused. */
  attachProviderOrder(orderId: string, providerOrderId: string): Promise<boolean>;
  /**
   * created → credited with its payment, or true again for the same payment; false for any other, and for a payment that
   * credited another deposit.
   */
  creditDeposit(orderId: string, paymentId: string): Promise<boolean>;
  /** created → failed; true if it is failed now. */
  failDeposit(orderId: string): Promise<boolean>;
  /** In order of order id, after `afterOrderId` ("" begins). */
  deposits(afterOrderId: string, limit: number): Promise<Deposit[]>;
  depositsOfUser(user: UserId, limit: number): Promise<Deposit[]>;

  /** Repeatable by withdrawal id. */
  createWithdrawal(
    withdrawal: Pick<Withdrawal, "withdrawalId" | "userId" | "amountPaise" | "createdAtMs">,
  ): Promise<Withdrawal>;
  withdrawal(withdrawalId: string): Promise<Withdrawal | null>;
  withdrawalByPayout(providerPayoutId: string): Promise<Withdrawal | null>;
  /** Compare-and-set; true if it is in `to` now. `providerPayoutId` is stored when given. */
  moveWithdrawal(
    withdrawalId: string,
    from: WithdrawalState,
    to: WithdrawalState,
    providerPayoutId?: string,
  ): Promise<boolean>;
  withdrawals(states: readonly WithdrawalState[], limit: number): Promise<Withdrawal[]>;
  withdrawalsOfUser(user: UserId, limit: number): Promise<Withdrawal[]>;
}
