import type { Seams } from "./simulated-node.ts";

/** A bug to plant: `find` is replaced in the source of `file` when it is loaded, or a part is swapped by `seams`. */
export type Mutation =
  | { readonly name: string; readonly file: string; readonly find: string; readonly replace: string }
  | { readonly name: string; readonly seams: Seams };

const SPOOL = "src/stream/save-spool.ts";
const FENCE = "src/stream/save-fence.ts";
const RECORDS = "src/stream/records.ts";
const MATERIALISER = "src/stream/materialiser.ts";
const SAGA = "src/transaction/join-saga.ts";
const SETTLEMENT = "src/transaction/settlement.ts";
const WITHDRAWALS = "src/transaction/payments/withdrawals.ts";
const CATALOG = "src/stores/catalog/sqlite/joins.ts";
const LEDGER = "src/stores/ledger/sqlite/engine.ts";

/** Bugs that somebody could write on a tired evening, in the production code itself. */
export const MUTATIONS: readonly Mutation[] = [
  {
    name: "a join that finds its contest closed is not refunded",
    file: SAGA,
    find: "if (costs) await this.#refund(saga);",
    replace: "",
  },
  {
    name: "every try of a debit has a name of its own, so that none is a replay",
    file: SAGA,
    find: "txnId: txnIds.join(saga.sagaId),",
    replace: "txnId: `${txnIds.join(saga.sagaId)}:${clock.nowMs()}`,",
  },
  {
    name: "a refused debit is not put out of use",
    file: SAGA,
    find: 'return (await voidTransfer(ledger, transfer.txnId, clock.nowMs())) === "taken";',
    replace: "return false;",
  },
  {
    name: "a refused debit keeps its seat",
    file: SAGA,
    find: 'await this.#release(saga);\n      return { ok: false, refusal: "insufficient_funds" };',
    replace: 'return { ok: false, refusal: "insufficient_funds" };',
  },
  {
    name: "the deadline of a join is not checked",
    file: SAGA,
    find: "!isBeforeDeadline(match, nowMs) ||",
    replace: "",
  },
  {
    name: "the client's clock decides what is in time",
    seams: { clock: (_server, clientNowMs) => ({ nowMs: clientNowMs }) },
  },
  {
    name: "a save after the deadline is acknowledged",
    file: "src/stream/team-saves.ts",
    find: " || !isBeforeDeadline(info.match, nowMs)",
    replace: "",
  },
  {
    name: "a save that reached the log after the lock is acknowledged",
    file: "src/stream/team-saves.ts",
    find: 'save.outcome === "logged" && save.offset >= (await fence.endOf(info.match, save.partition))',
    replace: "(fence, false)",
  },
  {
    name: "nobody is told where the saves of a locked match end",
    file: FENCE,
    find: 'return state === "upcoming" ? null : this.close(match);',
    replace: "return (state, null);",
  },
  {
    name: "a lock does not wait for what nodes have spooled",
    file: FENCE,
    find: "spools.length > 0",
    replace: "spools.length > 99",
  },
  {
    name: "a spooled save is acknowledged although the match is locked",
    file: FENCE,
    find: '?.state === "upcoming";',
    replace: "?.state !== null;",
  },
  {
    name: "the catalog is not told of a spool before its first save is acknowledged",
    file: SPOOL,
    find: "      await this.#register();\n      seq =",
    replace: "      this.#register().catch(() => undefined);\n      seq =",
  },
  {
    name: "the catalog hears of a spool before the disk has it",
    file: SPOOL,
    find: "      store = await this.#opened();\n      await this.#register();\n",
    replace: "      await this.#register();\n      store = await this.#opened();\n",
  },
  {
    name: "each opening of a spool is numbered, whatever was answered",
    file: SPOOL,
    find: "const asked: number = this.#opening + 1;",
    replace: "const asked: number = ++this.#opening;",
  },
  {
    name: "a save is refused as too late although the log may have it",
    file: SPOOL,
    find: 'if (saved.outcome === "spooled") return saved;',
    replace: "if (saved) return saved;",
  },
  {
    name: "a spool forgets what it could not forward",
    file: SPOOL,
    find: "if (failed) throw failed.reason;",
    replace: "",
  },
  {
    name: "what a crash left in a spool is not forwarded",
    file: SPOOL,
    find: "this.#counted(user, count);\n      this.#toldThrough",
    replace: "this.#counted(user, 0 * count);\n      this.#toldThrough",
  },
  {
    name: "a save that was spooled counts by the log's order",
    file: RECORDS,
    find: "(spooled ? 0 : LATE_MS)",
    replace: "LATE_MS + (spooled ? 99_999 : 0)",
  },
  {
    name: "a save whose append was given up counts however late it is",
    file: RECORDS,
    find: "(spooled ? 0 : LATE_MS)",
    replace: "(spooled ? 0 : Number.POSITIVE_INFINITY)",
  },
  {
    name: "what is out of a spool is held against the last save instead of the newest",
    file: MATERIALISER,
    find: "newestMs.set(team, Math.max(beforeMs, row.savedAtMs));",
    replace: "newestMs.set(team, row.savedAtMs);",
  },
  {
    name: "a node that begins takes no save for late",
    file: MATERIALISER,
    find: "before.newestMs = fence.latestMs();",
    replace: "before.newestMs = 0;",
  },
  {
    name: "the store is not asked for what came before a batch",
    file: MATERIALISER,
    find: "version < first.version",
    replace: "version > first.version",
  },
  {
    name: "a contest takes one entry too many",
    file: CATALOG,
    find: "contest.seatsTaken >= contest.entriesMax",
    replace: "contest.seatsTaken > contest.entriesMax",
  },
  {
    name: "a user enters once more than the contest allows",
    file: CATALOG,
    find: "seats.length >= contest.entriesPerUserMax",
    replace: "seats.length > contest.entriesPerUserMax",
  },
  {
    name: "an entry is confirmed although the contest is closed",
    file: CATALOG,
    find: 'if (contest.state !== "open") return { ok: false, refusal: "contest_not_open" };\n\n',
    replace: "",
  },
  {
    name: "an entry is not announced",
    file: CATALOG,
    find: "announce.run(sagaId, saga.match_id",
    replace: "if (sagaId % 7 !== 0) announce.run(sagaId, saga.match_id",
  },
  {
    name: "the outbox forgets what it failed to send",
    file: "src/transaction/outbox.ts",
    find: 'rows.filter((_, index) => appends[index]!.status === "fulfilled")',
    replace: "rows",
  },
  {
    name: "nobody takes on the joins that a crash left",
    file: "src/transaction/recovery.ts",
    find: "abandoned.map((saga) => sagas.advance(saga))",
    replace: "abandoned.slice(0, 0).map((saga) => sagas.advance(saga))",
  },
  {
    name: "every webhook of a payment credits it",
    file: "src/transaction/payments/deposits.ts",
    find: "txnId: txnIds.deposit(payment.paymentId),",
    replace: "txnId: `${txnIds.deposit(payment.paymentId)}:${clock.nowMs()}`,",
  },
  {
    name: "a webhook's signature is not looked at",
    file: "src/transaction/payments/razorpay.ts",
    find: "signature !== null && isSignedBy(rawBody, signature, webhookSecret)",
    replace: "signature !== null",
  },
  {
    name: "the hold of a payout that the provider rejects is not returned",
    file: WITHDRAWALS,
    find: 'else if (payout.refusal === "rejected") await this.#return(held);',
    replace: 'else if (payout.refusal === "rejected") await catalog.moveWithdrawal(withdrawalId, "held", "returned");',
  },
  {
    name: "a payout that is both processed and reversed moves the hold twice",
    file: WITHDRAWALS,
    find: "txnIds.withdrawalEnd(withdrawal.withdrawalId),",
    replace: "`${txnIds.withdrawalEnd(withdrawal.withdrawalId)}:${end}`,",
  },
  {
    name: "the payout cursor runs ahead of the ledger",
    file: "src/transaction/payment-pipeline.ts",
    find: "await paid;\n    await this.#options.acknowledged(last);",
    replace: "await this.#options.acknowledged(last);\n    await paid;",
  },
  {
    name: "a settlement that resumes pays its winners again",
    file: SETTLEMENT,
    find: "txnIds.prizePrefix(contest.id)",
    replace: "txnIds.prizePrefix(contest.id) + this.#deps.clock.nowMs()",
  },
  {
    name: "a cancellation that resumes refunds again",
    file: SETTLEMENT,
    find: "txnIds.refundPrefix(contest.id)",
    replace: "txnIds.refundPrefix(contest.id) + this.#deps.clock.nowMs()",
  },
  {
    name: "a tie group that continues in the next chunk begins its odd paise again",
    file: "src/transaction/payouts.ts",
    find: "share.extraPaiseLeft--;",
    replace: "if (index + 1 < entries.length) share.extraPaiseLeft--;",
  },
  {
    name: "tied entries get the prize of their rank instead of their share",
    file: "src/domain/prizes.ts",
    find: "this.#sumThrough(rank + tiedCount - 1) - this.#sumThrough(rank - 1)",
    replace: "(this.#sumThrough(rank) - this.#sumThrough(rank - 1)) * tiedCount",
  },
  {
    name: "a feed event is acknowledged before the log has it",
    file: "src/stream/feed-intake.ts",
    find: 'const position = await log.append("score-events", match, encodeScoreRecord(record));\n      if (await this.#isReleasedBefore(match, position)) return { ok: false, refusal: "match_over" };\n',
    replace: 'void log.append("score-events", match, encodeScoreRecord(record)).catch(() => undefined);\n',
  },
  {
    name: "an account may be overdrawn",
    file: LEDGER,
    find: "accounts.balancePaise(debit) < amountPaise",
    replace: "accounts.balancePaise(debit) <= 0",
  },
  {
    name: "a transfer credits nobody",
    file: LEDGER,
    find: "accounts.set(to, toAfterPaise);",
    replace: 'if (kind !== "margin") accounts.set(to, toAfterPaise);',
  },
  {
    name: "balances in memory outlive the group that a full disk undid",
    file: LEDGER,
    find: "forget: () => accounts.forget(),",
    replace: "forget: () => undefined,",
  },
];
