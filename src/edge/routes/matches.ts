import { z } from "zod";
import type { Contest } from "../../domain/contest.ts";
import { refused } from "../problem.ts";
import { ok, route } from "../route.ts";
import { matchIdText } from "../schemas.ts";

const withoutCode = ({ inviteCode: _secret, ...shown }: Contest) => shown;
const params = z.strictObject({ match: matchIdText });

export const matchRoutes = {
  list: route({
    method: "GET",
    path: "/v1/matches",
    summary: "All matches, soonest first",
    auth: "none",
    rate: "publicReads",
    handle: async (_request, { game }) => ok({ matches: await game.browse.matches() }),
  }),
  get: route(
    {
      method: "GET",
      path: "/v1/matches/{match}",
      summary: "One match",
      auth: "none",
      rate: "publicReads",
      handle: async ({ params: { match } }, { game }) => {
        const found = await game.browse.match(match);
        return found === null ? refused("match_not_found") : ok(found);
      },
    },
    { params },
  ),
  squad: route(
    {
      method: "GET",
      path: "/v1/matches/{match}/squad",
      summary: "The players to pick from, with role, credits and whether they are announced",
      auth: "none",
      rate: "publicReads",
      handle: async ({ params: { match } }, { game }) => {
        if ((await game.browse.match(match)) === null) return refused("match_not_found");
        const squad = await game.browse.squad(match);
        return squad === null ? refused("squad_not_found") : ok(squad, { "cache-control": "public, max-age=60" });
      },
    },
    { params },
  ),
  contests: route(
    {
      method: "GET",
      path: "/v1/matches/{match}/contests",
      summary: "The match's contests; private ones are left out",
      auth: "none",
      rate: "publicReads",
      handle: async ({ params: { match } }, { game }) => {
        if ((await game.browse.match(match)) === null) return refused("match_not_found");
        return ok({ contests: (await game.browse.contests(match)).map(withoutCode) });
      },
    },
    { params },
  ),
  invited: route(
    {
      method: "POST",
      path: "/v1/matches/{match}/invited",
      summary: "The private contest that an invite code opens",
      auth: "user",
      rate: "joins",
      handle: async ({ params: { match }, body: { inviteCode } }, { game }) => {
        const contest = await game.browse.invited(match, inviteCode);
        return contest === null ? refused("invite_code") : ok(withoutCode(contest));
      },
    },
    { params, body: z.strictObject({ inviteCode: z.string().min(1).max(64) }) },
  ),
};
