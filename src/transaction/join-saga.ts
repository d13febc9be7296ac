import { LRUCache } from "lru-cache";
import { userAccount } from "../domain/account.ts";
import { assert } from "../domain/assert.ts";
import type { Clock } from "../domain/clock.ts";
import type { Contest } from "../domain/contest.ts";
import { type ContestId, type EntryId, entryId, type MatchId, type TeamNo, type UserId } from "../domain/ids.ts";
import { isBeforeDeadline, type Match } from "../domain/match.ts";
import type { Joins, JoinResult } from "../edge/game.ts";
import type { Catalog, Entry, JoinSaga } from "../stores/catalog/port.ts";
import type { Ledger, Transfer } from "../stores/ledger/port.ts";
import type { MatchCache } from "../stream/match-cache.ts";
import { InFlight } from "../stream/in-flight.ts";
import { escrowOfEntry } from "./escrow.ts";
import { txnIds } from "./txn-ids.ts";
import { voidTransfer } from "./void-transfer.ts";

export interface JoinSagasDeps {
  readonly catalog: Pick<Catalog, "contest" | "beginJoin" | "confirmJoin" | "releaseJoin" | "entriesOfUser">;
  /** May be a second old: a match's start never changes, and that it was locked the catalog says itself. */
  readonly matches: Pick<MatchCache, "get">;
  readonly ledger: Pick<Ledger, "transfer">;
  readonly clock: Clock;
  /** Whether the user has saved this team. */
  readonly teamExists: (user: UserId, match: MatchId, team: TeamNo) => Promise<boolean>;
  /** Contests whose immutable terms are remembered. */
  readonly termsMax: number;
}

/** How a saga ended. */
export type SagaEnd =
  | { readonly ok: true; readonly entry: Entry }
  | { readonly ok: false; readonly refusal: "contest_not_open" | "insufficient_funds" };

/**
 * Joining a contest: seat, debit, entry. Three stores that know no common transaction, so a saga whose every step is
 * repeatable and named:
 *
 *     beginJoin      seat + saga, one commit in the catalog          undone by releaseJoin
 *     join:<saga>    user → escrow, one transfer                     undone by join-refund:<saga>
 *     confirmJoin    entry + announcement, one commit                from here on the join exists
 *
 * Laws:
 * - The refusals have one order: `contest_not_found`, `invite_code`, `match_started`, `team_missing`, then the catalog's
 *   (`idempotency_key_reused`, `contest_not_open`, `already_joined`, `entry_limit`, `contest_full`), then
 *   `insufficient_funds`. A refused join has left nothing.
 * - The deadline is checked on server time, once, and that time is recorded; the catalog's own fence (no join begins once
 *   the match is locked) makes what is slow between check and catalog harmless.
 * - A `StoreUnavailable` is thrown on as it is: the saga stays as the last commit left it, and the same key or the
 *   recovery worker takes it to its end.
 * - Any number of drivers may take the same saga on at once (a client that asks twice, two nodes, the recovery): one
 *   debit, and the same answer for all.
 */
export class JoinSagas implements Joins {
  readonly #deps: JoinSagasDeps;
  readonly #inFlight = new InFlight();
  /** Contests without what changes of them. */
  readonly #terms: LRUCache<ContestId, Terms>;

  constructor(deps: JoinSagasDeps) {
    this.#deps = deps;
    this.#terms = new LRUCache({ max: deps.termsMax });
  }

  async join(
    user: UserId,
    contestId: ContestId,
    team: TeamNo,
    options: { readonly idempotencyKey: string | null; readonly inviteCode: string | null },
  ): Promise<JoinResult> {
    const { catalog, clock, matches, teamExists } = this.#deps;
    const contest = this.#terms.get(contestId) ?? (await this.#loadTerms(contestId));
    if (contest === null) return { ok: false, refusal: "contest_not_found" };
    if (contest.inviteCode !== null && contest.inviteCode !== options.inviteCode) {
      return { ok: false, refusal: "invite_code" };
    }
    const entry = entryId(user, team);
    const info = await matches.get(contest.matchId);
    assert(info !== null, "a contest belongs to a match");
    const { match } = info;
    if (hasStarted(match, clock.nowMs())) return this.#answerLate(contest, entry, user);
    if (!(await teamExists(user, contest.matchId, team))) return { ok: false, refusal: "team_missing" };
    // Read after the awaits: the time in the record is the time that was checked.
    const receivedAtMs = clock.nowMs();
    if (hasStarted(match, receivedAtMs)) return this.#answerLate(contest, entry, user);

    return this.#inFlight.track(contest.matchId, async () => {
      const begun = await catalog.beginJoin({
        idempotencyKey: options.idempotencyKey ?? derivedIdempotencyKey(user, contestId, team),
        userId: user,
        matchId: contest.matchId,
        contestId,
        entryId: entry,
        feePaise: contest.entryFeePaise,
        receivedAtMs,
      });
      if (!begun.ok) return begun;
      const end = await this.advance(begun.saga);
      return end.ok ? { ...end, replayed: !begun.begun } : end;
    });
  }

  entries(user: UserId, match: MatchId): Promise<Entry[]> {
    return this.#deps.catalog.entriesOfUser(user, match);
  }

  /** Resolves when no join that passed the deadline check here is still on its way. */
  drained(match: MatchId): Promise<void> {
    return this.#inFlight.drained(match);
  }

  /** Takes a saga from wherever it stands to its end. */
  async advance(saga: JoinSaga): Promise<SagaEnd> {
    const { catalog } = this.#deps;
    const costs = saga.feePaise > 0;
    if (costs && saga.state === "reserved" && !(await this.#debit(saga))) {
      await this.#release(saga);
      return { ok: false, refusal: "insufficient_funds" };
    }
    const confirmed = await catalog.confirmJoin(saga.sagaId);
    if (confirmed.ok) return confirmed;
    // "released" is another driver that found the contest closed: it refunded first, so the refund here is a replay. A
    // contest never opens again, so no later confirmation can make an entry of what is refunded here.
    if (costs) await this.#refund(saga);
    await this.#release(saga);
    return { ok: false, refusal: "contest_not_open" };
  }

  /** After the deadline a retry of a join that was in time still gets its answer, whatever its key. */
  async #answerLate(contest: Terms, entry: EntryId, user: UserId): Promise<JoinResult> {
    const entries = await this.#deps.catalog.entriesOfUser(user, contest.matchId);
    const made = entries.find((candidate) => candidate.contestId === contest.id && candidate.entryId === entry);
    return made ? { ok: true, entry: made, replayed: true } : { ok: false, refusal: "match_started" };
  }

  /** false: the debit was refused, and stays refused. */
  async #debit(saga: JoinSaga): Promise<boolean> {
    const { ledger, clock } = this.#deps;
    const transfer: Transfer = {
      txnId: txnIds.join(saga.sagaId),
      debit: userAccount(saga.userId),
      credit: await this.#escrow(saga),
      amountPaise: saga.feePaise,
      kind: "join",
      ref: String(saga.contestId),
      atMs: clock.nowMs(),
    };
    const [result] = await ledger.transfer([transfer]);
    if (result!.ok) return true;
    assert(
      result!.refusal === "insufficient_funds" || result!.refusal === "txn_mismatch",
      `the debit of saga ${saga.sagaId} was refused: ${result!.refusal}`,
    );
    // txn_mismatch: another driver has voided it; voiding again makes sure that its paisa went back.
    return (await voidTransfer(ledger, transfer.txnId, clock.nowMs())) === "taken";
  }

  async #refund(saga: JoinSaga): Promise<void> {
    const [result] = await this.#deps.ledger.transfer([
      {
        txnId: txnIds.joinRefund(saga.sagaId),
        debit: await this.#escrow(saga),
        credit: userAccount(saga.userId),
        amountPaise: saga.feePaise,
        kind: "refund",
        ref: String(saga.contestId),
        atMs: this.#deps.clock.nowMs(),
      },
    ]);
    assert(result!.ok, `the fee of saga ${saga.sagaId} is in escrow until it is refunded`);
  }

  async #release(saga: JoinSaga): Promise<void> {
    const released = await this.#deps.catalog.releaseJoin(saga.sagaId);
    assert(released, `saga ${saga.sagaId} was refused, so it cannot have been entered`);
  }

  async #escrow(saga: JoinSaga) {
    const terms = this.#terms.get(saga.contestId) ?? (await this.#loadTerms(saga.contestId));
    assert(terms !== null, "a saga is of a contest that exists");
    return escrowOfEntry(terms, saga.entryId);
  }

  async #loadTerms(id: ContestId): Promise<Terms | null> {
    const contest = await this.#deps.catalog.contest(id);
    if (contest === null) return null;
    const { matchId, entryFeePaise, entriesMax, inviteCode } = contest;
    const terms = { id, matchId, entryFeePaise, entriesMax, inviteCode };
    this.#terms.set(id, terms);
    return terms;
  }
}

type Terms = Pick<Contest, "id" | "matchId" | "entryFeePaise" | "entriesMax" | "inviteCode">;

/** An abandoned match has not started: its contests answer for themselves that they are closed. */
const hasStarted = (match: Match, nowMs: number): boolean =>
  !isBeforeDeadline(match, nowMs) || (match.state !== "upcoming" && match.state !== "abandoned");

/** For clients that send no key: asking again for the same thing is the same request. */
export const derivedIdempotencyKey = (user: UserId, contest: ContestId, team: TeamNo): string =>
  Bun.SHA256.hash(`${user}:${contest}:${team}`, "hex");
