import type { Route } from "./route.ts";
import { adminRoutes } from "./routes/admin.ts";
import { contestRoutes } from "./routes/contests.ts";
import { healthRoutes } from "./routes/health.ts";
import { leaderboardRoutes } from "./routes/leaderboards.ts";
import { matchRoutes } from "./routes/matches.ts";
import { pointsRoutes } from "./routes/points.ts";
import { sandboxRoutes } from "./routes/sandbox.ts";
import { scoreRoutes } from "./routes/scores.ts";
import { sessionRoutes } from "./routes/sessions.ts";
import { teamRoutes } from "./routes/teams.ts";
import { walletRoutes } from "./routes/wallet.ts";

/** The whole URL surface. */
export const ROUTES: readonly Route[] = [
  ...Object.values(matchRoutes),
  ...Object.values(teamRoutes),
  ...Object.values(contestRoutes),
  ...Object.values(leaderboardRoutes),
  ...Object.values(pointsRoutes),
  ...Object.values(walletRoutes),
  ...Object.values(scoreRoutes),
  ...Object.values(adminRoutes),
  ...Object.values(sessionRoutes),
  ...Object.values(healthRoutes),
  ...Object.values(sandboxRoutes),
];
