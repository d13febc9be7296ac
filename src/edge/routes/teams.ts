import { z } from "zod";
import { POOL_SIZE_MAX } from "../../domain/points.ts";
import { rosterDraft } from "../../domain/roster.ts";
import type { Squad } from "../../domain/squad.ts";
import type { SavedTeam } from "../game.ts";
import { Problem, refused } from "../problem.ts";
import { ok, route } from "../route.ts";
import { matchIdNumber, matchIdText, playerIdText, teamNoNumber, teamNoText } from "../schemas.ts";

const shownTeam = ({ matchId, teamNo, version, savedAtMs, roster }: SavedTeam, squad: Squad) => ({
  matchId,
  teamNo,
  version,
  savedAtMs,
  ...rosterDraft(roster, squad),
});

export const teamRoutes = {
  save: route(
    {
      method: "POST",
      path: "/v1/teams",
      summary: "Create or replace one of your teams, until the deadline",
      auth: "user",
      rate: "teamSaves",
      handle: async ({ body: { matchId, teamNo, ...draft }, caller }, { game }) => {
        const saved = await game.teams.save(caller.userId, matchId, teamNo, draft);
        if (saved.ok) {
          const { version, savedAtMs } = saved.team;
          return ok({ matchId, teamNo, version, savedAtMs, ...draft });
        }
        if (saved.refusal !== "roster_rules") return refused(saved.refusal);
        const errors = saved.faults.map(({ rule, field, message }) => ({ field, code: rule, message }));
        return new Problem("roster_rules", errors.map((error) => error.message).join("; "), { errors });
      },
    },
    {
      body: z.strictObject({
        matchId: matchIdNumber,
        teamNo: teamNoNumber,
        players: z.array(playerIdText).max(POOL_SIZE_MAX),
        captain: playerIdText,
        viceCaptain: playerIdText,
      }),
    },
  ),
  list: route(
    {
      method: "GET",
      path: "/v1/matches/{match}/teams",
      summary: "Your teams as they stand",
      auth: "user",
      rate: "reads",
      handle: async ({ params: { match }, caller }, { game }) => {
        const squad = await game.browse.squad(match);
        if (squad === null) return refused("match_not_found");
        const teams = await game.teams.list(caller.userId, match);
        return ok({ teams: teams.map((team) => shownTeam(team, squad)) });
      },
    },
    { params: z.strictObject({ match: matchIdText }) },
  ),
  versions: route(
    {
      method: "GET",
      path: "/v1/matches/{match}/teams/{teamNo}/versions",
      summary: "Every version of one of your teams, oldest first",
      auth: "user",
      rate: "reads",
      handle: async ({ params: { match, teamNo }, caller }, { game }) => {
        const squad = await game.browse.squad(match);
        if (squad === null) return refused("match_not_found");
        const versions = await game.teams.versions(caller.userId, match, teamNo);
        return ok({ versions: versions.map((team) => shownTeam(team, squad)) });
      },
    },
    { params: z.strictObject({ match: matchIdText, teamNo: teamNoText }) },
  ),
};
