import { refused } from "../problem.ts";
import { ok, route } from "../route.ts";

export const healthRoutes = {
  alive: route({
    method: "GET",
    path: "/healthz",
    summary: "The process is alive",
    auth: "none",
    rate: "publicReads",
    handle: async () => ok({ alive: true }),
  }),
  ready: route({
    method: "GET",
    path: "/readyz",
    summary: "The node takes traffic",
    auth: "none",
    rate: "publicReads",
    handle: async (_request, { ready }) => (ready() ? ok({ ready: true }) : refused("not_ready")),
  }),
};
