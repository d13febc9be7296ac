import { z } from "zod";
import { paise } from "../../domain/money.ts";
import type { HttpExchange, HttpResponse } from "./http.ts";
import type {
  CapturedPayment,
  PaymentProvider,
  PayoutStatus,
  ProviderAnswer,
  ProviderPayout,
  WebhookVerdict,
} from "./provider.ts";
import { readSettlementFile } from "./settlement-file.ts";
import { isSignedBy } from "./webhook-signature.ts";

export interface RazorpayOptions {
  readonly exchange: HttpExchange;
  readonly keyId: string;
  readonly keySecret: string;
  readonly webhookSecret: string;
  /** The account that payouts leave from. */
  readonly payoutAccount: string;
}

/** Ours at the provider, where payouts leave from. */
export const PAYOUT_ACCOUNT = "powerplay";

const amount = z.int().positive().transform(paise);
const paymentEntity = z.object({ id: z.string().min(1), order_id: z.string().min(1), amount, status: z.string() });
const payoutEntity = z.object({
  id: z.string().min(1),
  reference_id: z.string().min(1),
  amount,
  status: z.string(),
});
const orderAnswer = z.object({ id: z.string().min(1) });
const paymentsAnswer = z.object({ items: z.array(paymentEntity) });
const webhookBody = z.object({ event: z.string(), payload: z.record(z.string(), z.unknown()) });
const paymentPayload = z.object({ payment: z.object({ entity: paymentEntity }) });
const payoutPayload = z.object({ payout: z.object({ entity: payoutEntity }) });

/** Speaks Razorpay's orders, payouts and webhooks; the built-in sandbox answers the same protocol. */
export function openRazorpay(options: RazorpayOptions): PaymentProvider {
  const { exchange, keyId, keySecret, webhookSecret, payoutAccount } = options;
  const authorization = `Basic ${Buffer.from(`${keyId}:${keySecret}`).toString("base64")}`;

  async function ask<T>(
    method: "GET" | "POST",
    path: string,
    read: (text: string) => T | null,
    body: object | null = null,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<ProviderAnswer<T>> {
    let response: HttpResponse;
    try {
      response = await exchange({
        method,
        path,
        headers: { authorization, ...(body ? { "content-type": "application/json" } : {}), ...headers },
        body: body ? JSON.stringify(body) : "",
      });
    } catch (error) {
      return { ok: false, refusal: "unavailable", reason: String(error) };
    }
    if (response.status >= 200 && response.status < 300) {
      const value = read(response.body);
      // An answer that we cannot read is as good as none: it may have happened.
      return value === null ? { ok: false, refusal: "unavailable", reason: "unreadable answer" } : { ok: true, value };
    }
    // Of the 4xx only these are judgements on the request; a 401, a 409 or a 429 may be different tomorrow.
    const refusal = response.status === 400 || response.status === 422 ? "rejected" : "unavailable";
    return { ok: false, refusal, reason: `status ${response.status}: ${response.body.slice(0, 200)}` };
  }

  return {
    createOrder: ({ orderId, amountPaise }) =>
      ask(
        "POST",
        "/v1/orders",
        (text) => {
          const order = parse(orderAnswer, text);
          return order && { providerOrderId: order.id };
        },
        { amount: amountPaise, currency: "INR", receipt: orderId },
      ),
    capturedPayments: (providerOrderId) =>
      ask("GET", `/v1/orders/${encodeURIComponent(providerOrderId)}/payments`, (text) => {
        const payments = parse(paymentsAnswer, text);
        return payments && payments.items.filter((payment) => payment.status === "captured").map(paymentOf);
      }),
    createPayout: ({ withdrawalId, amountPaise }) =>
      ask(
        "POST",
        "/v1/payouts",
        readPayout,
        { account_number: payoutAccount, amount: amountPaise, currency: "INR", reference_id: withdrawalId },
        { "x-payout-idempotency": withdrawalId },
      ),
    payout: (providerPayoutId) => ask("GET", `/v1/payouts/${encodeURIComponent(providerPayoutId)}`, readPayout),
    verifyWebhook: (rawBody, signature) =>
      signature !== null && isSignedBy(rawBody, signature, webhookSecret)
        ? readWebhook(rawBody)
        : { ok: false, refusal: "bad_signature" },
    settlementFile: () => ask("GET", "/v1/settlements/file", readSettlementFile),
  };
}

function parse<T>(schema: z.ZodType<T>, text: string): T | null {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return null;
  }
  const checked = schema.safeParse(json);
  return checked.success ? checked.data : null;
}

const paymentOf = (entity: z.infer<typeof paymentEntity>): CapturedPayment => ({
  paymentId: entity.id,
  providerOrderId: entity.order_id,
  amountPaise: entity.amount,
});

const payoutOf = (entity: z.infer<typeof payoutEntity>): ProviderPayout => ({
  providerPayoutId: entity.id,
  withdrawalId: entity.reference_id,
  amountPaise: entity.amount,
  status: PAYOUT_STATUS[entity.status] ?? "pending",
});

/** Every other status is on the way to one of these. */
const PAYOUT_STATUS: Readonly<Record<string, PayoutStatus>> = {
  processed: "processed",
  reversed: "reversed",
  rejected: "reversed",
  cancelled: "reversed",
  failed: "reversed",
};

function readPayout(text: string): ProviderPayout | null {
  const entity = parse(payoutEntity, text);
  return entity && payoutOf(entity);
}

function readWebhook(rawBody: Uint8Array): WebhookVerdict {
  const body = parse(webhookBody, new TextDecoder().decode(rawBody));
  if (body === null) return { ok: false, refusal: "malformed" };
  if (body.event === "payment.captured" || body.event === "payment.failed" || body.event === "order.paid") {
    const payload = paymentPayload.safeParse(body.payload);
    if (!payload.success) return { ok: false, refusal: "malformed" };
    const kind = body.event === "payment.failed" ? "payment_failed" : "payment_captured";
    return { ok: true, event: { kind, payment: paymentOf(payload.data.payment.entity) } };
  }
  if (body.event.startsWith("payout.")) {
    const payload = payoutPayload.safeParse(body.payload);
    if (!payload.success) return { ok: false, refusal: "malformed" };
    return { ok: true, event: { kind: "payout", payout: payoutOf(payload.data.payout.entity) } };
  }
  return { ok: true, event: { kind: "other", name: body.event } };
}
