import { type AccountId, houseAccount, prizeAccount } from "../domain/account.ts";
import { assert } from "../domain/assert.ts";
import type { Clock } from "../domain/clock.ts";
import { type Contest, isPlayed } from "../domain/contest.ts";
import type { ContestId, EntryId } from "../domain/ids.ts";
import { type Paise, paise } from "../domain/money.ts";
import { PrizeSchedule } from "../domain/prizes.ts";
import type { Catalog } from "../stores/catalog/port.ts";
import type { Ledger, Transfer, TransferKind } from "../stores/ledger/port.ts";
import { escrowOfEntry, escrowStripes } from "./escrow.ts";
import type { FinalScores } from "./final-scores.ts";
import { type EntryPayment, PaymentPipeline } from "./payment-pipeline.ts";
import { payoutsOf } from "./payouts.ts";
import { txnIds } from "./txn-ids.ts";

export interface SettlementDeps {
  readonly catalog: Pick<
    Catalog,
    | "match"
    | "contest"
    | "moveContest"
    | "payoutCursor"
    | "putPayoutCursor"
    | "entriesOfContest"
    | "entryCount"
    | "reservedJoinCount"
  >;
  readonly ledger: Pick<Ledger, "transfer" | "payEntries" | "balances">;
  readonly clock: Clock;
  /** Payments in one step of the ledger; memory is bounded by chunk × chunks in flight. */
  readonly chunkPayments: number;
  readonly chunksInFlight: number;
}

export type ContestEnd =
  | {
      readonly ok: true;
      readonly outcome: "settled" | "refunded";
      readonly entryCount: number;
      /** To users: prizes, or fees that went back. */
      readonly paidPaise: Paise;
    }
  | {
      readonly ok: false;
      readonly refusal:
        | "contest_not_found"
        /** Its prizes are not to be paid yet. */
        | "match_not_released"
        /** A join of the match is neither entered nor released: let the recovery end it first. */
        | "joins_under_way"
        /** The board does not have as many entries as the catalog: it is rebuilt before anybody is paid. */
        | "board_mismatch"
        /** Prizes are being paid, or were: too late to cancel. */
        | "already_settling";
    };

/**
 * The end of a contest: prizes, or every fee back.
 *
 *     settle   open → settling   escrow stripes → prizes:<contest>, house tops up or takes the margin, prizes → winners → settled
 *     refund   open → cancelling   escrow stripe of each entry → its user                                              → cancelled
 *
 * Laws:
 * - Prizes are paid only of a match that is `released`, from where no correction can change the points any more.
 * - The move out of `open` decides between the two for ever and stops joins; a join that was under way refunds itself.
 * - Every transfer is named by contest and entry, so a run that resumes, or two nodes that both run, pay once. The cursor
 *   only spares the repetition and is written behind what the ledger has acknowledged.
 * - After the end the escrow stripes and the prize account are zero, and what users got is what the table says.
 */
export class Settlement {
  readonly #deps: SettlementDeps;
  /** One run a contest at a time: a second caller of this node doesn't do everything again beside the first. */
  readonly #running = new Map<ContestId, Promise<ContestEnd>>();

  constructor(deps: SettlementDeps) {
    this.#deps = deps;
  }

  /** Pays or refunds one contest of a released match. Repeatable; resumes where a crash left it. */
  settle(id: ContestId, scores: FinalScores): Promise<ContestEnd> {
    return this.#once(id, () => this.#settle(id, scores));
  }

  /** Everybody gets the fee back. Repeatable; refused once prizes are being paid. */
  cancel(id: ContestId): Promise<ContestEnd> {
    return this.#once(id, async () => {
      const contest = await this.#deps.catalog.contest(id);
      return contest === null ? { ok: false, refusal: "contest_not_found" } : this.#refund(contest);
    });
  }

  async #once(id: ContestId, end: () => Promise<ContestEnd>): Promise<ContestEnd> {
    // The state says what became of the contest meanwhile; asking again costs a few reads.
    for (let running; (running = this.#running.get(id)) !== undefined;) await running.catch(() => undefined);
    const run = end().finally(() => this.#running.delete(id));
    this.#running.set(id, run);
    return run;
  }

  async #settle(id: ContestId, scores: FinalScores): Promise<ContestEnd> {
    const { catalog } = this.#deps;
    const contest = await catalog.contest(id);
    if (contest === null) return { ok: false, refusal: "contest_not_found" };
    const match = await catalog.match(contest.matchId);
    assert(match !== null, `contest ${id} belongs to match ${contest.matchId}, which is not there`);
    if (match.state !== "released") return { ok: false, refusal: "match_not_released" };
    if ((await catalog.reservedJoinCount(contest.matchId)) > 0) return { ok: false, refusal: "joins_under_way" };
    const entryCount = await catalog.entryCount(id);
    if (contest.state === "cancelling" || contest.state === "cancelled" || !isPlayed(contest, entryCount)) {
      return this.#refund(contest);
    }
    if (scores.entryCount !== entryCount) return { ok: false, refusal: "board_mismatch" };
    if (!(await catalog.moveContest(id, "open", "settling"))) {
      const now = await catalog.contest(id);
      // Another run got further, or a cancellation came first; the state says which.
      if (now!.state !== "settled") return this.#refund(now!);
    }
    return this.#pay(contest, entryCount, scores);
  }

  async #pay(contest: Contest, entryCount: number, scores: FinalScores): Promise<ContestEnd> {
    const { catalog } = this.#deps;
    const schedule = new PrizeSchedule(contest.prizes, contest.prizePoolPaise);
    const prizes = schedule.split(1, entryCount);
    const payoutPaise = paise(prizes.eachPaise * entryCount + prizes.extraPaiseCount);
    const settled: ContestEnd = { ok: true, outcome: "settled", entryCount, paidPaise: payoutPaise };
    if ((await catalog.contest(contest.id))!.state === "settled") return settled;

    await this.#fund(contest, entryCount, payoutPaise);
    await this.#payWinners(contest, schedule, scores);
    const [leftPaise] = await this.#deps.ledger.balances([prizeAccount(contest.id)]);
    if (leftPaise !== 0) return { ok: false, refusal: "board_mismatch" };
    const moved = await catalog.moveContest(contest.id, "settling", "settled");
    assert(moved, `contest ${contest.id} goes nowhere but from settling to settled`);
    return settled;
  }

  /** Fees into the prize account, and exactly the payout left there. */
  async #fund(contest: Contest, entryCount: number, payoutPaise: Paise): Promise<void> {
    const { ledger, clock } = this.#deps;
    const stripes = escrowStripes(contest);
    const balances = await ledger.balances(stripes);
    const pool = prizeAccount(contest.id);
    const common = { kind: "prize_fund", ref: String(contest.id), atMs: clock.nowMs() } as const;
    // A stripe holds its fees until this one transfer takes all of them; afterwards it is zero for ever.
    const transfers: Transfer[] = [];
    for (const [stripe, account] of stripes.entries()) {
      const heldPaise = balances[stripe]!;
      if (heldPaise === 0) continue;
      const txnId = txnIds.prizeFund(contest.id, stripe);
      transfers.push({ ...common, txnId, debit: account, credit: pool, amountPaise: heldPaise });
    }
    const collectedPaise = contest.entryFeePaise * entryCount;
    const missingPaise = paise(payoutPaise - collectedPaise);
    if (missingPaise > 0) {
      const txnId = txnIds.prizeTopUp(contest.id);
      transfers.push({ ...common, txnId, debit: houseAccount, credit: pool, amountPaise: missingPaise });
    } else if (missingPaise < 0) {
      const txnId = txnIds.margin(contest.id);
      const amountPaise = paise(-missingPaise);
      transfers.push({ ...common, txnId, debit: pool, credit: houseAccount, amountPaise, kind: "margin" });
    }
    await this.#transferAll(transfers);
  }

  async #payWinners(contest: Contest, schedule: PrizeSchedule, scores: FinalScores): Promise<void> {
    const debit = prizeAccount(contest.id);
    const pipeline = this.#pipeline(contest.id, "prize", txnIds.prizePrefix(contest.id));
    for await (const payouts of payoutsOf(schedule, scores, await this.#reached(contest.id))) {
      for (const { entryId, prizePaise } of payouts) {
        const full = pipeline.add({ debit, entryId, amountPaise: prizePaise });
        if (full !== null) await full;
      }
    }
    await pipeline.end();
  }

  async #refund(contest: Contest): Promise<ContestEnd> {
    const { catalog } = this.#deps;
    if (contest.state !== "cancelled" && !(await catalog.moveContest(contest.id, "open", "cancelling"))) {
      const { state } = (await catalog.contest(contest.id))!;
      if (state === "settling" || state === "settled") return { ok: false, refusal: "already_settling" };
    }
    const entryCount = await catalog.entryCount(contest.id);
    const paidPaise = paise(contest.entryFeePaise * entryCount);
    const refunded: ContestEnd = { ok: true, outcome: "refunded", entryCount, paidPaise };
    if ((await catalog.contest(contest.id))!.state === "cancelled") return refunded;

    if (contest.entryFeePaise > 0) {
      const pipeline = this.#pipeline(contest.id, "refund", txnIds.refundPrefix(contest.id));
      let after = await this.#reached(contest.id);
      for (;;) {
        const entries = await catalog.entriesOfContest(contest.id, after, this.#deps.chunkPayments);
        if (entries.length === 0) break;
        for (const { entryId, feePaise } of entries) {
          after = entryId;
          const full = pipeline.add({ debit: escrowOfEntry(contest, entryId), entryId, amountPaise: feePaise });
          if (full !== null) await full;
        }
      }
      await pipeline.end();
    }
    const moved = await catalog.moveContest(contest.id, "cancelling", "cancelled");
    assert(moved, `contest ${contest.id} goes nowhere but from cancelling to cancelled`);
    return refunded;
  }

  /** The entry up to which everything has happened, in order of entry id; 0 before the first. */
  async #reached(contest: ContestId): Promise<EntryId | 0> {
    return Number((await this.#deps.catalog.payoutCursor(contest)) ?? 0) as EntryId | 0;
  }

  #pipeline(contest: ContestId, kind: TransferKind, txnPrefix: string): PaymentPipeline {
    const { catalog, chunkPayments, chunksInFlight } = this.#deps;
    return new PaymentPipeline({
      pay: (chunk) => this.#payAll(contest, kind, txnPrefix, chunk),
      acknowledged: (entry) => catalog.putPayoutCursor(contest, String(entry)),
      chunkPayments,
      chunksInFlight,
    });
  }

  /** The payments out of one account are one call to the ledger; the calls of a chunk share its commit. */
  async #payAll(
    contest: ContestId,
    kind: TransferKind,
    txnPrefix: string,
    chunk: readonly EntryPayment[],
  ): Promise<void> {
    const { clock, ledger } = this.#deps;
    const byDebit = new Map<AccountId, { entries: EntryId[]; amountsPaise: Paise[] }>();
    for (const { debit, entryId, amountPaise } of chunk) {
      let payments = byDebit.get(debit);
      if (!payments) byDebit.set(debit, (payments = { entries: [], amountsPaise: [] }));
      payments.entries.push(entryId);
      payments.amountsPaise.push(amountPaise);
    }
    const common = { kind, txnPrefix, ref: String(contest), atMs: clock.nowMs() };
    const paid = [...byDebit].map(async ([debit, payments]) => {
      const results = await ledger.payEntries({ ...common, ...payments, debit });
      for (const [index, result] of results.entries()) {
        assert(result.ok, `${txnPrefix}${payments.entries[index]} was refused: ${result.ok || result.refusal}`);
      }
    });
    await Promise.all(paid);
  }

  async #transferAll(batch: readonly Transfer[]): Promise<void> {
    if (batch.length === 0) return;
    const results = await this.#deps.ledger.transfer(batch);
    for (const [index, result] of results.entries()) {
      const { txnId } = batch[index]!;
      assert(result.ok, `${txnId} was refused: ${result.ok || result.refusal}`);
    }
  }
}
