import { z } from "zod";
import { limits } from "../../config.ts";
import { idempotencyKeyOf } from "../idempotency-key.ts";
import { Problem, refused } from "../problem.ts";
import { created, ok, route } from "../route.ts";
import { countText, positionText, positivePaiseNumber } from "../schemas.ts";

const amount = z.strictObject({ amountPaise: positivePaiseNumber });
const nameOf = z.string().min(1).max(64);

export const walletRoutes = {
  balance: route({
    method: "GET",
    path: "/v1/wallet",
    summary: "Your balance",
    auth: "user",
    rate: "reads",
    handle: async ({ caller }, { game }) => ok({ balancePaise: await game.wallet.balance(caller.userId) }),
  }),
  history: route(
    {
      method: "GET",
      path: "/v1/wallet/history",
      summary: "What moved your balance, newest first",
      auth: "user",
      rate: "reads",
      handle: async ({ caller, query: { beforeSeq, limit } }, { game }) =>
        ok({
          lines: await game.wallet.history(caller.userId, { limit, ...(beforeSeq === undefined ? {} : { beforeSeq }) }),
        }),
    },
    {
      query: z.strictObject({
        beforeSeq: positionText.optional(),
        limit: countText(limits.wallet.historyCountMax, limits.wallet.historyCountMax),
      }),
    },
  ),
  deposit: route(
    {
      method: "POST",
      path: "/v1/wallet/deposits",
      summary: "Open a deposit; the balance follows when the provider reports the payment",
      auth: "user",
      rate: "deposits",
      handle: async ({ caller, body, headers }, { game }) => {
        const key = idempotencyKeyOf(headers);
        if (key instanceof Problem) return key;
        const opened = await game.wallet.deposit(caller.userId, body.amountPaise, key);
        return opened.ok ? created(opened.deposit) : refused(opened.refusal);
      },
    },
    { body: amount },
  ),
  depositOf: route(
    {
      method: "GET",
      path: "/v1/wallet/deposits/{order}",
      summary: "One of your deposits",
      auth: "user",
      rate: "reads",
      handle: async ({ caller, params: { order } }, { game }) => {
        const deposit = await game.wallet.depositOf(caller.userId, order);
        return deposit === null ? refused("not_found") : ok(deposit);
      },
    },
    { params: z.strictObject({ order: nameOf }) },
  ),
  withdraw: route(
    {
      method: "POST",
      path: "/v1/wallet/withdrawals",
      summary: "Withdraw; the amount is held until the provider has paid it out or refused",
      auth: "user",
      rate: "withdrawals",
      handle: async ({ caller, body, headers }, { game }) => {
        const key = idempotencyKeyOf(headers);
        if (key instanceof Problem) return key;
        const opened = await game.wallet.withdraw(caller.userId, body.amountPaise, key);
        return opened.ok ? created(opened.withdrawal) : refused(opened.refusal);
      },
    },
    { body: amount },
  ),
  withdrawalOf: route(
    {
      method: "GET",
      path: "/v1/wallet/withdrawals/{withdrawal}",
      summary: "One of your withdrawals",
      auth: "user",
      rate: "reads",
      handle: async ({ caller, params: { withdrawal } }, { game }) => {
        const found = await game.wallet.withdrawalOf(caller.userId, withdrawal);
        return found === null ? refused("not_found") : ok(found);
      },
    },
    { params: z.strictObject({ withdrawal: nameOf }) },
  ),
  webhook: route({
    method: "POST",
    path: "/v1/payments/webhook",
    summary: "The payment provider's reports; X-Razorpay-Signature covers the raw body",
    auth: "none",
    rate: "webhooks",
    raw: true,
    handle: async ({ rawBody, headers }, { game }) => {
      const verdict = await game.wallet.webhook(rawBody, headers.get("x-razorpay-signature"));
      if (verdict === "bad_signature") return refused("signature_invalid");
      return verdict === "malformed" ? refused("malformed_webhook") : ok({ accepted: true });
    },
  }),
};
