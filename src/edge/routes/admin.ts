import { z } from "zod";
import { CONTEST_KINDS } from "../../domain/contest.ts";
import { POOL_SIZE_MAX } from "../../domain/points.ts";
import { ROLES } from "../../domain/squad.ts";
import type { MatchId } from "../../domain/ids.ts";
import type { Admin, AdminResult } from "../game.ts";
import { Problem } from "../problem.ts";
import { created, ok, type Reply, route } from "../route.ts";
import { contestIdText, matchIdNumber, matchIdText, paiseNumber, playerIdText } from "../schemas.ts";

const name = z.string().min(1).max(120);
const match = z.strictObject({ match: matchIdText });
const empty = z.strictObject({});

const player = z.strictObject({
  id: playerIdText,
  name,
  side: z.union([z.literal(0), z.literal(1)]),
  role: z.enum(ROLES),
  creditsTenths: z.int().min(1).max(1_000),
  announced: z.boolean().nullable().default(null),
});

const ranks = { fromRank: z.int().min(1), toRank: z.int().min(1) };
const prizeBand = z.union([
  z.strictObject({ ...ranks, amountPaise: paiseNumber }),
  z.strictObject({ ...ranks, shareBps: z.int().min(0).max(10_000) }),
]);

const reply = <T>(result: AdminResult<T>, shown: (value: T) => Reply<T> = ok): Reply<T> | Problem =>
  result.ok ? shown(result.value) : new Problem(result.refusal, result.message);

const onMatch = <T>(
  verb: "lock" | "abandon" | "end" | "approve" | "release",
  call: (admin: Admin, match: MatchId) => Promise<AdminResult<T>>,
  summary: string,
) =>
  route(
    {
      method: "POST",
      path: `/v1/admin/matches/{match}/${verb}`,
      summary,
      auth: "admin",
      rate: "admin",
      handle: async ({ params }, { game }) => reply(await call(game.admin, params.match)),
    },
    { params: match, body: empty },
  );

export const adminRoutes = {
  createMatch: route(
    {
      method: "POST",
      path: "/v1/admin/matches",
      summary: "Create a match",
      auth: "admin",
      rate: "admin",
      handle: async ({ body }, { game }) => reply(await game.admin.createMatch(body), created),
    },
    {
      body: z.strictObject({
        name,
        sides: z.tuple([name, name]),
        format: z.enum(["T20", "ODI", "Test", "T10"]),
        startMs: z.int().min(0).max(8.64e15),
        scoringRules: z.string().min(1).max(40),
        rosterRules: z.string().min(1).max(40),
      }),
    },
  ),
  putSquad: route(
    {
      method: "PUT",
      path: "/v1/admin/matches/{match}/squad",
      summary: "Put the squad; once put, it only grows",
      auth: "admin",
      rate: "admin",
      handle: async ({ params, body }, { game }) => reply(await game.admin.putSquad(params.match, body)),
    },
    { params: match, body: z.strictObject({ players: z.array(player).min(1).max(POOL_SIZE_MAX) }) },
  ),
  announce: route(
    {
      method: "POST",
      path: "/v1/admin/matches/{match}/announce",
      summary: "Announce who plays",
      auth: "admin",
      rate: "admin",
      handle: async ({ params, body }, { game }) => reply(await game.admin.announce(params.match, body.players)),
    },
    { params: match, body: z.strictObject({ players: z.array(playerIdText).min(1).max(POOL_SIZE_MAX) }) },
  ),
  createContest: route(
    {
      method: "POST",
      path: "/v1/admin/contests",
      summary: "Open a contest",
      auth: "admin",
      rate: "admin",
      handle: async ({ body }, { game }) => reply(await game.admin.createContest(body), created),
    },
    {
      body: z.strictObject({
        matchId: matchIdNumber,
        kind: z.enum(CONTEST_KINDS),
        name,
        entryFeePaise: paiseNumber,
        entriesMax: z.int(),
        entriesPerUserMax: z.int(),
        prizePoolPaise: paiseNumber,
        prizes: z.array(prizeBand).max(1_000),
        guaranteed: z.boolean(),
        inviteCode: z.string().min(1).max(64).nullable().default(null),
      }),
    },
  ),
  cancelContest: route(
    {
      method: "POST",
      path: "/v1/admin/contests/{contest}/cancel",
      summary: "Cancel a contest and return every fee",
      auth: "admin",
      rate: "admin",
      handle: async ({ params }, { game }) => reply(await game.admin.cancelContest(params.contest)),
    },
    { params: z.strictObject({ contest: contestIdText }), body: empty },
  ),
  lock: onMatch("lock", (admin, match) => admin.lock(match), "Freeze the rosters now that the deadline has passed"),
  abandon: onMatch("abandon", (admin, match) => admin.abandonMatch(match), "Abandon the match and return every fee"),
  end: onMatch("end", (admin, match) => admin.endMatch(match), "End the match by hand: live to review"),
  approve: onMatch(
    "approve",
    (admin, match) => admin.approveResult(match),
    "Approve the result: review to settled; a correction re-opens the review until prizes are released",
  ),
  release: onMatch(
    "release",
    (admin, match) => admin.releasePrizes(match),
    "Release the prizes of a settled match and pay every contest; corrections end here; repeatable",
  ),
};
