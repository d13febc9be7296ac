import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { rm } from "node:fs/promises";
import { testConfig } from "../config.ts";
import { ApiClient } from "../demo/api-client.ts";
import { MatchInPlay, type Player } from "../demo/match-in-play.ts";
import type { Contest } from "../domain/contest.ts";
import { paise, rupees } from "../domain/money.ts";
import { qpToPoints } from "../domain/points.ts";
import {
  type Answer,
  checkRoster,
  PowerplayClient,
  ROSTER_RULES,
  type SessionTokens,
  verifyInclusion,
} from "./index.ts";

const config = testConfig();
let play: MatchInPlay;
let contest: Contest;
let secret: Contest;
let players: Player[];
let http: ApiClient;
let client: PowerplayClient;
const clients: PowerplayClient[] = [];

function connect(session: SessionTokens | null): PowerplayClient {
  const opened = new PowerplayClient({ url: play.node.socketUrl, session });
  clients.push(opened);
  opened.connect();
  return opened;
}

async function valueOf<T>(answer: Promise<Answer<T>>): Promise<T> {
  const settled = await answer;
  if (!settled.ok) throw new Error(`${settled.refusal.code}: ${settled.refusal.message}`);
  return settled.value;
}

async function codeOf(answer: Promise<Answer<unknown>>): Promise<string> {
  const settled = await answer;
  return settled.ok ? "done" : settled.refusal.code;
}

const bodyOf = async (path: string) => (await http.get(path)).body;

beforeAll(async () => {
  play = await MatchInPlay.open(config);
  contest = await play.openContest();
  secret = await play.openContest({ kind: "private", inviteCode: "sesame", name: "Friends" });
  players = [];
  for (let index = 0; index < 30; index++) players.push(await play.player(`player-${index}`, [contest]));
  http = new ApiClient(play.node.url, players[3]!.session.accessToken);
  client = connect(players[3]!.session);
});

afterAll(async () => {
  for (const opened of clients) opened.close();
  await play.node.stop();
  await rm(config.dataDir, { recursive: true, force: true });
});

describe("the socket answers what HTTP answers", () => {
  test("matches, squad and contests", async () => {
    const { matches } = await bodyOf("/v1/matches");
    expect(await valueOf(client.matches())).toEqual(matches);
    expect(await valueOf(client.match(play.matchId))).toEqual(matches[0]);
    expect(await valueOf(client.squad(play.matchId))).toEqual(await bodyOf(`/v1/matches/${play.matchId}/squad`));
    const { contests } = await bodyOf(`/v1/matches/${play.matchId}/contests`);
    expect(await valueOf(client.contests(play.matchId))).toEqual(contests);
    expect(contests).toHaveLength(1);
    expect(await codeOf(client.match(99 as never))).toBe("match_not_found");
  });

  test("teams: saved, checked offline by the same rules, refused by name", async () => {
    const draft = play.draft(77);
    const saved = await valueOf(client.saveTeam(play.matchId, 2, draft));
    expect(saved).toMatchObject({ matchId: play.matchId, teamNo: 2 });
    expect(await valueOf(client.teams(play.matchId))).toEqual(
      (await bodyOf(`/v1/matches/${play.matchId}/teams`)).teams,
    );
    const versions = await bodyOf(`/v1/matches/${play.matchId}/teams/2/versions`);
    expect(await valueOf(client.teamVersions(play.matchId, 2))).toEqual(versions.versions);

    const ten = { ...draft, players: draft.players.filter((id) => id === draft.captain || id === draft.viceCaptain) };
    const offline = checkRoster(ten, play.squad, ROSTER_RULES[play.match.rosterRules]!);
    const online = await client.saveTeam(play.matchId, 2, ten);
    if (offline.ok || online.ok) throw new Error("a team of two was taken");
    expect(online.refusal.code).toBe("roster_rules");
    expect(online.refusal.errors).toEqual(
      offline.faults.map(({ rule, field, message }) => ({ code: rule, field, message })),
    );
    const stranger = { ...draft, captain: "nobody" as never };
    expect(await codeOf(client.saveTeam(play.matchId, 2, stranger))).toBe("roster_rules");
    expect(await codeOf(client.saveTeam(play.matchId, 21, draft))).toBe("invalid_request");
  });

  test("joining: once for a key, with an invite code, refused by name", async () => {
    const joined = await valueOf(client.join(secret.id, 1, { inviteCode: "sesame", idempotencyKey: "k" }));
    expect(joined).toMatchObject({ contestId: secret.id, replayed: false });
    const again = await valueOf(client.join(secret.id, 1, { inviteCode: "sesame", idempotencyKey: "k" }));
    expect(again).toEqual({ ...joined, replayed: true });
    expect(await codeOf(client.join(secret.id, 2, { inviteCode: "please" }))).toBe("invite_code");
    expect(await codeOf(client.join(contest.id, 1))).toBe("already_joined");
    const { entries } = await bodyOf(`/v1/matches/${play.matchId}/entries`);
    expect(await valueOf(client.entries(play.matchId))).toEqual(entries);
    expect(entries).toHaveLength(2);
  });

  test("wallet: deposit paid in the sandbox, lines, withdrawal", async () => {
    const opened = await valueOf(client.deposit(rupees(50)));
    expect(opened).toMatchObject({ amountPaise: rupees(50), state: "created" });
    await fetch(`${play.node.sandboxUrl}/sandbox/orders/${opened.providerOrderId}/pay`, { method: "POST" });
    while ((await valueOf(client.balance())) === 0) await Bun.sleep(1);
    expect(await valueOf(client.depositOf(opened.orderId))).toEqual(
      await bodyOf(`/v1/wallet/deposits/${opened.orderId}`),
    );
    expect(await valueOf(client.balance())).toBe(rupees(50));
    const withdrawn = await valueOf(client.withdraw(rupees(20), "w"));
    expect(await valueOf(client.withdrawalOf(withdrawn.withdrawalId))).toMatchObject({ amountPaise: rupees(20) });
    const { lines } = await bodyOf("/v1/wallet/history");
    const shown = await valueOf(client.walletLines());
    expect(shown).toEqual(lines);
    const older = await valueOf(client.walletLines({ beforeSeq: shown[0]!.seq, limit: 1 }));
    expect(older).toEqual([shown[1]!]);
    expect(await codeOf(client.withdraw(rupees(900)))).toBe("rate_limited");
    expect(await codeOf(client.depositOf("nothing"))).toBe("not_found");
  });

  test("an admin's calls, and nobody else's", async () => {
    const admin = connect((await play.user("boss", "admin")).session);
    const terms = { ...play.match, startMs: play.clock.nowMs() + 1e6, name: "Another" };
    const made = await valueOf(admin.admin.createMatch(terms));
    expect(made).toMatchObject({ name: "Another", state: "upcoming" });
    expect(await valueOf(admin.admin.putSquad(made.id, play.squad))).toEqual(play.squad);
    const eleven = play.squad.players.slice(0, 11).map(({ id }) => id);
    const announced = await valueOf(admin.admin.announce(made.id, eleven));
    expect(announced.players.filter((player) => player.announced)).toHaveLength(11);
    const { id: _id, state: _state, seatsTaken: _seats, ...sameTerms } = contest;
    const shares = [
      { fromRank: 1, toRank: 1, shareBps: 6_000 },
      { fromRank: 2, toRank: 3, shareBps: 2_000 },
    ];
    const opened = await valueOf(admin.admin.createContest({ ...sameTerms, matchId: made.id, prizes: shares }));
    expect(opened).toMatchObject({ matchId: made.id, prizes: shares, prizePoolPaise: paise(100_000) });
    expect(await valueOf(admin.admin.cancelContest(opened.id))).toMatchObject({ state: "cancelled" });
    expect(await codeOf(admin.admin.lock(made.id))).toBe("wrong_state");
    expect(await codeOf(admin.admin.approve(made.id))).toBe("wrong_state");
    expect(await codeOf(admin.admin.end(made.id))).toBe("wrong_state");
    expect(await codeOf(admin.admin.release(made.id))).toBe("wrong_state");
    expect(await valueOf(admin.admin.abandon(made.id))).toMatchObject({ state: "abandoned" });
    expect(await codeOf(client.admin.lock(made.id))).toBe("admin_only");
  });

  test("boards, breakdowns, commentary, commitment and proof", async () => {
    expect(await codeOf(client.top(contest.id))).toBe("not_locked");
    await play.lock();
    await play.play(40);
    await play.settled();
    const { entry } = players[3]!;
    type JsonRow = { points: number };
    const rows = ({ rows, ...page }: { rows: readonly { scoreQp: number }[] }) => ({
      ...page,
      rows: rows.map(({ scoreQp, ...row }) => ({ ...row, points: qpToPoints(scoreQp) })),
    });
    const board = `/v1/contests/${contest.id}`;
    expect(rows(await valueOf(client.top(contest.id, 20)))).toEqual(await bodyOf(`${board}/leaderboard?top=20`));
    expect(rows(await valueOf(client.page(contest.id, 5, 7)))).toEqual(
      await bodyOf(`${board}/leaderboard?fromRank=5&count=7`),
    );
    expect(rows(await valueOf(client.mine(contest.id)))).toEqual(await bodyOf(`${board}/mine`));
    expect(rows(await valueOf(client.neighbours(contest.id, entry, 2)))).toEqual(
      await bodyOf(`${board}/neighbours?entryId=${entry}&radius=2`),
    );
    const history = await valueOf(client.rankHistory(contest.id, entry));
    expect(history.map(({ scoreQp, ...sample }) => ({ ...sample, points: qpToPoints(scoreQp) }))).toEqual(
      (await bodyOf(`${board}/rank-history?entryId=${entry}`)).samples,
    );
    const points = `/v1/matches/${play.matchId}`;
    const team = await valueOf(client.teamBreakdown(play.matchId, entry));
    const teamJson = await bodyOf(`${points}/points/teams/${entry}`);
    expect([qpToPoints(team.scoreQp), team.pointsVersion]).toEqual([teamJson.points, teamJson.pointsVersion]);
    expect(team.players.map(({ contributionQp }) => qpToPoints(contributionQp))).toEqual(
      teamJson.players.map(({ contribution }: { contribution: number }) => contribution),
    );
    expect(team.players.map(({ multiplier }) => multiplier).slice(0, 3)).toEqual(["captain", "vice_captain", "none"]);
    const best = play.squad.players[0]!.id;
    const player = await valueOf(client.playerBreakdown(play.matchId, best));
    const playerJson = await bodyOf(`${points}/points/players/${best}`);
    expect(qpToPoints(player.pointsQp)).toBe(playerJson.points);
    const shownReasons = (reasons: readonly { pointsQp: number }[]) =>
      reasons.map(({ pointsQp, ...line }) => ({ ...line, points: qpToPoints(pointsQp) }) as JsonRow);
    expect(shownReasons(player.reasons)).toEqual(playerJson.reasons);
    const commentary = await valueOf(client.commentary(play.matchId, 15));
    expect(commentary.map(({ reasons, ...line }) => ({ ...line, reasons: shownReasons(reasons) }))).toEqual(
      (await bodyOf(`${points}/commentary?count=15`)).lines,
    );
    expect(await valueOf(client.commitment(play.matchId))).toEqual(await bodyOf(`${points}/commitment`));
    expect(await valueOf(client.inclusionProof(play.matchId, entry))).toEqual(
      await bodyOf(`${points}/proofs/${entry}`),
    );
    const { rootHex } = await valueOf(client.commitment(play.matchId));
    const proof = await valueOf(client.inclusionProof(play.matchId, entry));
    expect(await verifyInclusion(proof, rootHex)).toBe(true);
    expect(await verifyInclusion({ ...proof, leafIndex: proof.leafIndex + 1 }, rootHex)).toBe(false);
  });
});

describe("sessions", () => {
  test("register, log in, log out: the client tells, and calls follow", async () => {
    const visitor = connect(null);
    const told: (number | null)[] = [];
    visitor.onSession((session) => told.push(session?.userId ?? null));
    expect(await codeOf(visitor.balance())).toBe("token_missing");
    const registered = await valueOf(visitor.register("meera", "a-long-password"));
    expect(await valueOf(visitor.balance())).toBe(paise(0));
    visitor.logOut();
    expect(await codeOf(visitor.balance())).toBe("token_missing");
    expect(await codeOf(visitor.logIn("meera", "a-wrong-password"))).toBe("bad_credentials");
    await valueOf(visitor.logIn("meera", "a-long-password"));
    expect(told).toEqual([registered.userId, null, registered.userId]);
    expect(await codeOf(visitor.register("meera", "another-password"))).toBe("name_taken");
  });

  test("a session that ends while connected is renewed, and the call that noticed is done", async () => {
    const { session } = await play.user("renewed");
    const opened = connect(session);
    expect(await valueOf(opened.balance())).toBe(paise(0));
    play.clock.advanceTo(session.accessExpiresAtMs);
    const states: string[] = [];
    opened.onState((state) => states.push(state));
    expect(await valueOf(opened.balance())).toBe(paise(0));
    expect(opened.session!.accessToken).not.toBe(session.accessToken);
    expect(states).toEqual([]);
  });

  test("a visitor who comes back with an old access token is let in by the refresh token", async () => {
    const { session } = await play.user("returning");
    play.clock.advanceTo(session.accessExpiresAtMs);
    const opened = connect(session);
    expect(await valueOf(opened.balance())).toBe(paise(0));
    expect(opened.session!.accessExpiresAtMs).toBeGreaterThan(session.accessExpiresAtMs);
  });
});

test("calls of a client that was closed, or never connected, are answered so", async () => {
  const idle = new PowerplayClient({ url: play.node.socketUrl });
  expect(await codeOf(idle.matches())).toBe("closed");
  const opened = connect(null);
  const underWay = opened.matches();
  opened.close();
  expect(await codeOf(underWay)).toBe("closed");
});
