import { afterAll, beforeAll, expect, test } from "bun:test";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { testConfig } from "../config.ts";
import { RandomRosters } from "../demo/random-roster.ts";
import { gatewayAccount, userAccount } from "../domain/account.ts";
import type { ContestTerms } from "../domain/contest.ts";
import type { ContestId, MatchId } from "../domain/ids.ts";
import { teamNo, userId } from "../domain/ids.ts";
import { paise, rupees } from "../domain/money.ts";
import { seededRandom } from "../domain/random.ts";
import { ROSTER_RULES } from "../domain/roster.ts";
import { type Node, startNode } from "../main.ts";
import { adaptCricsheet } from "../stream/cricsheet.ts";
import { generateMatch } from "../stream/match-generator.ts";

/** Joins over the real HTTP server of a whole node, each request over a connection of its own. */

const directory = join(tmpdir(), `powerplay-${crypto.randomUUID()}`);
let node: Node;
let match: MatchId;

beforeAll(async () => {
  node = await startNode(testConfig(directory));
  const adapted = adaptCricsheet(generateMatch(1));
  if (!adapted.ok) throw new Error("the generated match is broken");
  const terms = {
    name: "A v B",
    sides: ["A", "B"],
    format: "T20",
    scoringRules: "base",
    rosterRules: "modern",
  } as const;
  match = (await node.catalog.createMatch({ ...terms, startMs: Date.now() + 86_400_000 })).id;
  await node.catalog.putSquad(match, adapted.match.squad);
  rosters = new RandomRosters(adapted.match.squad, ROSTER_RULES["modern"]!);
});

afterAll(async () => {
  await node.stop();
  await rm(directory, { recursive: true });
});

let rosters: RandomRosters;
const random = seededRandom(1);

async function newUser(name: string, balance = rupees(100)) {
  const made = await node.catalog.createUser({ name, role: "user", passwordHash: null, createdAtMs: 1 });
  if (!made.ok) throw new Error(made.refusal);
  const { id } = made.user;
  const body = { debit: gatewayAccount, credit: userAccount(id), kind: "deposit", ref: name, atMs: 1 } as const;
  if (balance > 0) await node.ledger.transfer([{ ...body, txnId: `gift:${name}`, amountPaise: balance }]);
  for (const team of [1, 2]) await node.game.teams.save(id, match, teamNo(team), rosters.draw(random));
  const { accessToken } = await node.tokens.issue(made.user);
  return { id, token: accessToken };
}

const newContest = (changes: Partial<ContestTerms> = {}) =>
  node.catalog.createContest({
    matchId: match,
    kind: "paid",
    name: "ten",
    entryFeePaise: rupees(10),
    entriesMax: 50,
    entriesPerUserMax: 2,
    prizePoolPaise: paise(0),
    prizes: [],
    guaranteed: true,
    inviteCode: null,
    ...changes,
  });

async function post(contest: ContestId, token: string, key: string | null, team = 1) {
  const response = await fetch(`${node.url}/v1/contests/${contest}/join`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${token}`,
      "content-type": "application/json",
      connection: "close",
      ...(key === null ? {} : { "idempotency-key": key }),
    },
    body: JSON.stringify({ teamNo: team }),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

const walletOf = async (user: number) => (await node.ledger.balances([userAccount(userId(user))]))[0]!;

test.each([
  ["a client's UUID", crypto.randomUUID()],
  ["no key, so that user, contest and team are the key", null],
])("two connections with %s at once: one debit, one entry, and the same answer", async (what, key) => {
  const user = await newUser(`ann-${what.length}`);
  const contest = await newContest();
  const answers = await Promise.all(Array.from({ length: 2 }, () => post(contest.id, user.token, key)));
  expect(answers.map(({ status }) => status)).toEqual([200, 200]);
  const entries = answers.map(({ body: { replayed: _replayed, ...entry } }) => entry);
  expect(entries[0]).toEqual(entries[1]!);
  expect(answers.map(({ body }) => body["replayed"]).toSorted()).toEqual([false, true]);
  expect(await walletOf(user.id)).toBe(rupees(90));
  expect(await node.catalog.entryCount(contest.id)).toBe(1);
  expect((await post(contest.id, user.token, key)).body).toEqual({ ...entries[0], replayed: true });
  expect(await walletOf(user.id)).toBe(rupees(90));
});

test("a key that comes again for another team is refused, and moves nothing", async () => {
  const user = await newUser("ben");
  const contest = await newContest();
  expect((await post(contest.id, user.token, "k", 1)).status).toBe(200);
  expect((await post(contest.id, user.token, "k", 2)).body["code"]).toBe("idempotency_key_reused");
  expect(await walletOf(user.id)).toBe(rupees(90));
});

test("thirty at once for ten seats: ten enter and are debited, twenty are refused and are not", async () => {
  const users = await Promise.all(Array.from({ length: 30 }, (_, index) => newUser(`crowd-${index}`)));
  const contest = await newContest({ entriesMax: 10, entriesPerUserMax: 1 });
  const answers = await Promise.all(users.map(({ token }) => post(contest.id, token, null)));
  const entered = answers.filter(({ status }) => status === 200);
  expect(entered).toHaveLength(10);
  expect(new Set(answers.filter(({ status }) => status !== 200).map(({ body }) => body["code"]))).toEqual(
    new Set(["contest_full"]),
  );
  const balances = await Promise.all(users.map(({ id }) => walletOf(id)));
  expect(balances).toEqual(answers.map(({ status }) => (status === 200 ? rupees(90) : rupees(100))));
  expect((await node.catalog.contest(contest.id))!.seatsTaken).toBe(10);
});

test("whoever can't pay leaves the seat to the next", async () => {
  const poor = await newUser("poor", paise(0));
  const rich = await newUser("rich");
  const contest = await newContest({ entriesMax: 2, entriesPerUserMax: 1, kind: "head_to_head" });
  expect((await post(contest.id, poor.token, null)).body["code"]).toBe("insufficient_funds");
  expect((await node.catalog.contest(contest.id))!.seatsTaken).toBe(0);
  expect((await post(contest.id, rich.token, null)).status).toBe(200);
});

test("what every night compares agrees in the running node", async () => {
  const report = await node.reconcile();
  expect(report.differences).toEqual([]);
  expect(report.checked.entries).toBeGreaterThan(0);
  expect(node.metrics.text()).toContain('powerplay_reconcile_runs_total{outcome="agreed"} 1');
});
