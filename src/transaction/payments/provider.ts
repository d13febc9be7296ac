import type { Paise } from "../../domain/money.ts";

/**
 * The company that moves real money.
 *
 * Law:
 * - `createPayout` is idempotent by `withdrawalId`: sent again, it answers the same payout. `createOrder` is not: an order
 *   that we never learnt of is never shown to a user, so nobody pays it.
 * - Webhooks come at least once, late, and in any order; their truth is what the signature covers, nothing else.
 * - `rejected` is final: nothing happened, and the same request will be rejected again. `unavailable` says nothing: it may
 *   have happened.
 */
export interface PaymentProvider {
  createOrder(order: {
    readonly orderId: string;
    readonly amountPaise: Paise;
  }): Promise<ProviderAnswer<{ readonly providerOrderId: string }>>;
  /** The payments of an order that the provider has captured; for when its webhooks were lost. */
  capturedPayments(providerOrderId: string): Promise<ProviderAnswer<readonly CapturedPayment[]>>;
  createPayout(payout: {
    readonly withdrawalId: string;
    readonly amountPaise: Paise;
  }): Promise<ProviderAnswer<ProviderPayout>>;
  payout(providerPayoutId: string): Promise<ProviderAnswer<ProviderPayout>>;
  verifyWebhook(rawBody: Uint8Array, signature: string | null): WebhookVerdict;
  /** What the provider says it took and paid; the other side of the reconciliation. */
  settlementFile(): Promise<ProviderAnswer<readonly SettlementRow[]>>;
}

export type ProviderAnswer<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly refusal: "rejected" | "unavailable"; readonly reason: string };

export interface CapturedPayment {
  readonly paymentId: string;
  readonly providerOrderId: string;
  readonly amountPaise: Paise;
}

/** reversed: the money came back, also after it was processed. */
export type PayoutStatus = "pending" | "processed" | "reversed";

export interface ProviderPayout {
  readonly providerPayoutId: string;
  readonly withdrawalId: string;
  readonly amountPaise: Paise;
  readonly status: PayoutStatus;
}

export type ProviderEvent =
  | { readonly kind: "payment_captured"; readonly payment: CapturedPayment }
  /** One attempt failed; the same order may still be paid by the next. */
  | { readonly kind: "payment_failed"; readonly payment: CapturedPayment }
  | { readonly kind: "payout"; readonly payout: ProviderPayout }
  /** Signed, but nothing that concerns us. */
  | { readonly kind: "other"; readonly name: string };

export type WebhookVerdict =
  | { readonly ok: true; readonly event: ProviderEvent }
  | { readonly ok: false; readonly refusal: "bad_signature" | "malformed" };

export interface SettlementRow {
  readonly kind: "payment" | "payout";
  /** The payment's or the payout's id at the provider. */
  readonly entityId: string;
  /** Of a payment its order at the provider, of a payout our withdrawal. */
  readonly reference: string;
  readonly amountPaise: Paise;
}
