import { z } from "zod";
import { limits } from "../../config.ts";
import { qpToPoints } from "../../domain/points.ts";
import type { BoardPage, BoardResult } from "../game.ts";
import { type Problem, refused } from "../problem.ts";
import { ok, type Reply, route } from "../route.ts";
import { contestIdText, countText, entryIdText, positionText } from "../schemas.ts";

const { topCountMax, pageCountMax, neighbourRadiusMax } = limits.boards;
const NEIGHBOUR_RADIUS = 5;
const params = z.strictObject({ contest: contestIdText });

export const boardReply = <T, U>(result: BoardResult<T>, show: (value: T) => U): Reply<U> | Problem =>
  result.ok ? ok(show(result.value)) : refused(result.refusal);

/** Points in JSON are points; a quarter is exact in a double. */
const shownPage = ({ rows, ...page }: BoardPage) => ({
  ...page,
  rows: rows.map(({ scoreQp, ...row }) => ({ ...row, points: qpToPoints(scoreQp) })),
});

export const leaderboardRoutes = {
  page: route(
    {
      method: "GET",
      path: "/v1/contests/{contest}/leaderboard",
      summary: "The best entries, or a page from any rank",
      auth: "none",
      rate: "publicReads",
      handle: async ({ params: { contest }, query: { top, fromRank, count } }, { game }) =>
        boardReply(
          fromRank === undefined
            ? await game.boards.top(contest, top)
            : await game.boards.page(contest, fromRank, count),
          shownPage,
        ),
    },
    {
      params,
      query: z.strictObject({
        top: countText(topCountMax, topCountMax),
        fromRank: positionText.optional(),
        count: countText(pageCountMax, pageCountMax),
      }),
    },
  ),
  mine: route(
    {
      method: "GET",
      path: "/v1/contests/{contest}/mine",
      summary: "Your entries with their ranks",
      auth: "user",
      rate: "reads",
      handle: async ({ params: { contest }, caller }, { game }) =>
        boardReply(await game.boards.mine(caller.userId, contest), shownPage),
    },
    { params },
  ),
  neighbours: route(
    {
      method: "GET",
      path: "/v1/contests/{contest}/neighbours",
      summary: "The rows around one entry",
      auth: "user",
      rate: "reads",
      handle: async ({ params: { contest }, query: { entryId, radius } }, { game }) =>
        boardReply(await game.boards.neighbours(contest, entryId, radius), shownPage),
    },
    {
      params,
      query: z.strictObject({ entryId: entryIdText, radius: countText(neighbourRadiusMax, NEIGHBOUR_RADIUS) }),
    },
  ),
  rankHistory: route(
    {
      method: "GET",
      path: "/v1/contests/{contest}/rank-history",
      summary: "Rank and points of one entry over the match",
      auth: "user",
      rate: "reads",
      handle: async ({ params: { contest }, query: { entryId } }, { game }) =>
        boardReply(await game.boards.rankHistory(contest, entryId), (samples) => ({
          samples: samples.map(({ scoreQp, ...sample }) => ({ ...sample, points: qpToPoints(scoreQp) })),
        })),
    },
    { params, query: z.strictObject({ entryId: entryIdText }) },
  ),
};
