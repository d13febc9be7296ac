import type { CreditResult, Deposits } from "./deposits.ts";
import type { PaymentProvider } from "./provider.ts";
import type { PayoutResult, Withdrawals } from "./withdrawals.ts";

export interface WebhooksDeps {
  readonly provider: Pick<PaymentProvider, "verifyWebhook">;
  readonly deposits: Pick<Deposits, "credit">;
  readonly withdrawals: Pick<Withdrawals, "report">;
}

/** `accepted`: whatever the event asks for is durable. `outcome` says what it was, for the log and the counters. */
export type WebhookResult =
  | { readonly result: "accepted"; readonly outcome: CreditResult | PayoutResult | "ignored" }
  | { readonly result: "bad_signature" }
  | { readonly result: "malformed" };

/** Takes a provider's webhook. A `StoreUnavailable` is thrown on, so that the provider hears no 2xx and sends it again. */
export async function acceptWebhook(
  { provider, deposits, withdrawals }: WebhooksDeps,
  rawBody: Uint8Array,
  signature: string | null,
): Promise<WebhookResult> {
  const verdict = provider.verifyWebhook(rawBody, signature);
  if (!verdict.ok) return { result: verdict.refusal };
  switch (verdict.event.kind) {
    case "payment_captured":
      return { result: "accepted", outcome: await deposits.credit(verdict.event.payment) };
    case "payout":
      return { result: "accepted", outcome: await withdrawals.report(verdict.event.payout) };
    case "payment_failed":
    case "other":
      return { result: "accepted", outcome: "ignored" };
  }
}
