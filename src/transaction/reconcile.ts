import { payoutHoldAccount, prizeAccount } from "../domain/account.ts";
import type { Contest } from "../domain/contest.ts";
import type { ContestId } from "../domain/ids.ts";
import type { Match, MatchState } from "../domain/match.ts";
import type { Catalog, JoinSaga } from "../stores/catalog/port.ts";
import type { Ledger } from "../stores/ledger/port.ts";
import { DIFFERENCE_KINDS, type Difference, type DifferenceKind } from "./difference.ts";
import { escrowStripes } from "./escrow.ts";
import type { SettlementRow } from "./payments/provider.ts";
import { txnIds } from "./txn-ids.ts";
import { verifyLedger, verifyVoids } from "./verify.ts";

export interface ReconcileDeps {
  readonly catalog: Pick<
    Catalog,
    | "matches"
    | "contests"
    | "entryCount"
    | "reservedJoins"
    | "deposits"
    | "depositByProviderOrder"
    | "withdrawal"
    | "withdrawals"
  >;
  readonly ledger: Pick<Ledger, "audit" | "balances" | "find">;
  /** Entries of each contest on the boards of a match; null where there are none yet (before the lock). */
  readonly boardCounts: (match: Match) => Promise<ReadonlyMap<ContestId, number> | null>;
  /** The provider's file; null leaves that comparison out. It is taken to hold everything that there ever was. */
  readonly settlementRows: readonly SettlementRow[] | null;
  /** Rows a page; so many matches, joins under way and withdrawals are looked at. */
  readonly pageRows: number;
  readonly rowsMax: number;
}

export interface ReconcileReport {
  readonly differences: readonly Difference[];
  readonly checked: {
    readonly transfers: number;
    readonly accounts: number;
    readonly contests: number;
    readonly entries: number;
    readonly deposits: number;
    readonly withdrawals: number;
    readonly settlementRows: number;
  };
}

const ALL_MATCHES: readonly MatchState[] = ["upcoming", "locked", "live", "review", "settled", "released", "abandoned"];

/**
 * `powerplay reconcile`: every sum that must agree, and each one that does not. It reads and changes nothing. What moves
 * while it looks can show as a difference of that moment, so it belongs in the quiet of the night; a true one stays.
 */
export async function reconcile(deps: ReconcileDeps): Promise<ReconcileReport> {
  const { catalog, ledger, rowsMax } = deps;
  const { audit, differences: ledgerDifferences } = await verifyLedger(ledger);
  const differences: Difference[] = [...ledgerDifferences, ...(await verifyVoids(ledger))];

  const underWay = await catalog.reservedJoins(Number.MAX_SAFE_INTEGER, rowsMax);
  let contests = 0;
  let entries = 0;
  for (const match of await catalog.matches({ states: ALL_MATCHES, limit: rowsMax })) {
    const onBoards = await deps.boardCounts(match);
    for (const contest of await catalog.contests(match.id)) {
      contests++;
      entries += await checkContest(
        deps,
        contest,
        onBoards === null ? null : (onBoards.get(contest.id) ?? 0),
        underWay.filter((saga) => saga.contestId === contest.id),
        differences,
      );
    }
  }
  const deposits = await checkDeposits(deps, differences);
  const withdrawals = await checkWithdrawals(deps, differences);
  return {
    differences,
    checked: {
      transfers: audit.transferCount,
      accounts: audit.accountCount,
      contests,
      entries,
      deposits,
      withdrawals,
      settlementRows: deps.settlementRows?.length ?? 0,
    },
  };
}

/** For the shell: 0 all agrees, 1 it does not. */
export const exitStatus = (report: ReconcileReport): 0 | 1 => (report.differences.length === 0 ? 0 : 1);

/** For the metrics: how many differences of each kind, zeros included. */
export function differenceCounts(report: ReconcileReport): Readonly<Record<DifferenceKind, number>> {
  const counts = Object.fromEntries(DIFFERENCE_KINDS.map((kind) => [kind, 0])) as Record<DifferenceKind, number>;
  for (const { kind } of report.differences) counts[kind]++;
  return counts;
}

/** Answers how many entries it has. */
async function checkContest(
  { catalog, ledger }: ReconcileDeps,
  contest: Contest,
  onBoard: number | null,
  underWay: readonly JoinSaga[],
  differences: Difference[],
): Promise<number> {
  const subject = `contest ${contest.id}`;
  const note = (kind: DifferenceKind, expected: number, actual: number) => {
    if (expected !== actual) differences.push({ kind, subject, expected, actual });
  };
  const entryCount = await catalog.entryCount(contest.id);
  note("seats", entryCount + underWay.length, contest.seatsTaken);
  note("seats", Math.min(contest.seatsTaken, contest.entriesMax), contest.seatsTaken);

  const balances = await ledger.balances([...escrowStripes(contest), prizeAccount(contest.id)]);
  const heldPaise = balances.reduce<number>((sum, balance) => sum + balance, 0);
  let underWayPaise = 0;
  for (const { sagaId, feePaise } of underWay) {
    const debited = (await ledger.find(txnIds.join(sagaId)))?.kind === "join";
    const refunded = debited && (await ledger.find(txnIds.joinRefund(sagaId))) !== null;
    if (debited && !refunded) underWayPaise += feePaise;
  }
  if (contest.state === "open") note("escrow", contest.entryFeePaise * entryCount + underWayPaise, heldPaise);
  // While it is being paid or refunded the sum falls from one to the other; only the ends are known.
  if (contest.state === "settled" || contest.state === "cancelled") note("escrow_rest", underWayPaise, heldPaise);

  if (onBoard !== null) note("board_count", entryCount, onBoard);
  return entryCount;
}

async function checkDeposits(deps: ReconcileDeps, differences: Difference[]): Promise<number> {
  const { catalog, ledger, settlementRows, pageRows } = deps;
  const inFile = new Set(settlementRows?.filter((row) => row.kind === "payment").map((row) => row.entityId));
  for (const { kind, entityId, reference, amountPaise } of settlementRows ?? []) {
    if (kind !== "payment") continue;
    const deposit = await catalog.depositByProviderOrder(reference);
    const transfer = await ledger.find(txnIds.deposit(entityId));
    const creditedPaise = transfer?.kind === "deposit" && deposit?.paymentId === entityId ? transfer.amountPaise : 0;
    if (creditedPaise !== amountPaise) {
      differences.push({
        kind: "payment_not_credited",
        subject: `payment ${entityId} of order ${reference}`,
        expected: amountPaise,
        actual: creditedPaise,
      });
    }
  }
  let count = 0;
  let after = "";
  for (;;) {
    const page = await catalog.deposits(after, pageRows);
    for (const { orderId, state, paymentId, amountPaise } of page) {
      count++;
      after = orderId;
      if (settlementRows === null || state !== "credited" || inFile.has(paymentId ?? "")) continue;
      const subject = `deposit ${orderId}, payment ${paymentId}`;
      differences.push({ kind: "payment_not_in_file", subject, expected: 0, actual: amountPaise });
    }
    if (page.length < pageRows) return count;
  }
}

async function checkWithdrawals(deps: ReconcileDeps, differences: Difference[]): Promise<number> {
  const { catalog, ledger, settlementRows, rowsMax } = deps;
  const paidInFile = new Set<string>();
  for (const { kind, entityId, reference, amountPaise } of settlementRows ?? []) {
    if (kind !== "payout") continue;
    paidInFile.add(reference);
    const end = await ledger.find(txnIds.withdrawalEnd(reference));
    const reversed = await ledger.find(txnIds.withdrawalReversal(reference));
    const bookedPaise = end?.kind === "withdrawal_paid" && reversed === null ? end.amountPaise : 0;
    if (bookedPaise !== amountPaise) {
      const subject = `payout ${entityId} of withdrawal ${reference}`;
      differences.push({ kind: "payout_not_booked", subject, expected: amountPaise, actual: bookedPaise });
    }
  }
  const withdrawals = await catalog.withdrawals(["created", "held", "sent", "paid", "returned"], rowsMax);
  let holdPaise = 0;
  for (const { withdrawalId, state, amountPaise } of withdrawals) {
    if (state === "held" || state === "sent") holdPaise += amountPaise;
    // Held, and the crash came before the state could say so.
    if (state === "created" && (await ledger.find(txnIds.withdrawalHold(withdrawalId)))?.kind === "withdrawal_hold") {
      holdPaise += amountPaise;
    }
    if (settlementRows !== null && state === "paid" && !paidInFile.has(withdrawalId)) {
      const subject = `withdrawal ${withdrawalId}`;
      differences.push({ kind: "payout_not_in_file", subject, expected: 0, actual: amountPaise });
    }
  }
  const [heldPaise] = await ledger.balances([payoutHoldAccount]);
  if (heldPaise !== holdPaise) {
    differences.push({ kind: "payout_hold", subject: payoutHoldAccount, expected: holdPaise, actual: heldPaise! });
  }
  return withdrawals.length;
}
