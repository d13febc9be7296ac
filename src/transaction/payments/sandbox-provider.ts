import { assert } from "../../domain/assert.ts";
import { paise } from "../../domain/money.ts";
import type { Random } from "../../domain/random.ts";
import type { HttpRequest, HttpResponse } from "./http.ts";
import type { SettlementRow } from "./provider.ts";
import { writeSettlementFile } from "./settlement-file.ts";
import { signWebhook } from "./webhook-signature.ts";

export interface SandboxOptions {
  readonly webhookSecret: string;
  readonly random: Random;
  /** Calls back after so many ms; a simulation hands in its own. */
  readonly after: (ms: number, then: () => void) => void;
  /** Posts a webhook to us; answers the HTTP status, rejects when nobody answers. */
  readonly deliver: (rawBody: string, signature: string) => Promise<number>;
  readonly habits: SandboxHabits;
}

/** How badly it behaves; all chances are 0 … 1. */
export interface SandboxHabits {
  /** Each webhook comes after 0 … this; so they overtake each other. */
  readonly webhookDelayMsMax: number;
  readonly webhookRepeatChance: number;
  readonly webhookRetryMs: number;
  readonly webhookAttemptsMax: number;
  /** 500, before or after the request took effect. */
  readonly errorChance: number;
  readonly payoutRejectChance: number;
  readonly payoutReverseChance: number;
}

export const CALM: SandboxHabits = {
  webhookDelayMsMax: 50,
  webhookRepeatChance: 0,
  webhookRetryMs: 1000,
  webhookAttemptsMax: 50,
  errorChance: 0,
  payoutRejectChance: 0,
  payoutReverseChance: 0,
};

interface SandboxOrder {
  readonly id: string;
  readonly receipt: string;
  readonly amount: number;
  readonly payments: { readonly id: string; readonly status: "captured" | "failed" }[];
}

interface SandboxPayout {
  readonly id: string;
  readonly referenceId: string;
  readonly amount: number;
  status: "processing" | "processed" | "reversed";
}

/**
 * A payment provider of our own that speaks Razorpay's protocol, so that the whole flow of money runs on one machine. It
 * moves nothing real, has the habits of real ones (late, repeated and reordered webhooks, errors after the deed), and its
 * books are kept apart from ours, so that reconciling against them means something.
 */
export class SandboxProvider {
  readonly #options: SandboxOptions;
  readonly #orders = new Map<string, SandboxOrder>();
  readonly #payouts = new Map<string, SandboxPayout>();
  /** By idempotency key; null was rejected. */
  readonly #payoutByKey = new Map<string, SandboxPayout | null>();
  #idCount = 0;
  #underWay = 0;

  constructor(options: SandboxOptions) {
    this.#options = options;
  }

  /** Answers one request of its API. */
  handle({ method, path, headers, body }: HttpRequest): HttpResponse {
    const { random, habits } = this.#options;
    if (random.chance(habits.errorChance / 2)) return problem(500, "before the deed");
    const answer = this.#route(`${method} ${path}`, headers, body);
    return random.chance(habits.errorChance / 2) ? problem(500, "after the deed") : answer;
  }

  /** What the user does on the provider's page. false: no such order, or it is paid. */
  checkOut(orderId: string, succeeds: boolean): boolean {
    const order = this.#orders.get(orderId);
    if (!order || order.payments.some((payment) => payment.status === "captured")) return false;
    const payment = { id: this.#nextId("pay"), status: succeeds ? "captured" : "failed" } as const;
    order.payments.push(payment);
    const entity = { ...payment, order_id: order.id, amount: order.amount, currency: "INR" };
    this.#announce(`payment.${payment.status}`, { payment: { entity } });
    if (succeeds) this.#announce("order.paid", { payment: { entity } });
    return true;
  }

  /** Payouts that it is still working on and webhooks that nobody has accepted yet. */
  get underWay(): number {
    return this.#underWay;
  }

  /** Its own books. */
  settlementRows(): readonly SettlementRow[] {
    const payments = [...this.#orders.values()].flatMap((order) =>
      order.payments
        .filter((payment) => payment.status === "captured")
        .map((payment) => ({
          kind: "payment" as const,
          entityId: payment.id,
          reference: order.id,
          amountPaise: paise(order.amount),
        })),
    );
    const payouts = [...this.#payouts.values()]
      .filter((payout) => payout.status === "processed")
      .map((payout) => ({
        kind: "payout" as const,
        entityId: payout.id,
        reference: payout.referenceId,
        amountPaise: paise(payout.amount),
      }));
    return [...payments, ...payouts];
  }

  #route(request: string, headers: Readonly<Record<string, string>>, body: string): HttpResponse {
    if (request === "POST /v1/orders") return this.#createOrder(body);
    if (request === "POST /v1/payouts") return this.#createPayout(headers["x-payout-idempotency"] ?? "", body);
    if (request === "GET /v1/settlements/file")
      return { status: 200, body: writeSettlementFile(this.settlementRows()) };
    const order = this.#orders.get(/^GET \/v1\/orders\/([^/]+)\/payments$/.exec(request)?.[1] ?? "");
    if (order) {
      const items = order.payments.map((payment) => ({ ...payment, order_id: order.id, amount: order.amount }));
      return json({ entity: "collection", count: items.length, items });
    }
    const payout = this.#payouts.get(/^GET \/v1\/payouts\/([^/]+)$/.exec(request)?.[1] ?? "");
    return payout ? json(payoutEntity(payout)) : problem(404, `nothing at ${request}`);
  }

  #createOrder(body: string): HttpResponse {
    const { amount, receipt } = readBody(body);
    if (!isAmount(amount) || typeof receipt !== "string") return problem(400, "amount or receipt is invalid");
    const order: SandboxOrder = { id: this.#nextId("order"), receipt, amount, payments: [] };
    this.#orders.set(order.id, order);
    return json({ id: order.id, entity: "order", amount, currency: "INR", receipt, status: "created" });
  }

  #createPayout(key: string, body: string): HttpResponse {
    const { random, habits } = this.#options;
    const { amount, reference_id: referenceId } = readBody(body);
    if (!isAmount(amount) || typeof referenceId !== "string" || key === "") return problem(400, "payout is invalid");
    let payout = this.#payoutByKey.get(key);
    if (payout === undefined) {
      payout = random.chance(habits.payoutRejectChance)
        ? null
        : { id: this.#nextId("pout"), referenceId, amount, status: "processing" };
      this.#payoutByKey.set(key, payout);
      if (payout) this.#process(payout);
    }
    return payout ? json(payoutEntity(payout)) : problem(400, "the bank does not know the account");
  }

  /** processed or reversed, and now and then reversed after it was processed. */
  #process(payout: SandboxPayout): void {
    const { random, after, habits } = this.#options;
    this.#payouts.set(payout.id, payout);
    const settle = (status: SandboxPayout["status"]) => {
      this.#underWay++;
      after(random.int(habits.webhookDelayMsMax + 1), () => {
        this.#underWay--;
        payout.status = status;
        this.#announce(`payout.${status}`, { payout: { entity: payoutEntity(payout) } });
        if (status === "processed" && random.chance(habits.payoutReverseChance / 2)) settle("reversed");
      });
    };
    settle(random.chance(habits.payoutReverseChance / 2) ? "reversed" : "processed");
  }

  #announce(event: string, payload: object): void {
    const { random, habits } = this.#options;
    const rawBody = JSON.stringify({ entity: "event", event, payload });
    const copies = random.chance(habits.webhookRepeatChance) ? 2 + random.int(3) : 1;
    for (let copy = 0; copy < copies; copy++) {
      this.#underWay++;
      this.#deliverLater(rawBody, random.int(habits.webhookDelayMsMax + 1), 1);
    }
  }

  #deliverLater(rawBody: string, delayMs: number, attempt: number): void {
    const { after, deliver, habits, webhookSecret } = this.#options;
    after(delayMs, () => {
      const answered = deliver(rawBody, signWebhook(rawBody, webhookSecret)).catch(() => 0);
      void answered.then((status) => {
        const accepted = status >= 200 && status < 300;
        if (accepted || attempt === habits.webhookAttemptsMax) this.#underWay--;
        else this.#deliverLater(rawBody, habits.webhookRetryMs, attempt + 1);
      });
    });
  }

  #nextId(kind: string): string {
    return `${kind}_${(++this.#idCount).toString(36).padStart(10, "0")}`;
  }
}

const payoutEntity = (payout: SandboxPayout) => ({
  id: payout.id,
  entity: "payout",
  reference_id: payout.referenceId,
  amount: payout.amount,
  currency: "INR",
  status: payout.status,
});

const json = (body: object): HttpResponse => ({ status: 200, body: JSON.stringify(body) });
const problem = (status: number, description: string): HttpResponse => ({
  status,
  body: JSON.stringify({ error: { code: status < 500 ? "BAD_REQUEST_ERROR" : "SERVER_ERROR", description } }),
});

const isAmount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) > 0;

function readBody(body: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(body);
    assert(typeof value === "object" && value !== null, "a body is an object");
    return value as Record<string, unknown>;
  } catch {
    return {};
  }
}
