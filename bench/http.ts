/**
 * Team saves and joins through HTTP with durable acknowledgements, beside the naive design (one committed SQLite transaction
 * a request) behind the same kind of HTTP server, in one run and on the same disk. Prints requests a second and the ratio,
 * and checks that both stored every request that they acknowledged. USERS= and WIDTH= change the run.
 */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { testConfig } from "../src/config.ts";
import { RandomRosters } from "../src/demo/random-roster.ts";
import { gatewayAccount, userAccount } from "../src/domain/account.ts";
import { entryId, teamNo, type UserId } from "../src/domain/ids.ts";
import { paise, rupees } from "../src/domain/money.ts";
import { seededRandom } from "../src/domain/random.ts";
import { checkRoster, ROSTER_RULES } from "../src/domain/roster.ts";
import { startNode } from "../src/main.ts";
import { adaptCricsheet } from "../src/stream/cricsheet.ts";
import { generateMatch } from "../src/stream/match-generator.ts";
import { type LoadRequest, type LoadResult, runLoad } from "./load.ts";
import { openNaive } from "./naive.ts";

const USERS = Number(process.env["USERS"] ?? 4_000);
const WIDTH = Number(process.env["WIDTH"] ?? 256);
const SAVES_PER_USER = 5;
const FEE = rupees(10);

const config = testConfig();
const adapted = adaptCricsheet(generateMatch(1));
if (!adapted.ok) throw new Error("the generated match is broken");
const { facts, squad } = adapted.match;
const rules = ROSTER_RULES["modern"]!;
const rosters = new RandomRosters(squad, rules);
const random = seededRandom(1);

const node = await startNode(config);
const naive = openNaive(join(config.dataDir, "naive"));
const { name, sides, format, scoringRules } = facts;
const startMs = Date.now() + 86_400_000;
const match = await node.catalog.createMatch({ name, sides, format, scoringRules, startMs, rosterRules: "modern" });
await node.catalog.putSquad(match.id, squad);
const contest = await node.catalog.createContest({
  matchId: match.id,
  kind: "paid",
  name: "Bench",
  entryFeePaise: FEE,
  entriesMax: USERS * 2,
  entriesPerUserMax: 1,
  prizePoolPaise: paise(0),
  prizes: [],
  guaranteed: true,
  inviteCode: null,
});
naive.openContest(contest.id, USERS * 2);
const users: { id: UserId; token: string }[] = await Promise.all(
  Array.from({ length: USERS }, async (_, index) => {
    const user = { name: `bench-${index}`, role: "user", passwordHash: null, createdAtMs: 1 } as const;
    const made = await node.catalog.createUser(user);
    if (!made.ok) throw new Error("the name is taken");
    return { id: made.user.id, token: (await node.tokens.issue(made.user)).accessToken };
  }),
);
await node.ledger.transfer(
  users.map(({ id }) => ({
    txnId: `fund:${id}`,
    debit: gatewayAccount,
    credit: userAccount(id),
    amountPaise: FEE,
    kind: "deposit" as const,
    ref: "bench",
    atMs: 1,
  })),
);
for (const { id } of users) naive.fund(id, FEE);
// Verified tokens are cached by both; filling the cache is not what is measured.
for (const { token } of users) await node.tokens.caller(token);

// The naive server verifies the same tokens and validates the same rosters; only its storage differs. The bare one stores
// nothing: no design that answers over this HTTP server with this generator on the same cores gets beyond it.
const serveWith = (store: { save: typeof naive.save; join: typeof naive.join }) =>
  Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    async fetch(request) {
      const caller = await node.tokens.caller(request.headers.get("authorization")!.slice("Bearer ".length));
      if (typeof caller === "string") return new Response(caller, { status: 401 });
      const body = (await request.json()) as { teamNo: number; players: never[]; captain: never; viceCaptain: never };
      const entry = entryId(caller.userId, teamNo(body.teamNo));
      if (request.url.endsWith("/join")) {
        store.join(contest.id, entry, caller.userId, FEE);
        return Response.json({ entryId: entry });
      }
      const check = checkRoster(body, squad, rules);
      if (!check.ok) return Response.json(check.faults, { status: 400 });
      store.save(entry, match.id, Date.now(), check.roster);
      return Response.json({ entryId: entry });
    },
  });
const naiveServer = serveWith(naive);
const nothing = { changes: 0, lastInsertRowid: 0 };
const bareServer = serveWith({ save: () => nothing, join: () => undefined });

const drafts = Array.from({ length: 200 }, () => rosters.draw(random));
const rounds = Array.from({ length: SAVES_PER_USER }, (_, round) => round);
const saves: LoadRequest[] = rounds.flatMap((round) =>
  users.map(({ token }, index) => ({
    home: 0,
    path: "/v1/teams",
    token,
    body: JSON.stringify({ matchId: match.id, teamNo: round + 1, ...drafts[(index + round) % drafts.length]! }),
  })),
);
const joins: LoadRequest[] = users.map(({ token }) => ({
  home: 0,
  path: `/v1/contests/${contest.id}/join`,
  token,
  body: JSON.stringify({ teamNo: 1 }),
}));

const row = (what: string, who: string, { perSecond, p50Ms, p99Ms }: LoadResult) => {
  const rate = Math.round(perSecond).toString().padStart(7);
  console.log(`${what.padEnd(10)} ${who.padEnd(20)} ${rate}/s  p50 ${p50Ms.toFixed(1)} ms  p99 ${p99Ms.toFixed(1)} ms`);
};
for (const [what, requests] of [
  ["saves", saves],
  ["joins", joins],
] as const) {
  const ours = await runLoad({ urls: [node.url], width: WIDTH, requests });
  const theirs = await runLoad({ urls: [`http://127.0.0.1:${naiveServer.port}`], width: WIDTH, requests });
  const bare = await runLoad({ urls: [`http://127.0.0.1:${bareServer.port}`], width: WIDTH, requests });
  if ([ours, theirs, bare].some(({ failures }) => failures.length > 0))
    throw new Error(`${what}: some requests failed`);
  row(what, "powerplay", ours);
  row(what, "one commit each", theirs);
  row(what, "nothing stored", bare);
  console.log(`${what.padEnd(10)} ratio ${(ours.perSecond / theirs.perSecond).toFixed(1)} x`);
}
const teams = await Promise.all(users.map(({ id }) => node.game.teams.list(id, match.id)));
const oursStored = teams.reduce((sum, list) => sum + list.length, 0);
if (oursStored !== saves.length || naive.saveCount() !== saves.length) throw new Error("an acknowledged save is lost");
const entered = await node.catalog.entryCount(contest.id);
if (entered !== USERS || naive.entryCount() !== USERS) throw new Error("an acknowledged join is lost");

await Promise.all([naiveServer.stop(true), bareServer.stop(true)]);
naive.close();
await node.stop();
await rm(config.dataDir, { recursive: true, force: true });
