import { gatewayAccount, userAccount } from "../../domain/account.ts";
import { assert } from "../../domain/assert.ts";
import type { Clock } from "../../domain/clock.ts";
import type { UserId } from "../../domain/ids.ts";
import type { Paise } from "../../domain/money.ts";
import type { Catalog, Deposit } from "../../stores/catalog/port.ts";
import type { Ledger } from "../../stores/ledger/port.ts";
import { txnIds } from "../txn-ids.ts";
import type { CapturedPayment, PaymentProvider } from "./provider.ts";

export interface DepositsDeps {
  readonly catalog: Pick<
    Catalog,
    "createDeposit" | "deposit" | "depositByProviderOrder" | "attachProviderOrder" | "creditDeposit" | "failDeposit"
  >;
  readonly ledger: Pick<Ledger, "transfer">;
  readonly provider: Pick<PaymentProvider, "createOrder" | "capturedPayments">;
  readonly clock: Clock;
  readonly amountPaiseMin: Paise;
  readonly amountPaiseMax: Paise;
}

export type OpenDepositResult =
  | { readonly ok: true; readonly deposit: Deposit }
  | {
      readonly ok: false;
      /** In order of precedence. `provider_unavailable`: ask again with the same order id. */
      readonly refusal: "amount_out_of_range" | "order_id_reused" | "provider_refused" | "provider_unavailable";
    };

/** In order of precedence. All but `credited` are left to people: the reconciliation lists them. */
export type CreditResult =
  | "credited"
  | "unknown_order"
  | "amount_mismatch"
  /** The order was settled by another payment, or given up: this money is to be sent back at the provider. */
  | "order_closed";

/**
 * Money in: our order → the provider's order → the user pays there → signed webhook → credit.
 *
 * Laws:
 * - The wallet is credited once per payment id, whatever the number and the order of webhooks, and nothing but a captured
 *   payment of the order's exact amount credits it.
 * - `credited` is answered after the ledger has it, so a provider that repeats until it hears that loses nothing to a
 *   crash of ours. A failed attempt changes nothing: the same order may be paid by the next one.
 */
export class Deposits {
  readonly #deps: DepositsDeps;

  constructor(deps: DepositsDeps) {
    this.#deps = deps;
  }

  /** `orderId`: 1 … 64 characters, the same for a retry. */
  async open(user: UserId, amountPaise: Paise, orderId: string): Promise<OpenDepositResult> {
    const { catalog, provider, clock, amountPaiseMin, amountPaiseMax } = this.#deps;
    if (amountPaise < amountPaiseMin || amountPaise > amountPaiseMax) {
      return { ok: false, refusal: "amount_out_of_range" };
    }
    const deposit = await catalog.createDeposit({ orderId, userId: user, amountPaise, createdAtMs: clock.nowMs() });
    if (deposit.userId !== user || deposit.amountPaise !== amountPaise)
      return { ok: false, refusal: "order_id_reused" };
    if (deposit.state === "failed") return { ok: false, refusal: "provider_refused" };
    if (deposit.providerOrderId !== null) return { ok: true, deposit };

    const order = await provider.createOrder({ orderId, amountPaise });
    if (!order.ok) {
      if (order.refusal === "unavailable") return { ok: false, refusal: "provider_unavailable" };
      await catalog.failDeposit(orderId);
      return { ok: false, refusal: "provider_refused" };
    }
    // Not attached: a concurrent call's order came first, and that is the one to pay.
    await catalog.attachProviderOrder(orderId, order.value.providerOrderId);
    const opened = await catalog.deposit(orderId);
    assert(opened?.providerOrderId, `deposit ${orderId} has a provider's order by now`);
    return { ok: true, deposit: opened };
  }

  /** What a captured payment does, whether a webhook or a question to the provider told of it. Repeatable. */
  async credit(payment: CapturedPayment): Promise<CreditResult> {
    const { catalog, ledger, clock } = this.#deps;
    const deposit = await catalog.depositByProviderOrder(payment.providerOrderId);
    if (deposit === null) return "unknown_order";
    if (deposit.amountPaise !== payment.amountPaise) return "amount_mismatch";
    if (!(await catalog.creditDeposit(deposit.orderId, payment.paymentId))) return "order_closed";
    const [result] = await ledger.transfer([
      {
        txnId: txnIds.deposit(payment.paymentId),
        debit: gatewayAccount,
        credit: userAccount(deposit.userId),
        amountPaise: deposit.amountPaise,
        kind: "deposit",
        ref: deposit.orderId,
        atMs: clock.nowMs(),
      },
    ]);
    assert(result!.ok, `the credit of payment ${payment.paymentId} has one body for ever`);
    return "credited";
  }

  /** Asks the provider whether the order was paid; for a user who came back and webhooks that did not. */
  async refresh(orderId: string): Promise<Deposit | null> {
    const { catalog, provider } = this.#deps;
    const deposit = await catalog.deposit(orderId);
    if (deposit === null || deposit.providerOrderId === null) return deposit;
    const payments = await provider.capturedPayments(deposit.providerOrderId);
    if (payments.ok) for (const payment of payments.value) await this.credit(payment);
    return catalog.deposit(orderId);
  }
}
