import type { Contest, ContestTerms } from "../domain/contest.ts";
import type { ContestId, EntryId, MatchId, PlayerId, TeamNo, UserId } from "../domain/ids.ts";
import type { Match } from "../domain/match.ts";
import type { Paise } from "../domain/money.ts";
import type { PointsQp } from "../domain/points.ts";
import type { Roster, RosterDraft, RosterFault } from "../domain/roster.ts";
import type { Squad } from "../domain/squad.ts";
import type { Deposit, Entry, JoinRefusal, User, Withdrawal } from "../stores/catalog/port.ts";
import type { LedgerLine } from "../stores/ledger/port.ts";

/**
 * Everything that the outside can ask of a node. HTTP routes and the binary socket are two ways to write the same calls;
 * neither knows a store. Expected refusals are named results; a `StoreUnavailable` is thrown and becomes a 503.
 */
export interface Game {
  readonly browse: Browse;
  readonly teams: Teams;
  readonly joins: Joins;
  readonly boards: Leaderboards;
  readonly wallet: Wallet;
  readonly feed: Feed;
  readonly admin: Admin;
}

export interface Browse {
  matches(): Promise<Match[]>;
  match(match: MatchId): Promise<Match | null>;
  squad(match: MatchId): Promise<Squad | null>;
  /** Private contests are listed only to those who are in them; here they are left out. */
  contests(match: MatchId): Promise<Contest[]>;
  contest(contest: ContestId): Promise<Contest | null>;
  /** The match's private contest that the code opens. */
  invited(match: MatchId, inviteCode: string): Promise<Contest | null>;
}

export interface SavedTeam {
  readonly matchId: MatchId;
  readonly teamNo: TeamNo;
  /** Position of the save in the log: larger is newer. 0: it is durable and counts, and the log, which is away, has not numbered it yet. */
  readonly version: number;
  readonly savedAtMs: number;
  readonly roster: Roster;
}

export type SaveTeamResult =
  | { readonly ok: true; readonly team: SavedTeam }
  | { readonly ok: false; readonly refusal: "match_not_found" | "squad_not_ready" | "match_started" }
  | { readonly ok: false; readonly refusal: "roster_rules"; readonly faults: readonly RosterFault[] };

export interface Teams {
  /** Creates or replaces the user's team `teamNo`. The deadline is checked on server time at the call. */
  save(user: UserId, match: MatchId, teamNo: TeamNo, draft: RosterDraft): Promise<SaveTeamResult>;
  /** The newest version of each of the user's teams; a save that was acknowledged is in it. */
  list(user: UserId, match: MatchId): Promise<SavedTeam[]>;
  versions(user: UserId, match: MatchId, teamNo: TeamNo): Promise<SavedTeam[]>;
}

export type JoinResult =
  | { readonly ok: true; readonly entry: Entry; readonly replayed: boolean }
  | {
      readonly ok: false;
      readonly refusal: JoinRefusal | "match_started" | "team_missing" | "invite_code" | "insufficient_funds";
    };

export interface Joins {
  join(
    user: UserId,
    contest: ContestId,
    teamNo: TeamNo,
    options: { readonly idempotencyKey: string | null; readonly inviteCode: string | null },
  ): Promise<JoinResult>;
  entries(user: UserId, match: MatchId): Promise<Entry[]>;
}

export interface BoardRow {
  readonly rank: number;
  readonly entryId: EntryId;
  readonly userId: UserId;
  readonly userName: string;
  readonly teamNo: TeamNo;
  readonly scoreQp: PointsQp;
  /** What this rank wins if the match ended now, ties pooled. */
  readonly prizePaise: Paise;
}

export interface BoardPage {
  readonly contestId: ContestId;
  /** The version of the match's points that all rows were computed from. */
  readonly pointsVersion: number;
  readonly entryCount: number;
  readonly rows: readonly BoardRow[];
}

export interface RankSample {
  readonly atMs: number;
  readonly rank: number;
  readonly scoreQp: PointsQp;
}

/**
 * `not_locked`: before the deadline nobody sees anybody's team or rank. `loading`: the board, or what was asked of it, is
 * being built; ask again. `abandoned`: the match has no result.
 */
export type BoardRefusal = "contest_not_found" | "not_locked" | "loading" | "not_entered" | "abandoned";
export type BoardResult<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly refusal: BoardRefusal };

export interface Leaderboards {
  top(contest: ContestId, count: number): Promise<BoardResult<BoardPage>>;
  page(contest: ContestId, fromRank: number, count: number): Promise<BoardResult<BoardPage>>;
  /** The user's own entries in the contest, best first. */
  mine(user: UserId, contest: ContestId): Promise<BoardResult<BoardPage>>;
  /** `radius` rows above and below one entry, itself included. */
  neighbours(contest: ContestId, entry: EntryId, radius: number): Promise<BoardResult<BoardPage>>;
  rankHistory(contest: ContestId, entry: EntryId): Promise<BoardResult<readonly RankSample[]>>;
  /** Anybody's team once the match is locked; before that only the owner's. */
  teamBreakdown(match: MatchId, entry: EntryId): Promise<BoardResult<TeamBreakdown>>;
  playerBreakdown(match: MatchId, player: PlayerId): Promise<BoardResult<PlayerBreakdown>>;
  /** The last balls with who scored what by which rule, newest first. */
  commentary(match: MatchId, count: number): Promise<BoardResult<readonly CommentaryLine[]>>;
  /** Merkle root over all locked teams of the match. */
  commitment(match: MatchId): Promise<BoardResult<{ readonly rootHex: string; readonly leafCount: number }>>;
  inclusionProof(match: MatchId, entry: EntryId): Promise<BoardResult<InclusionProof>>;
}

export interface ReasonLine {
  readonly playerId: PlayerId;
  readonly eventId: string;
  readonly rule: string;
  readonly pointsQp: PointsQp;
  /** May still change although nothing is corrected (strike rate, economy before the end). */
  readonly provisional: boolean;
}

export interface PlayerBreakdown {
  readonly playerId: PlayerId;
  readonly pointsQp: PointsQp;
  readonly reasons: readonly ReasonLine[];
}

export interface TeamBreakdown {
  readonly entryId: EntryId;
  readonly scoreQp: PointsQp;
  readonly pointsVersion: number;
  readonly players: readonly {
    readonly playerId: PlayerId;
    readonly multiplier: "captain" | "vice_captain" | "none";
    readonly pointsQp: PointsQp;
    /** With the multiplier. */
    readonly contributionQp: PointsQp;
  }[];
}

export interface CommentaryLine {
  readonly eventId: string;
  readonly atMs: number;
  /** "12.3 Arjun Rao to Dev Menon: FOUR" */
  readonly text: string;
  readonly reasons: readonly ReasonLine[];
}

export interface InclusionProof {
  readonly entryId: EntryId;
  readonly rosterHex: string;
  readonly leafIndex: number;
  readonly leafCount: number;
  readonly siblingsHex: readonly string[];
  /** Where the teams lie in slices: the tree is that of the team's slice, and the root is over the roots of all of them. */
  readonly slice: number;
  /** Empty where one tree holds all teams. */
  readonly slices: readonly { readonly rootHex: string; readonly teamCount: number }[];
  readonly rootHex: string;
}

export type MoneyRefusal =
  "amount_out_of_range" | "idempotency_key_reused" | "insufficient_funds" | "provider_refused" | "provider_unavailable";

export interface Wallet {
  balance(user: UserId): Promise<Paise>;
  history(user: UserId, page: { readonly beforeSeq?: number; readonly limit: number }): Promise<LedgerLine[]>;
  /** Opens an order at the payment provider; the money comes with its webhook. Repeatable by idempotency key. */
  deposit(
    user: UserId,
    amountPaise: Paise,
    idempotencyKey: string | null,
  ): Promise<{ readonly ok: true; readonly deposit: Deposit } | { readonly ok: false; readonly refusal: MoneyRefusal }>;
  depositOf(user: UserId, orderId: string): Promise<Deposit | null>;
  withdraw(
    user: UserId,
    amountPaise: Paise,
    idempotencyKey: string | null,
  ): Promise<
    { readonly ok: true; readonly withdrawal: Withdrawal } | { readonly ok: false; readonly refusal: MoneyRefusal }
  >;
  withdrawalOf(user: UserId, withdrawalId: string): Promise<Withdrawal | null>;
  /** A provider's webhook: the raw body as it came, for the signature covers its bytes. */
  webhook(rawBody: Uint8Array, signature: string | null): Promise<"accepted" | "bad_signature" | "malformed">;
}

export type FeedResult =
  | { readonly ok: true; /** false: this version, or a newer one, was there before. */ readonly applied: boolean }
  | { readonly ok: false; readonly refusal: "match_not_found" | "match_not_locked" | "match_over" }
  | {
      readonly ok: false;
      readonly refusal: "invalid";
      readonly faults: readonly { readonly field: string; readonly message: string }[];
    };

export interface Feed {
  /** An event whose signature and shape the edge has checked. Resolves once it is durable. */
  accept(match: MatchId, event: unknown): Promise<FeedResult>;
}

export type AdminRefusal =
  "match_not_found" | "contest_not_found" | "wrong_state" | "squad_locked" | "unknown_player" | "invalid";
export type AdminResult<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly refusal: AdminRefusal; readonly message: string };

export interface Admin {
  createMatch(match: Omit<Match, "id" | "state">): Promise<AdminResult<Match>>;
  /** Before the deadline; players keep their pool index, so a squad only grows once teams may exist. */
  putSquad(match: MatchId, squad: Squad): Promise<AdminResult<Squad>>;
  /** Marks who plays; everybody else is marked as not playing. */
  announce(match: MatchId, players: readonly PlayerId[]): Promise<AdminResult<Squad>>;
  createContest(terms: ContestTerms): Promise<AdminResult<Contest>>;
  /** Freezes the rosters now that the deadline has passed; the scheduler does it too. */
  lock(match: MatchId): Promise<AdminResult<Match>>;
  cancelContest(contest: ContestId): Promise<AdminResult<Contest>>;
  abandonMatch(match: MatchId): Promise<AdminResult<Match>>;
  /** live → review, by hand, where a feed never says that the match is over. */
  endMatch(match: MatchId): Promise<AdminResult<Match>>;
  /** review → settled: the result is approved; a correction goes back to review until the prizes are released. */
  approveResult(match: MatchId): Promise<AdminResult<Match>>;
  /** settled → released, from where corrections are refused, and pays every contest; resumable, and repeatable without effect. */
  releasePrizes(match: MatchId): Promise<AdminResult<PrizeRelease>>;
}

export interface PrizeRelease {
  readonly contests: readonly {
    readonly contestId: ContestId;
    readonly outcome: "settled" | "refunded";
    readonly entryCount: number;
    readonly paidPaise: Paise;
  }[];
}

/** Users and their passwords; tokens are the edge's own. */
export interface Accounts {
  register(
    name: string,
    password: string,
  ): Promise<{ readonly ok: true; readonly user: User } | { readonly ok: false; readonly refusal: "name_taken" }>;
  /** null: no such user, or not the password; never says which. */
  authenticate(name: string, password: string): Promise<User | null>;
  user(id: UserId): Promise<User | null>;
}
