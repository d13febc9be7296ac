import { z } from "zod";
import { limits } from "../../config.ts";
import { qpToPoints } from "../../domain/points.ts";
import type { ReasonLine } from "../game.ts";
import { route } from "../route.ts";
import { countText, entryIdText, matchIdText, playerIdText } from "../schemas.ts";
import { boardReply } from "./leaderboards.ts";

const shownReason = ({ pointsQp, ...line }: ReasonLine) => ({ ...line, points: qpToPoints(pointsQp) });

export const pointsRoutes = {
  team: route(
    {
      method: "GET",
      path: "/v1/matches/{match}/points/teams/{entry}",
      summary: "A locked team with the points of each player",
      auth: "user",
      rate: "reads",
      handle: async ({ params: { match, entry } }, { game }) =>
        boardReply(await game.boards.teamBreakdown(match, entry), ({ scoreQp, players, ...team }) => ({
          ...team,
          points: qpToPoints(scoreQp),
          players: players.map(({ pointsQp, contributionQp, ...player }) => ({
            ...player,
            points: qpToPoints(pointsQp),
            contribution: qpToPoints(contributionQp),
          })),
        })),
    },
    { params: z.strictObject({ match: matchIdText, entry: entryIdText }) },
  ),
  player: route(
    {
      method: "GET",
      path: "/v1/matches/{match}/points/players/{player}",
      summary: "A player's points with a reason for each: ball and rule",
      auth: "user",
      rate: "reads",
      handle: async ({ params: { match, player } }, { game }) =>
        boardReply(await game.boards.playerBreakdown(match, player), ({ pointsQp, reasons, playerId }) => ({
          playerId,
          points: qpToPoints(pointsQp),
          reasons: reasons.map(shownReason),
        })),
    },
    { params: z.strictObject({ match: matchIdText, player: playerIdText }) },
  ),
  commentary: route(
    {
      method: "GET",
      path: "/v1/matches/{match}/commentary",
      summary: "The last balls and the points that they gave, newest first",
      auth: "none",
      rate: "publicReads",
      handle: async ({ params: { match }, query: { count } }, { game }) =>
        boardReply(await game.boards.commentary(match, count), (lines) => ({
          lines: lines.map(({ reasons, ...line }) => ({ ...line, reasons: reasons.map(shownReason) })),
        })),
    },
    {
      params: z.strictObject({ match: matchIdText }),
      query: z.strictObject({ count: countText(limits.commentaryCountMax, 20) }),
    },
  ),
  commitment: route(
    {
      method: "GET",
      path: "/v1/matches/{match}/commitment",
      summary: "Merkle root over all locked teams",
      auth: "none",
      rate: "publicReads",
      handle: async ({ params: { match } }, { game }) =>
        boardReply(await game.boards.commitment(match), (root) => root),
    },
    { params: z.strictObject({ match: matchIdText }) },
  ),
  proof: route(
    {
      method: "GET",
      path: "/v1/matches/{match}/proofs/{entry}",
      summary: "Proof that a team is in the commitment as it was locked",
      auth: "none",
      rate: "publicReads",
      handle: async ({ params: { match, entry } }, { game }) =>
        boardReply(await game.boards.inclusionProof(match, entry), (proof) => proof),
    },
    { params: z.strictObject({ match: matchIdText, entry: entryIdText }) },
  ),
};
