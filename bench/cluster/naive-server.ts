/**
 * The design that everybody starts with, as a process of its own: HTTP in front of one Postgres, a committed transaction a request. The
 * same tokens, the same checks of a team, the same HTTP server as a node's.
 *
 *   bun bench/cluster/naive-server.ts postgres://… CONNECTIONS      prints its address
 */
import { SQL } from "bun";
import { contestId, entryId, matchId, teamNo } from "../../src/domain/ids.ts";
import { checkRoster, ROSTER_RULES, type RosterDraft } from "../../src/domain/roster.ts";
import { derivedIdempotencyKey } from "../../src/transaction/join-saga.ts";
import { RULES, squad, tokens } from "./workload.ts";

const [url, connections] = process.argv.slice(2);
const sql = new SQL(url!, { max: Number(connections), idleTimeout: 0 });
// Every connection is opened before the clock runs.
await Promise.all(Array.from({ length: Number(connections) }, () => sql`SELECT pg_sleep(0.05)`));

const rules = ROSTER_RULES[RULES]!;

const server = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  async fetch(request) {
    const caller = await tokens.caller(request.headers.get("authorization")!.slice("Bearer ".length));
    if (typeof caller === "string") return new Response(caller, { status: 401 });
    const body = (await request.json()) as RosterDraft & { readonly teamNo: number; readonly matchId: number };
    const entry = entryId(caller.userId, teamNo(body.teamNo));
    const contest = /\/contests\/(\d+)\/join$/.exec(request.url)?.[1];
    if (contest !== undefined) {
      const key = derivedIdempotencyKey(caller.userId, contestId(Number(contest)), teamNo(body.teamNo));
      const [row] =
        await sql`SELECT join_contest(${caller.userId}, ${contest}, ${entry}, ${key}, ${Date.now()}) AS answer`;
      return Response.json({ entryId: entry }, { status: row.answer === "ok" ? 200 : 409 });
    }
    const check = checkRoster(body, squad, rules);
    if (!check.ok) return Response.json(check.faults, { status: 400 });
    await sql`INSERT INTO teams VALUES (${matchId(body.matchId)}, ${entry}, ${Date.now()}, ${check.roster})
      ON CONFLICT (match_id, entry_id) DO UPDATE SET saved_at_ms = excluded.saved_at_ms, roster = excluded.roster`;
    return Response.json({ entryId: entry });
  },
});
console.log(`http://127.0.0.1:${server.port}`);
