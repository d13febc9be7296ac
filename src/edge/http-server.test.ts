import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { rm } from "node:fs/promises";
import { testConfig } from "../config.ts";
import { type ApiAnswer, ApiClient } from "../demo/api-client.ts";
import { DemoClock } from "../demo/demo-clock.ts";
import { RandomRosters } from "../demo/random-roster.ts";
import { seededRandom } from "../domain/random.ts";
import { ROSTER_RULES } from "../domain/roster.ts";
import { type Node, startNode } from "../main.ts";
import { adaptCricsheet } from "../stream/cricsheet.ts";
import { generateMatch } from "../stream/match-generator.ts";
import { signFeed } from "./feed-signature.ts";
import { edgeLimits } from "./limits.ts";
import { ROUTES } from "./router.ts";

const config = testConfig();
const clock = new DemoClock();
const adapted = adaptCricsheet(generateMatch(5));
if (!adapted.ok) throw new Error("the generated match is broken");
const game = adapted.match;
const playing = new Set(game.startingXi);
const squad = {
  players: game.squad.players.map((player) => ({ ...player, announced: playing.has(player.id) })),
};
const draft = new RandomRosters(squad, ROSTER_RULES["modern"]!).draw(seededRandom(1));

let node: Node;
let anonymous: ApiClient;
let admin: ApiClient;
let matchId: number;
let users = 0;

async function newUser(): Promise<ApiClient> {
  const user = { name: `user-${++users}`, role: "user", passwordHash: null, createdAtMs: 1 } as const;
  const made = await node.catalog.createUser(user);
  if (!made.ok) throw new Error("the name is taken");
  return anonymous.as((await node.tokens.issue(made.user)).accessToken);
}

const contestTerms = (change: object = {}) => ({
  matchId,
  kind: "free",
  name: "Free",
  entryFeePaise: 0,
  entriesMax: 3,
  entriesPerUserMax: 1,
  prizePoolPaise: 0,
  prizes: [],
  guaranteed: true,
  ...change,
});

const matchBody = (change: object = {}) => {
  const { name, sides, format, scoringRules } = game.facts;
  return { name, sides, format, scoringRules, rosterRules: "modern", startMs: clock.nowMs() + 3_600_000, ...change };
};

beforeAll(async () => {
  node = await startNode(config, { clock });
  anonymous = new ApiClient(node.url);
  const user = { name: "boss", role: "admin", passwordHash: null, createdAtMs: 1 } as const;
  const made = await node.catalog.createUser(user);
  if (!made.ok) throw new Error("the name is taken");
  admin = anonymous.as((await node.tokens.issue(made.user)).accessToken);
  matchId = (await admin.post("/v1/admin/matches", matchBody())).body.id;
  await admin.put(`/v1/admin/matches/${matchId}/squad`, squad);
});

afterAll(async () => {
  await node.stop();
  await rm(config.dataDir, { recursive: true, force: true });
});

const codeOf = ({ status, body }: ApiAnswer) => [status, body?.code];
const team = (change: object = {}) => ({ matchId, teamNo: 1, ...draft, ...change });

test("a saved team is listed at once, with every version", async () => {
  const user = await newUser();
  const first = await user.post("/v1/teams", team());
  expect(first.status).toBe(200);
  const other = { captain: draft.viceCaptain, viceCaptain: draft.captain };
  const second = await user.post("/v1/teams", team(other));
  expect(second.body.version).toBeGreaterThan(first.body.version);
  const { teams } = (await user.get(`/v1/matches/${matchId}/teams`)).body;
  expect(teams).toHaveLength(1);
  expect(teams[0]).toMatchObject({ teamNo: 1, version: second.body.version, ...other });
  const { versions } = (await user.get(`/v1/matches/${matchId}/teams/1/versions`)).body;
  expect(versions.map(({ version }: { version: number }) => version)).toEqual([
    first.body.version,
    second.body.version,
  ]);
});

describe("bad input gets a clear error that names the field", () => {
  const twelve = () => [...draft.players, squad.players.find(({ id }) => !draft.players.includes(id))!.id];
  test.each<[string, () => object, string, string]>([
    ["12 players", () => team({ players: twelve() }), "roster_rules", "players"],
    ["an unknown player", () => team({ players: ["nobody", ...draft.players.slice(1)] }), "roster_rules", "players"],
    ["two captains in one", () => team({ viceCaptain: draft.captain }), "roster_rules", "viceCaptain"],
    ["a list of captains", () => team({ captain: [draft.captain, draft.viceCaptain] }), "invalid_request", "captain"],
    ["a number as text", () => team({ teamNo: "1" }), "invalid_request", "teamNo"],
    ["team 21", () => team({ teamNo: 21 }), "invalid_request", "teamNo"],
    ["an unknown field", () => team({ bonus: 1 }), "invalid_request", "bonus"],
    ["no captain", () => team({ captain: undefined }), "invalid_request", "captain"],
    ["a huge text", () => team({ captain: "x".repeat(10_000) }), "invalid_request", "captain"],
  ])("%s", async (_name, body, code, field) => {
    const answer = await (await newUser()).post("/v1/teams", body());
    expect(codeOf(answer)).toEqual([400, code]);
    expect(answer.body.errors.map((error: { field: string }) => error.field)).toContain(field);
  });

  test.each<[string, number, number, string]>([
    ["a negative amount", -5, 400, "invalid_request"],
    ["nothing", 0, 400, "invalid_request"],
    ["half a paisa", 1.5, 400, "invalid_request"],
    ["too much", 2 ** 50, 400, "amount_out_of_range"],
  ])("a deposit of %s", async (_name, amountPaise, status, code) => {
    expect(codeOf(await (await newUser()).post("/v1/wallet/deposits", { amountPaise }))).toEqual([status, code]);
  });

  const raw = async (body: BodyInit, headers: Record<string, string> = { "content-type": "application/json" }) => {
    const response = await fetch(`${node.url}/v1/sessions`, { method: "POST", body, headers });
    return { status: response.status, body: await response.json(), type: response.headers.get("content-type") };
  };
  test.each<[string, BodyInit, Record<string, string> | undefined, number, string]>([
    ["malformed JSON", '{"name": ', undefined, 400, "malformed_json"],
    ["bytes that are not UTF-8", new Uint8Array([0x22, 0xff, 0x22]), undefined, 400, "invalid_utf8"],
    ["an oversized body", `"${"x".repeat(edgeLimits.bodyBytesMax)}"`, undefined, 413, "body_too_large"],
    ["another content type", "{}", { "content-type": "text/plain" }, 415, "unsupported_media_type"],
    ["a prototype", '{"__proto__": {"role": "admin"}}', undefined, 400, "invalid_request"],
  ])("%s", async (_name, body, headers, status, code) => {
    const answer = await raw(body, headers);
    expect(codeOf(answer)).toEqual([status, code]);
    expect(answer.type).toBe("application/problem+json");
  });

  test("a match that starts in the past, or with rules that nobody published", async () => {
    expect((await admin.post("/v1/admin/matches", matchBody({ startMs: 1 }))).body.detail).toStartWith("startMs");
    const odd = await admin.post("/v1/admin/matches", matchBody({ scoringRules: "t20-1066" }));
    expect(odd.body.detail).toStartWith("scoringRules");
  });

  test("a contest whose prizes are not its pool", async () => {
    const answer = await admin.post("/v1/admin/contests", contestTerms({ prizePoolPaise: 5 }));
    expect(answer.body.detail).toContain("prizes: the amounts sum to 0 paise, the pool is 5");
  });

  test("random bodies never break a route", async () => {
    const random = seededRandom(4);
    const user = await newUser();
    const values = [null, 0, -1, 1e300, "", "x", [], {}, [[]], true, "\u0000", { a: 1 }];
    for (const { method, path } of ROUTES.filter((route) => route.method !== "GET")) {
      const url = path.replaceAll(/\{\w+\}/g, () => String(random.pick([0, 1, "x", -1, 9e15])));
      for (let round = 0; round < 6; round++) {
        const keys = ["matchId", "teamNo", "players", "captain", "amountPaise", "name", "password", "refreshToken"];
        const body = random.chance(0.2)
          ? random.pick(values)
          : Object.fromEntries(keys.map((key) => [key, random.pick(values)]));
        const client = random.chance(0.5) ? admin : user;
        const answer = method === "PUT" ? await client.put(url, body) : await client.post(url, body);
        expect([path, answer.status >= 400 && answer.status < 500]).toEqual([path, true]);
      }
    }
  });
});

describe("who may call", () => {
  test("every route says what it needs", async () => {
    const user = await newUser();
    for (const { method, path, auth } of ROUTES) {
      const url = path.replaceAll(/\{\w+\}/g, "1");
      const call = (client: ApiClient) =>
        method === "GET" ? client.get(url) : method === "PUT" ? client.put(url, {}) : client.post(url, {});
      if (auth !== "none") expect(codeOf(await call(anonymous))).toEqual([401, "token_missing"]);
      if (auth === "admin") expect(codeOf(await call(user))).toEqual([403, "admin_only"]);
    }
  });

  test.each([
    ["garbage", "garbage"],
    [
      "no algorithm",
      `${btoa('{"alg":"none","typ":"at+jwt"}')}.${btoa('{"sub":"1","role":"admin","exp":9999999999}')}.`,
    ],
  ])("a token that is %s opens nothing", async (_name, token) => {
    expect(codeOf(await anonymous.as(token).get("/v1/wallet"))).toEqual([401, "token_invalid"]);
  });

  test("a password opens a session, and a refresh token a new one; neither token does the other's work", async () => {
    const credentials = { name: "meera", password: "a-long-password" };
    const registered = await anonymous.post("/v1/users", credentials);
    expect(registered.status).toBe(201);
    expect(codeOf(await anonymous.post("/v1/users", credentials))).toEqual([409, "name_taken"]);
    const wrong = { ...credentials, password: "another-password" };
    expect(codeOf(await anonymous.post("/v1/sessions", wrong))).toEqual([401, "bad_credentials"]);
    const { accessToken, refreshToken } = (await anonymous.post("/v1/sessions", credentials)).body;
    expect((await anonymous.as(accessToken).get("/v1/wallet")).body).toEqual({ balancePaise: 0 });
    expect(codeOf(await anonymous.as(refreshToken).get("/v1/wallet"))).toEqual([401, "token_invalid"]);
    const renewed = await anonymous.post("/v1/sessions/refresh", { refreshToken });
    expect((await anonymous.as(renewed.body.accessToken).get("/v1/wallet")).status).toBe(200);
  });
});

describe("joining", () => {
  test("refusals have their codes, and the same key answers the same entry", async () => {
    const [one, two, three, four] = await Promise.all([newUser(), newUser(), newUser(), newUser()]);
    for (const user of [one, two, three, four]) await user!.post("/v1/teams", team());
    const { id } = (await admin.post("/v1/admin/contests", contestTerms({ entriesMax: 2 }))).body;
    const join = (user: ApiClient, key: string, teamNo = 1) =>
      user.post(`/v1/contests/${id}/join`, { teamNo }, { "idempotency-key": key });
    const first = await join(one!, "k");
    expect(first.body).toMatchObject({ contestId: id, replayed: false });
    expect((await join(one!, "k")).body).toEqual({ ...first.body, replayed: true });
    expect(codeOf(await join(one!, "k2"))).toEqual([409, "already_joined"]);
    expect(codeOf(await join(two!, "k", 2))).toEqual([409, "team_missing"]);
    expect((await join(two!, "k")).status).toBe(200);
    expect(codeOf(await join(three!, "k"))).toEqual([409, "contest_full"]);
    expect(codeOf(await one!.post("/v1/contests/999/join", { teamNo: 1 }))).toEqual([404, "contest_not_found"]);
    const fee = { kind: "paid", entryFeePaise: 100, guaranteed: false };
    const paid = (await admin.post("/v1/admin/contests", contestTerms(fee))).body;
    expect(codeOf(await four!.post(`/v1/contests/${paid.id}/join`, { teamNo: 1 }))).toEqual([
      402,
      "insufficient_funds",
    ]);
    const secret = { kind: "private", inviteCode: "sesame" };
    const friends = (await admin.post("/v1/admin/contests", contestTerms(secret))).body;
    const knock = (inviteCode: string) => four!.post(`/v1/contests/${friends.id}/join`, { teamNo: 1, inviteCode });
    expect(codeOf(await knock("please"))).toEqual([403, "invite_code"]);
    expect((await knock("sesame")).status).toBe(200);
    const listed = (await anonymous.get(`/v1/matches/${matchId}/contests`)).body.contests;
    expect(listed.map((contest: { id: number }) => contest.id)).not.toContain(friends.id);
  });
});

describe("the feed", () => {
  const ball = game.events.find((event) => event.type === "ball")!;
  const post = async (body: string, headers: Record<string, string>) => {
    const response = await fetch(`${node.url}/v1/scores/${matchId}/event`, { method: "POST", body, headers });
    return { status: response.status, body: await response.json() };
  };
  const signed = (body: string, atMs = clock.nowMs(), secret = config.secrets.feed) => ({
    ...signFeed(secret, atMs, body),
  });
  const body = JSON.stringify(ball);

  test.each<[string, () => Record<string, string>, string]>([
    ["no signature", () => ({}), "signature_missing"],
    ["another secret", () => signed(body, clock.nowMs(), "another"), "signature_invalid"],
    ["a signature of another body", () => signed("{}"), "signature_invalid"],
    [
      "an old timestamp",
      () => signed(body, clock.nowMs() - edgeLimits.feedReplayWindowMs - 1),
      "timestamp_outside_window",
    ],
    [
      "a timestamp of the future",
      () => signed(body, clock.nowMs() + edgeLimits.feedReplayWindowMs + 1_000),
      "timestamp_outside_window",
    ],
  ])("%s is refused with 401", async (_name, headers, code) => {
    expect(codeOf(await post(body, headers()))).toEqual([401, code]);
  });

  test("before the lock a ball is too early; a wrong one names its field", async () => {
    expect(codeOf(await post(body, signed(body)))).toEqual([409, "match_not_locked"]);
    const wrong = JSON.stringify({ ...ball, over: -1 });
    const answer = await post(wrong, signed(wrong));
    expect(codeOf(answer)).toEqual([400, "invalid_feed_event"]);
    expect(answer.body.errors[0].field).toBe("over");
  });
});

test("too many saves in a second are told when to come back", async () => {
  const user = await newUser();
  const answers = await Promise.all(Array.from({ length: 30 }, () => user.post("/v1/teams", team())));
  const refused = answers.filter(({ status }) => status === 429);
  expect(refused.length).toBeGreaterThan(0);
  expect(refused.every(({ body }) => body.code === "rate_limited")).toBe(true);
  expect(answers.filter(({ status }) => status === 200).length).toBeGreaterThanOrEqual(10);
});

test("the OpenAPI document has every route, and unknown paths and methods are problems", async () => {
  const { body } = await anonymous.get("/openapi.json");
  expect(body.openapi).toBe("3.1.0");
  for (const { path, method } of ROUTES) expect(body.paths[path]).toHaveProperty(method.toLowerCase());
  expect(body.components.schemas.FeedEvent).toBeDefined();
  expect(codeOf(await anonymous.get("/v1/nowhere"))).toEqual([404, "route_not_found"]);
  expect(codeOf(await anonymous.get("/v1/teams"))).toEqual([405, "method_not_allowed"]);
});

test("a squad may be kept for a minute by caches", async () => {
  const response = await fetch(`${node.url}/v1/matches/${matchId}/squad`);
  expect(response.headers.get("cache-control")).toBe("public, max-age=60");
});

test("at the deadline saves and joins are refused on server time", async () => {
  const user = await newUser();
  await user.post("/v1/teams", team());
  const { id } = (await admin.post("/v1/admin/contests", contestTerms())).body;
  clock.advanceTo(clock.nowMs() + 3_600_000);
  expect(codeOf(await user.get("/v1/wallet"))).toEqual([401, "token_expired"]);
  const fresh = await newUser();
  expect(codeOf(await fresh.post("/v1/teams", team()))).toEqual([423, "match_started"]);
  const late = await node.game.joins.join(1 as never, id, 1 as never, { idempotencyKey: null, inviteCode: null });
  expect(late).toEqual({ ok: false, refusal: "match_started" });
});
