import { z } from "zod";
import { idempotencyKeyOf } from "../idempotency-key.ts";
import { Problem, refused } from "../problem.ts";
import { ok, route } from "../route.ts";
import { contestIdText, matchIdText, teamNoNumber } from "../schemas.ts";

export const contestRoutes = {
  join: route(
    {
      method: "POST",
      path: "/v1/contests/{contest}/join",
      summary: "Enter a contest with one of your teams; repeatable with the same Idempotency-Key header",
      auth: "user",
      rate: "joins",
      handle: async ({ params: { contest }, body, caller, headers }, { game }) => {
        const idempotencyKey = idempotencyKeyOf(headers);
        if (idempotencyKey instanceof Problem) return idempotencyKey;
        const inviteCode = body.inviteCode ?? null;
        const joined = await game.joins.join(caller.userId, contest, body.teamNo, { idempotencyKey, inviteCode });
        return joined.ok ? ok({ ...joined.entry, replayed: joined.replayed }) : refused(joined.refusal);
      },
    },
    {
      params: z.strictObject({ contest: contestIdText }),
      body: z.strictObject({ teamNo: teamNoNumber, inviteCode: z.string().min(1).max(64).optional() }),
    },
  ),
  entries: route(
    {
      method: "GET",
      path: "/v1/matches/{match}/entries",
      summary: "Your entries in all contests of the match",
      auth: "user",
      rate: "reads",
      handle: async ({ params: { match }, caller }, { game }) =>
        ok({ entries: await game.joins.entries(caller.userId, match) }),
    },
    { params: z.strictObject({ match: matchIdText }) },
  ),
};
