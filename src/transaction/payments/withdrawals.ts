import { type AccountId, gatewayAccount, payoutHoldAccount, userAccount } from "../../domain/account.ts";
import { assert } from "../../domain/assert.ts";
import type { Clock } from "../../domain/clock.ts";
import type { UserId } from "../../domain/ids.ts";
import type { Paise } from "../../domain/money.ts";
import type { Catalog, Withdrawal } from "../../stores/catalog/port.ts";
import type { Ledger, TransferKind, TransferResult } from "../../stores/ledger/port.ts";
import { StoreUnavailable } from "../../stores/unavailable.ts";
import { txnIds } from "../txn-ids.ts";
import { voidTransfer } from "../void-transfer.ts";
import type { PaymentProvider, ProviderPayout } from "./provider.ts";

export interface WithdrawalsDeps {
  readonly catalog: Pick<
    Catalog,
    "createWithdrawal" | "withdrawal" | "withdrawalByPayout" | "moveWithdrawal" | "withdrawals"
  >;
  readonly ledger: Pick<Ledger, "transfer" | "find">;
  readonly provider: Pick<PaymentProvider, "createPayout" | "payout">;
  readonly clock: Clock;
  readonly amountPaiseMin: Paise;
  readonly amountPaiseMax: Paise;
}

export type WithdrawResult =
  | { readonly ok: true; readonly withdrawal: Withdrawal }
  | {
      readonly ok: false;
      /** In order of precedence. */
      readonly refusal: "amount_out_of_range" | "withdrawal_id_reused" | "insufficient_funds" | "provider_refused";
    };

export type PayoutResult = "paid" | "returned" | "pending" | "unknown_withdrawal" | "amount_mismatch";

/**
 * Money out: hold → payout → what the provider reports settles the hold or returns it.
 *
 *     created   withdrawal-hold:<id>       user → payout-hold                         refused → voided, returned
 *     held      payout at the provider, idempotent by our id                          rejected → as reversed
 *     sent      processed → paid           withdrawal-end:<id>   payout-hold → gateway
 *               reversed → returned        withdrawal-end:<id>   payout-hold → user
 *     paid      reversed → returned        withdrawal-reversal:<id>   gateway → user
 *
 * Laws:
 * - The ledger decides between paying and returning, for both are the same transfer id: of two contradicting reports, at
 *   once or in any order, only one moves the hold. The state follows the ledger, so whatever is cut short between the two
 *   is still under way and is swept.
 * - A reversal is final at the provider, so a report of `processed` after it is old news and does nothing.
 */
export class Withdrawals {
  readonly #deps: WithdrawalsDeps;

  constructor(deps: WithdrawalsDeps) {
    this.#deps = deps;
  }

  /** `withdrawalId`: 1 … 64 characters, the same for a retry. An answer of `ok` means held; the payout may still fail. */
  async withdraw(user: UserId, amountPaise: Paise, withdrawalId: string): Promise<WithdrawResult> {
    const { catalog, clock, amountPaiseMin, amountPaiseMax } = this.#deps;
    if (amountPaise < amountPaiseMin || amountPaise > amountPaiseMax) {
      return { ok: false, refusal: "amount_out_of_range" };
    }
    const createdAtMs = clock.nowMs();
    const created = await catalog.createWithdrawal({ withdrawalId, userId: user, amountPaise, createdAtMs });
    if (created.userId !== user || created.amountPaise !== amountPaise) {
      return { ok: false, refusal: "withdrawal_id_reused" };
    }
    const withdrawal = await this.#advance(created);
    if (withdrawal.state !== "returned") return { ok: true, withdrawal };
    const held = await this.#deps.ledger.find(txnIds.withdrawalHold(withdrawalId));
    return { ok: false, refusal: held?.kind === "withdrawal_hold" ? "provider_refused" : "insufficient_funds" };
  }

  /** What the provider says of a payout, whether a webhook told or we asked. Repeatable. */
  async report(payout: ProviderPayout): Promise<PayoutResult> {
    const { catalog } = this.#deps;
    const withdrawal = await catalog.withdrawal(payout.withdrawalId);
    // Of one that is not held no payout was asked for.
    if (withdrawal === null || withdrawal.state === "created") return "unknown_withdrawal";
    if (withdrawal.amountPaise !== payout.amountPaise) return "amount_mismatch";
    // The report may overtake the answer to our own call.
    await catalog.moveWithdrawal(withdrawal.withdrawalId, "held", "sent", payout.providerPayoutId);
    if (payout.status === "pending") return "pending";
    if (payout.status === "reversed") {
      await this.#return(withdrawal);
      return "returned";
    }
    const paid =
      (await this.#endHold(withdrawal, "paid")) && (await catalog.moveWithdrawal(payout.withdrawalId, "sent", "paid"));
    return paid ? "paid" : "returned";
  }

  /**
   * Takes on every withdrawal that is not at its end: holds that were cut short, payouts whose answer was lost, reports
   * that never came. How many are still under way.
   */
  async sweep(limit: number): Promise<number> {
    const { catalog, provider } = this.#deps;
    let pending = 0;
    for (const withdrawal of await catalog.withdrawals(["created", "held", "sent"], limit)) {
      try {
        const { state, providerPayoutId } = await this.#advance(withdrawal);
        if (state === "sent" && providerPayoutId !== null) {
          const payout = await provider.payout(providerPayoutId);
          if (payout.ok && (await this.report(payout.value)) !== "pending") continue;
        }
        if (state === "held" || state === "sent") pending++;
      } catch (error) {
        if (!(error instanceof StoreUnavailable)) throw error;
        pending++;
      }
    }
    return pending;
  }

  /** created → held → sent, as far as it goes now. */
  async #advance(withdrawal: Withdrawal): Promise<Withdrawal> {
    const { catalog, provider } = this.#deps;
    const { withdrawalId, amountPaise } = withdrawal;
    if (withdrawal.state === "created") {
      if (!(await this.#hold(withdrawal))) {
        await catalog.moveWithdrawal(withdrawalId, "created", "returned");
        return this.#reread(withdrawalId);
      }
      await catalog.moveWithdrawal(withdrawalId, "created", "held");
    }
    const held = await this.#reread(withdrawalId);
    if (held.state !== "held") return held;
    const payout = await provider.createPayout({ withdrawalId, amountPaise });
    if (payout.ok) await catalog.moveWithdrawal(withdrawalId, "held", "sent", payout.value.providerPayoutId);
    else if (payout.refusal === "rejected") await this.#return(held);
    return this.#reread(withdrawalId);
  }

  /** false: refused, and refused for ever. */
  async #hold(withdrawal: Withdrawal): Promise<boolean> {
    const { ledger, clock } = this.#deps;
    const txnId = txnIds.withdrawalHold(withdrawal.withdrawalId);
    const result = await this.#transfer(
      withdrawal,
      txnId,
      userAccount(withdrawal.userId),
      payoutHoldAccount,
      "withdrawal_hold",
    );
    if (result.ok) return true;
    return (await voidTransfer(ledger, txnId, clock.nowMs())) === "taken";
  }

  /** false: the hold went the other way. */
  async #endHold(withdrawal: Withdrawal, end: "paid" | "returned"): Promise<boolean> {
    const result = await this.#transfer(
      withdrawal,
      txnIds.withdrawalEnd(withdrawal.withdrawalId),
      payoutHoldAccount,
      end === "paid" ? gatewayAccount : userAccount(withdrawal.userId),
      end === "paid" ? "withdrawal_paid" : "withdrawal_returned",
    );
    assert(
      result.ok || result.refusal === "txn_mismatch",
      `the hold of ${withdrawal.withdrawalId} is there until it ends`,
    );
    return result.ok;
  }

  async #return(withdrawal: Withdrawal): Promise<void> {
    const { catalog } = this.#deps;
    const { withdrawalId } = withdrawal;
    if (!(await this.#endHold(withdrawal, "returned"))) {
      const result = await this.#transfer(
        withdrawal,
        txnIds.withdrawalReversal(withdrawalId),
        gatewayAccount,
        userAccount(withdrawal.userId),
        "withdrawal_returned",
      );
      assert(result.ok, `the reversal of ${withdrawalId} has one body for ever`);
    }
    // In the order of the states: what moves on meanwhile is met by the next try and never slips between two.
    for (const state of ["held", "sent", "paid"] as const) {
      if (await catalog.moveWithdrawal(withdrawalId, state, "returned")) return;
    }
  }

  async #transfer(
    { withdrawalId, amountPaise }: Withdrawal,
    txnId: string,
    debit: AccountId,
    credit: AccountId,
    kind: TransferKind,
  ): Promise<TransferResult> {
    const { ledger, clock } = this.#deps;
    const [result] = await ledger.transfer([
      { txnId, debit, credit, amountPaise, kind, ref: withdrawalId, atMs: clock.nowMs() },
    ]);
    return result!;
  }

  async #reread(withdrawalId: string): Promise<Withdrawal> {
    const withdrawal = await this.#deps.catalog.withdrawal(withdrawalId);
    assert(withdrawal !== null, `withdrawal ${withdrawalId} was created`);
    return withdrawal;
  }
}
