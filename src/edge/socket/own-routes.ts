import { z } from "zod";
import { refused } from "../problem.ts";
import { ok, route } from "../route.ts";
import { contestIdText, matchIdText } from "../schemas.ts";

/**
 * Routes that only the socket has, for they change the connection itself. What they do to the session follows their answer;
 * here is what may refuse them.
 */
export const socketRoutes = {
  ping: route({
    method: "GET",
    path: "socket: ping",
    summary: "The node's time",
    auth: "none",
    rate: "publicReads",
    handle: async (_request, { clock, sandbox }) => ok({ nowMs: clock.nowMs(), sandbox: sandbox !== null }),
  }),
  authenticate: route(
    {
      method: "POST",
      path: "socket: authenticate",
      summary: "Who is at the other end, from now on",
      auth: "none",
      rate: "authentications",
      handle: async ({ body: { token } }, { tokens }) => {
        const caller = await tokens.caller(token);
        return typeof caller === "string" ? refused(caller) : ok(caller);
      },
    },
    { body: z.strictObject({ token: z.string().min(1).max(2_000) }) },
  ),
  followContest: route(
    {
      method: "GET",
      path: "socket: follow {contest}",
      summary: "Top list, own rank and own score from now on",
      auth: "none",
      rate: "publicReads",
      handle: async ({ params: { contest } }, { game }) => {
        const found = await game.browse.contest(contest);
        const match = found && (await game.browse.match(found.matchId));
        return match === null ? refused("contest_not_found") : ok({ contest: found!, match });
      },
    },
    { params: z.strictObject({ contest: contestIdText }) },
  ),
  /** Ends either; what is not followed is as it should be. */
  unfollow: route({
    method: "GET",
    path: "socket: unfollow",
    summary: "No more of it",
    auth: "none",
    rate: "publicReads",
    handle: async () => ok(null),
  }),
  followMatch: route(
    {
      method: "GET",
      path: "socket: follow {match}",
      summary: "State, balls and points from now on",
      auth: "none",
      rate: "publicReads",
      handle: async ({ params: { match } }, { game }) => {
        const found = await game.browse.match(match);
        return found === null ? refused("match_not_found") : ok(found);
      },
    },
    { params: z.strictObject({ match: matchIdText }) },
  ),
};
