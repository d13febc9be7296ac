import { z } from "zod";
import { refused } from "../problem.ts";
import { created, ok, route } from "../route.ts";
import { session } from "./sessions.ts";

export const sandboxRoutes = {
  openGuest: route(
    {
      method: "POST",
      path: "/v1/sandbox/users",
      summary: "A new user without a password, where a node is for trying out",
      auth: "none",
      rate: "registrations",
      handle: async ({ body: { role } }, { sandbox, tokens }) => {
        if (sandbox === null) return refused("no_sandbox");
        const guest = await sandbox.openGuest(role);
        return created(session(guest, await tokens.issue(guest)));
      },
    },
    { body: z.strictObject({ role: z.enum(["user", "admin"]).default("user") }) },
  ),
  pay: route(
    {
      method: "POST",
      path: "/v1/sandbox/deposits/{order}/pay",
      summary: "Pay one of your deposits with sandbox money; the balance follows when the provider reports it",
      auth: "user",
      rate: "reads",
      handle: async ({ caller, params: { order } }, { game, sandbox }) => {
        if (sandbox === null) return refused("no_sandbox");
        const deposit = await game.wallet.depositOf(caller.userId, order);
        if (deposit === null) return refused("not_found");
        if (deposit.providerOrderId === null || !sandbox.pay(deposit.providerOrderId)) return refused("wrong_state");
        return ok(deposit);
      },
    },
    { params: z.strictObject({ order: z.string().min(1).max(64) }), body: z.strictObject({}) },
  ),
};
