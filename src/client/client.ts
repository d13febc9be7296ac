import type { ContestTerms } from "../domain/contest.ts";
import type { ContestId, EntryId, MatchId, PlayerId } from "../domain/ids.ts";
import type { Match } from "../domain/match.ts";
import type { Paise } from "../domain/money.ts";
import { checkRoster, ROSTER_RULES, type RosterCheck, type RosterDraft } from "../domain/roster.ts";
import type { Squad } from "../domain/squad.ts";
import { Call, type Message } from "../edge/socket/generated/wire_generated.ts";
import type { ClientIn } from "../edge/socket/generated/powerplay/wire/client-in.ts";
import { type Answer, notDone } from "./answer.ts";
import { type CallOptions, Connection, type ConnectionOptions, type ConnectionState } from "./connection.ts";
import { Follows } from "./follows.ts";
import * as reply from "./replies.ts";
import * as request from "./requests.ts";

export interface ClientOptions extends Omit<ConnectionOptions, "url"> {
  /** The node's socket: "wss://host/v1/socket". */
  readonly url: string;
  /** Of an earlier visit, to stay logged in. */
  readonly session?: reply.SessionTokens | null;
}

type Listener<T> = (value: T) => void;

/** Listeners of one kind of news. */
class Listeners<T> {
  readonly #listeners = new Set<Listener<T>>();

  add(listener: Listener<T>): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  tell(value: T): void {
    for (const listener of this.#listeners) listener(value);
  }
}

/** A new session is asked for this long before the old one ends. */
const REFRESH_EARLY_MS = 60_000;
/** setTimeout counts in 31 bits. */
const TIMER_MS_MAX = 2 ** 31 - 1;
/** Doing these twice is not doing them once. */
const ONCE: CallOptions = { repeatable: false };

/**
 * Everything that a node offers, over one binary socket: typed calls whose refusals are values, and streams that survive
 * reconnects. Runs in browsers and in Bun. Nothing is sent before `connect`.
 */
export class PowerplayClient {
  readonly #connection: Connection;
  readonly #follows: Follows;
  readonly #onState = new Listeners<ConnectionState>();
  readonly #onWelcome = new Listeners<void>();
  readonly #onSession = new Listeners<reply.SessionTokens | null>();
  readonly #squads = new Map<MatchId, Squad>();
  #session: reply.SessionTokens | null;
  #refreshTimer: ReturnType<typeof setTimeout> | undefined;
  #refreshing: Promise<boolean> | null = null;

  constructor({ session = null, ...options }: ClientOptions) {
    this.#session = session;
    this.#connection = new Connection(options, {
      greet: () => this.#greet(),
      onPush: (message: Message, frame: ClientIn) => this.#follows.receive(message, frame),
      onState: (state) => {
        if (state !== "greeting" && state !== "open") this.#follows.pause();
        this.#onState.tell(state);
      },
      onWelcome: () => this.#onWelcome.tell(),
    });
    this.#follows = new Follows((call, write, read, options) => this.#connection.call(call, write, read, options));
  }

  connect(): void {
    this.#connection.open();
    this.#scheduleRefresh();
  }

  close(): void {
    clearTimeout(this.#refreshTimer);
    this.#connection.close();
  }

  get state(): ConnectionState {
    return this.#connection.state;
  }

  /** Who is logged in, with tokens to keep for the next visit; null for nobody. */
  get session(): reply.SessionTokens | null {
    return this.#session;
  }

  onState(listener: Listener<ConnectionState>): () => void {
    return this.#onState.add(listener);
  }

  /** On every new socket: `nowMs` and `isSandbox` are the node's. */
  onWelcome(listener: () => void): () => void {
    return this.#onWelcome.add(listener);
  }

  onSession(listener: Listener<reply.SessionTokens | null>): () => void {
    return this.#onSession.add(listener);
  }

  /** Server time, for countdowns. */
  nowMs(): number {
    return this.#connection.nowMs();
  }

  /** The node is for trying out: it has guests, and its money is not real. Known once the node has said so. */
  get isSandbox(): boolean {
    return this.#connection.isSandbox;
  }

  // ---- Who

  register(name: string, password: string): Promise<Answer<reply.SessionTokens>> {
    return this.#enter(Call.Register, name, password);
  }

  logIn(name: string, password: string): Promise<Answer<reply.SessionTokens>> {
    return this.#enter(Call.LogIn, name, password);
  }

  /** A new user without a password; only where the node `isSandbox`. */
  openGuest(role: reply.SessionTokens["role"] = "user"): Promise<Answer<reply.SessionTokens>> {
    return this.#begin(Call.OpenGuest, request.named(role));
  }

  /** With tokens from elsewhere, for example of an earlier visit. */
  async authenticate(session: reply.SessionTokens): Promise<Answer<reply.SessionInfo>> {
    const answer = await this.#connection.call(
      Call.Authenticate,
      request.token(session.accessToken),
      reply.readSessionInfo,
    );
    if (answer.ok) this.#become(session);
    return answer;
  }

  /** Forgets the session; the socket is opened anew, as nobody's. */
  logOut(): void {
    this.#become(null);
    if (this.#connection.state === "closed") return;
    this.#connection.close();
    this.#connection.open();
  }

  // ---- Browse

  matches(): Promise<Answer<Match[]>> {
    return this.#call(Call.ListMatches, request.nothing, reply.readMatches);
  }

  match(match: MatchId): Promise<Answer<Match>> {
    return this.#call(Call.GetMatch, request.of(match), reply.readMatch);
  }

  async squad(match: MatchId): Promise<Answer<Squad>> {
    const answer = await this.#call(Call.GetSquad, request.of(match), reply.readSquad);
    if (answer.ok) this.#squads.set(match, answer.value);
    return answer;
  }

  contests(match: MatchId): Promise<Answer<reply.ContestInfo[]>> {
    return this.#call(Call.ListContests, request.of(match), reply.readContests);
  }

  // ---- Teams

  /** By the node's own rules, without asking it. */
  checkTeam(draft: RosterDraft, squad: Squad, rosterRules: string): RosterCheck {
    return checkRoster(draft, squad, ROSTER_RULES[rosterRules]!);
  }

  /**
   * Creates or replaces one of the user's teams. The captain, the vice-captain and all others are in `players`, in any order.
   */
  async saveTeam(match: MatchId, teamNo: number, draft: RosterDraft): Promise<Answer<reply.TeamSavedInfo>> {
    const roster = (await this.#rosterOf(match, draft)) ?? (await this.#rosterOf(match, draft, true));
    if (roster === null) {
      return notDone("roster_rules", "A player, captain or vice-captain is not in the squad or the team.", "no");
    }
    return this.#call(Call.SaveTeam, request.saveTeam(match, teamNo, roster), reply.readTeamSaved);
  }

  teams(match: MatchId): Promise<Answer<reply.TeamInfo[]>> {
    return this.#call(Call.ListTeams, request.of(match), reply.readTeams);
  }

  teamVersions(match: MatchId, teamNo: number): Promise<Answer<reply.TeamInfo[]>> {
    return this.#call(Call.ListTeamVersions, request.ofTeam(match, teamNo), reply.readTeams);
  }

  // ---- Contests

  /** Joining twice with one key, or for a retry, enters once. */
  join(
    contest: ContestId,
    teamNo: number,
    { inviteCode, idempotencyKey = newKey() }: { readonly inviteCode?: string; readonly idempotencyKey?: string } = {},
  ): Promise<Answer<reply.JoinInfo>> {
    return this.#call(Call.Join, request.join(contest, teamNo, idempotencyKey, inviteCode), reply.readEntered);
  }

  /** The private contest that an invite code opens. */
  findInvited(match: MatchId, inviteCode: string): Promise<Answer<reply.ContestInfo>> {
    return this.#call(Call.FindInvited, request.invite(match, inviteCode), reply.readContest);
  }

  entries(match: MatchId): Promise<Answer<reply.EntryInfo[]>> {
    return this.#call(Call.ListEntries, request.of(match), reply.readEntries);
  }

  // ---- Wallet

  balance(): Promise<Answer<Paise>> {
    return this.#call(Call.GetBalance, request.nothing, reply.readBalance);
  }

  /** Newest first; `beforeSeq` of the last line asks for the next page. */
  walletLines({ beforeSeq = 0, limit = 50 } = {}) {
    return this.#call(Call.ListWalletLines, request.historyPage(beforeSeq, limit), reply.readWalletLines);
  }

  /** Opens an order; the balance follows when the provider reports the payment. */
  deposit(amountPaise: Paise, idempotencyKey = newKey()) {
    return this.#call(Call.Deposit, request.amount(amountPaise, idempotencyKey), reply.readDeposit);
  }

  /** Plays the bank of a sandbox; the balance follows when the provider reports the payment. */
  payInSandbox(orderId: string) {
    return this.#call(Call.PayInSandbox, request.named(orderId), reply.readDeposit);
  }

  depositOf(orderId: string) {
    return this.#call(Call.GetDeposit, request.named(orderId), reply.readDeposit);
  }

  withdraw(amountPaise: Paise, idempotencyKey = newKey()) {
    return this.#call(Call.Withdraw, request.amount(amountPaise, idempotencyKey), reply.readWithdrawal);
  }

  withdrawalOf(withdrawalId: string) {
    return this.#call(Call.GetWithdrawal, request.named(withdrawalId), reply.readWithdrawal);
  }

  // ---- Boards

  top(contest: ContestId, count = 10) {
    return this.#call(Call.GetPage, request.pageOf(contest, 0, count), reply.readBoardPage);
  }

  page(contest: ContestId, fromRank: number, count: number) {
    return this.#call(Call.GetPage, request.pageOf(contest, fromRank, count), reply.readBoardPage);
  }

  mine(contest: ContestId) {
    return this.#call(Call.GetMine, request.of(contest), reply.readBoardPage);
  }

  neighbours(contest: ContestId, entry: EntryId, radius = 5) {
    return this.#call(Call.GetNeighbours, request.ofEntry(contest, entry, radius), reply.readBoardPage);
  }

  rankHistory(contest: ContestId, entry: EntryId) {
    return this.#call(Call.GetRankHistory, request.ofEntry(contest, entry), reply.readRankHistory);
  }

  teamBreakdown(match: MatchId, entry: EntryId) {
    return this.#call(Call.GetTeamBreakdown, request.ofEntry(match, entry), reply.readTeamBreakdown);
  }

  playerBreakdown(match: MatchId, player: PlayerId) {
    return this.#call(Call.GetPlayerBreakdown, request.ofPlayer(match, player), reply.readPlayerBreakdown);
  }

  /** The last balls, newest first. */
  commentary(match: MatchId, count = 20) {
    return this.#call(Call.GetCommentary, request.lastOf(match, count), reply.readCommentary);
  }

  commitment(match: MatchId) {
    return this.#call(Call.GetCommitment, request.of(match), reply.readCommitment);
  }

  inclusionProof(match: MatchId, entry: EntryId) {
    return this.#call(Call.GetInclusionProof, request.ofEntry(match, entry), reply.readInclusionProof);
  }

  // ---- Streams

  /** Top list and own entries of a contest, from now on until `stop`. */
  followContest(contest: ContestId) {
    return this.#follows.contest(contest);
  }

  /** State, balls and points of a match, from now on until `stop`. */
  followMatch(match: MatchId) {
    return this.#follows.match(match);
  }

  // ---- Administration

  readonly admin = {
    createMatch: (match: Omit<Match, "id" | "state">) =>
      this.#call(Call.CreateMatch, request.matchTerms(match), reply.readMatch, ONCE),
    putSquad: (match: MatchId, squad: Squad) =>
      this.#call(Call.PutSquad, request.squadOf(match, squad), reply.readSquad),
    announce: (match: MatchId, players: readonly PlayerId[]) =>
      this.#call(Call.Announce, request.playersOf(match, players), reply.readSquad),
    createContest: (terms: ContestTerms) =>
      this.#call(Call.CreateContest, request.contestTerms(terms), reply.readContest, ONCE),
    cancelContest: (contest: ContestId) => this.#call(Call.CancelContest, request.of(contest), reply.readContest),
    lock: (match: MatchId) => this.#call(Call.LockMatch, request.of(match), reply.readMatch),
    abandon: (match: MatchId) => this.#call(Call.AbandonMatch, request.of(match), reply.readMatch),
    end: (match: MatchId) => this.#call(Call.EndMatch, request.of(match), reply.readMatch),
    approve: (match: MatchId) => this.#call(Call.ApproveResult, request.of(match), reply.readMatch),
    release: (match: MatchId) => this.#call(Call.ReleasePrizes, request.of(match), reply.readReleases),
  };

  /** As the connection's, but once more with a new session where the old one has ended. */
  async #call<T>(
    call: Call,
    write: request.WriteTable,
    read: (frame: ClientIn) => T,
    options?: CallOptions,
  ): Promise<Answer<T>> {
    const answer = await this.#connection.call(call, write, read, options);
    if (answer.ok || answer.refusal.code !== "token_expired" || !(await this.#refresh(false))) return answer;
    return this.#connection.call(call, write, read, options);
  }

  #enter(call: Call, name: string, password: string): Promise<Answer<reply.SessionTokens>> {
    return this.#begin(call, request.credentials(name, password));
  }

  async #begin(call: Call, write: request.WriteTable): Promise<Answer<reply.SessionTokens>> {
    const answer = await this.#connection.call(call, write, reply.readSession, ONCE);
    if (answer.ok) this.#become(answer.value);
    return answer;
  }

  #become(session: reply.SessionTokens | null): void {
    this.#session = session;
    this.#scheduleRefresh();
    this.#onSession.tell(session);
  }

  async #greet(): Promise<boolean> {
    if (this.#session !== null) {
      const answer = await this.#connection.call(
        Call.Authenticate,
        request.token(this.#session.accessToken),
        reply.readSessionInfo,
        { urgent: true },
      );
      if (!answer.ok) {
        if (answer.refusal.retry !== "afterAuthentication") return false;
        if (!(await this.#refresh(true)) && this.#session !== null) return false;
      }
    }
    this.#follows.resume();
    return true;
  }

  /** false: there is no session any more, or the node could not be asked. */
  #refresh(urgent: boolean): Promise<boolean> {
    const session = this.#session;
    if (session === null) return Promise.resolve(false);
    this.#refreshing ??= (async () => {
      const answer = await this.#connection.call(Call.Refresh, request.token(session.refreshToken), reply.readSession, {
        urgent,
      });
      this.#refreshing = null;
      if (answer.ok) this.#become(answer.value);
      else if (answer.refusal.retry === "afterAuthentication") this.#become(null);
      return answer.ok;
    })();
    return this.#refreshing;
  }

  #scheduleRefresh(): void {
    clearTimeout(this.#refreshTimer);
    if (this.#session === null) return;
    const dueMs = this.#session.accessExpiresAtMs - REFRESH_EARLY_MS - this.nowMs();
    if (dueMs > TIMER_MS_MAX) return;
    this.#refreshTimer = setTimeout(() => void this.#refresh(false), Math.max(0, dueMs));
  }

  /** Pool indices, captain and vice-captain first; null when the squad that is known does not have them all. */
  async #rosterOf(match: MatchId, draft: RosterDraft, anew = false): Promise<number[] | null> {
    if (anew || !this.#squads.has(match)) await this.squad(match);
    const squad = this.#squads.get(match);
    if (squad === undefined) return null;
    const { captain, viceCaptain, players } = draft;
    const others = players.filter((id) => id !== captain && id !== viceCaptain);
    const roster = [captain, viceCaptain, ...others].map((id) => squad.players.findIndex((player) => player.id === id));
    const complete = players.includes(captain) && players.includes(viceCaptain) && captain !== viceCaptain;
    return complete && !roster.includes(-1) ? roster : null;
  }
}

/** Unique without `crypto.randomUUID`, which browsers keep from pages that did not come over TLS. */
function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
