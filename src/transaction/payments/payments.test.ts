import { afterEach, describe, expect, test } from "bun:test";
import { gatewayAccount, payoutHoldAccount, userAccount } from "../../domain/account.ts";
import { userId } from "../../domain/ids.ts";
import { paise } from "../../domain/money.ts";
import { openSimulatedCatalog } from "../../testing/simulated-catalog.ts";
import { openSimulatedLedger } from "../../testing/simulated-ledger.ts";
import { Deposits } from "./deposits.ts";
import { httpExchange } from "./http.ts";
import type { PayoutStatus } from "./provider.ts";
import { openRazorpay } from "./razorpay.ts";
import { CALM, type SandboxHabits } from "./sandbox-provider.ts";
import { openSandboxServer } from "./sandbox-server.ts";
import { readSettlementFile, writeSettlementFile } from "./settlement-file.ts";
import { signWebhook } from "./webhook-signature.ts";
import { acceptWebhook, type WebhookResult } from "./webhooks.ts";
import { Withdrawals } from "./withdrawals.ts";

const ann = userId(1);
const SECRET = "whsec";
const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** The whole flow over real HTTP: our webhook endpoint, the sandbox server, the adapter between them. */
function payments(habits: Partial<SandboxHabits> = {}) {
  const catalog = openSimulatedCatalog();
  const ledger = openSimulatedLedger();
  const clock = { nowMs: () => 0 };
  const results: WebhookResult[] = [];
  const waiters: { count: number; resolve: () => void }[] = [];
  const heard = (count: number) =>
    results.length >= count ? Promise.resolve() : new Promise<void>((resolve) => void waiters.push({ count, resolve }));
  const ourNode = Bun.serve({
    port: 0,
    async fetch(request) {
      const body = new Uint8Array(await request.arrayBuffer());
      results.push(await acceptWebhook(deps, body, request.headers.get("x-razorpay-signature")));
      for (const waiter of waiters) if (results.length >= waiter.count) waiter.resolve();
      return new Response();
    },
  });
  const keys = { keyId: "id", keySecret: "secret", webhookSecret: SECRET };
  const sandbox = openSandboxServer({
    ...keys,
    port: 0,
    webhookUrl: () => `http://127.0.0.1:${ourNode.port}/`,
    seed: 1,
    habits: { ...CALM, webhookDelayMsMax: 3, ...habits },
  });
  closing.push(
    () => ourNode.stop(true),
    () => sandbox.stop(),
  );
  const provider = openRazorpay({ ...keys, exchange: httpExchange(sandbox.url, 2000), payoutAccount: "acc" });
  const limits = { amountPaiseMin: paise(100), amountPaiseMax: paise(100_000) };
  const deposits = new Deposits({ catalog, ledger, provider, clock, ...limits });
  const withdrawals = new Withdrawals({ catalog, ledger, provider, clock, ...limits });
  const deps = { provider, deposits, withdrawals };
  const balances = () => ledger.balances([userAccount(ann), payoutHoldAccount, gatewayAccount]);
  return { catalog, ledger, sandbox, provider, deposits, withdrawals, deps, heard, results, balances };
}

async function funded(habits: Partial<SandboxHabits> = {}) {
  const context = payments(habits);
  let opened = await context.deposits.open(ann, paise(5000), "d1");
  while (!opened.ok) opened = await context.deposits.open(ann, paise(5000), "d1");
  const providerOrderId = opened.deposit.providerOrderId!;
  context.sandbox.provider.checkOut(providerOrderId, true);
  while ((await context.deposits.refresh("d1"))!.state !== "credited");
  return { ...context, providerOrderId };
}

describe("deposits", () => {
  test("many webhooks of one payment credit it once", async () => {
    const { sandbox, heard, results, balances, providerOrderId, deposits } = await funded({ webhookRepeatChance: 1 });
    await heard(4);
    expect(results).toContainEqual({ result: "accepted", outcome: "credited" });
    expect(await balances()).toEqual([5000, 0, -5000].map(paise));
    expect(sandbox.provider.checkOut(providerOrderId, true)).toBe(false);
    const payment = { paymentId: "pay_other", providerOrderId, amountPaise: paise(5000) };
    expect(await deposits.credit(payment)).toBe("order_closed");
    expect(await deposits.credit({ ...payment, amountPaise: paise(1) })).toBe("amount_mismatch");
    expect(await deposits.credit({ ...payment, providerOrderId: "order_x" })).toBe("unknown_order");
    expect(await balances()).toEqual([5000, 0, -5000].map(paise));
  });

  test("a failed attempt does not close the order", async () => {
    const { deposits, sandbox, heard, results, balances } = payments();
    const opened = await deposits.open(ann, paise(700), "d2");
    const order = opened.ok ? opened.deposit.providerOrderId! : "";
    sandbox.provider.checkOut(order, false);
    await heard(1);
    expect(results).toEqual([{ result: "accepted", outcome: "ignored" }]);
    sandbox.provider.checkOut(order, true);
    await heard(3);
    expect(await balances()).toEqual([700, 0, -700].map(paise));
  });

  test("opening is repeatable by order id, and refuses another body and amounts out of range", async () => {
    const { deposits } = payments();
    const first = await deposits.open(ann, paise(700), "d3");
    expect(await deposits.open(ann, paise(700), "d3")).toEqual(first);
    expect(await deposits.open(ann, paise(800), "d3")).toEqual({ ok: false, refusal: "order_id_reused" });
    expect(await deposits.open(ann, paise(99), "d4")).toEqual({ ok: false, refusal: "amount_out_of_range" });
  });

  test("a provider that fails before or after the deed is asked again, and the first order it names is the one", async () => {
    const { deposits, catalog } = payments({ errorChance: 0.9 });
    const open = () => deposits.open(ann, paise(700), "d5");
    let opened = await open();
    expect(opened).toEqual({ ok: false, refusal: "provider_unavailable" });
    while (!opened.ok) opened = await open();
    expect(await open()).toEqual(opened);
    expect(await catalog.deposit("d5")).toEqual(opened.deposit);
  });
});

describe("webhooks", () => {
  test("only the secret's holder is heard, and only for the very bytes that were signed", async () => {
    const { deps } = payments();
    const body = Buffer.from(`{"event":"invoice.paid","payload":{}}`);
    const signed = signWebhook(body, SECRET);
    expect(await acceptWebhook(deps, body, signed)).toEqual({ result: "accepted", outcome: "ignored" });
    expect(await acceptWebhook(deps, Buffer.concat([body, Buffer.from(" ")]), signed)).toEqual({
      result: "bad_signature",
    });
    expect(await acceptWebhook(deps, body, null)).toEqual({ result: "bad_signature" });
    expect(await acceptWebhook(deps, body, signWebhook(body, "guess"))).toEqual({ result: "bad_signature" });
    const broken = Buffer.from(`{"event":"payment.captured","payload":{}}`);
    expect(await acceptWebhook(deps, broken, signWebhook(broken, SECRET))).toEqual({ result: "malformed" });
  });
});

describe("withdrawals", () => {
  test("hold, payout, and the report settles the hold", async () => {
    const { withdrawals, catalog, heard, balances } = await funded();
    await heard(2);
    expect(await withdrawals.withdraw(ann, paise(2000), "w1")).toMatchObject({ ok: true });
    await heard(3);
    expect(await balances()).toEqual([3000, 0, -3000].map(paise));
    expect(await catalog.withdrawal("w1")).toMatchObject({ state: "paid" });
    expect(await withdrawals.withdraw(ann, paise(2000), "w1")).toMatchObject({ ok: true });
    expect(await balances()).toEqual([3000, 0, -3000].map(paise));
  });

  test("what the provider rejects goes back, and the retry hears the same", async () => {
    const { withdrawals, balances } = await funded({ payoutRejectChance: 1 });
    const refused = { ok: false, refusal: "provider_refused" } as const;
    expect(await withdrawals.withdraw(ann, paise(2000), "w1")).toEqual(refused);
    expect(await withdrawals.withdraw(ann, paise(2000), "w1")).toEqual(refused);
    expect(await balances()).toEqual([5000, 0, -5000].map(paise));
  });

  test("a hold that was refused for lack of funds stays refused", async () => {
    const { withdrawals, deposits, sandbox, balances } = await funded();
    const refused = { ok: false, refusal: "insufficient_funds" } as const;
    expect(await withdrawals.withdraw(ann, paise(9000), "w1")).toEqual(refused);
    const more = await deposits.open(ann, paise(9000), "d2");
    sandbox.provider.checkOut(more.ok ? more.deposit.providerOrderId! : "", true);
    await deposits.refresh("d2");
    expect(await withdrawals.withdraw(ann, paise(9000), "w1")).toEqual(refused);
    expect(await balances()).toEqual([14000, 0, -14000].map(paise));
  });

  test.each<readonly PayoutStatus[]>([
    ["processed", "reversed"],
    ["reversed", "processed"],
    ["pending", "reversed", "reversed"],
    ["processed", "processed", "reversed", "processed"],
  ])("a reversal is final, in whatever order reports come: %p %p", async (...statuses) => {
    const { withdrawals, balances, sandbox, catalog } = await funded();
    await sandbox.stop();
    await withdrawals.withdraw(ann, paise(2000), "w1");
    for (const status of statuses) {
      await withdrawals.report({ providerPayoutId: "p", withdrawalId: "w1", amountPaise: paise(2000), status });
    }
    expect(await catalog.withdrawal("w1")).toMatchObject({ state: "returned" });
    expect(await balances()).toEqual([5000, 0, -5000].map(paise));
  });

  test("the sweep sends what was held and asks for what was not reported", async () => {
    const { withdrawals, sandbox, catalog, balances } = await funded({ errorChance: 0.7 });
    await withdrawals.withdraw(ann, paise(2000), "w1");
    while ((await withdrawals.sweep(10)) > 0) await Bun.sleep(1);
    expect(await catalog.withdrawal("w1")).toMatchObject({ state: "paid" });
    expect(await balances()).toEqual([3000, 0, -3000].map(paise));
    expect(sandbox.provider.settlementRows()).toHaveLength(2);
  });
});

test("a settlement file reads back as written, and one broken line breaks it", async () => {
  const { provider, sandbox } = await funded();
  const rows = sandbox.provider.settlementRows();
  expect(await provider.settlementFile()).toEqual({ ok: true, value: rows });
  expect(readSettlementFile(writeSettlementFile([]))).toEqual([]);
  expect(readSettlementFile(`${writeSettlementFile(rows)}payment,x\n`)).toBeNull();
});
