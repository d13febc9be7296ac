import { concurrently } from "../../src/demo/concurrently.ts";
import { gatewayAccount, userAccount } from "../../src/domain/account.ts";
import { assert } from "../../src/domain/assert.ts";
import { entryId, type EntryId, type MatchId, teamNo, type UserId, userOfEntry } from "../../src/domain/ids.ts";
import { paise } from "../../src/domain/money.ts";
import { forEachRecord, partitionsOf } from "../../src/stores/event-log/port.ts";
import type { Stores } from "../../src/stores/open.ts";
import { decodeTeamSave } from "../../src/stream/records.ts";
import { escrowStripes } from "../../src/transaction/escrow.ts";
import {
  type BenchUser,
  contestSizes,
  facts,
  FEE,
  type Joined,
  type Plan,
  RULES,
  squad,
  type Stage,
  type TeamSaved,
  tokens,
  WALLET,
} from "./workload.ts";

const UNDER_WAY = 256;
const FUND_BATCH = 500;
const PAGE_ENTRIES = 5_000;

/** The match, its contests, and users with money. */
export async function setStage({ catalog, ledger }: Stores, plan: Plan): Promise<Stage> {
  const { name, sides, format, scoringRules } = facts;
  const startMs = Date.now() + 86_400_000;
  const match = await catalog.createMatch({ name, sides, format, scoringRules, startMs, rosterRules: RULES });
  await catalog.putSquad(match.id, squad);
  const contestIds = [];
  for (const [contest, entriesMax] of contestSizes(plan).entries()) {
    const made = await catalog.createContest({
      matchId: match.id,
      kind: "paid",
      name: `Contest ${contest}`,
      entryFeePaise: FEE,
      entriesMax,
      entriesPerUserMax: 1,
      prizePoolPaise: paise(0),
      prizes: [],
      guaranteed: true,
      inviteCode: null,
    });
    contestIds.push(made.id);
  }
  const users: BenchUser[] = [];
  const names = Array.from({ length: plan.userCount }, (_, index) => `bench-${index}`);
  await concurrently(names, UNDER_WAY, async (userName) => {
    const made = await catalog.createUser({ name: userName, role: "user", passwordHash: null, createdAtMs: 1 });
    assert(made.ok, `${userName} is new`);
    users.push({ id: made.user.id, token: (await tokens.issue(made.user)).accessToken });
  });
  for (let from = 0; from < users.length; from += FUND_BATCH) {
    const results = await ledger.transfer(
      users.slice(from, from + FUND_BATCH).map(({ id }) => ({
        txnId: `fund:${id}`,
        debit: gatewayAccount,
        credit: userAccount(id),
        amountPaise: WALLET,
        kind: "deposit" as const,
        ref: "bench",
        atMs: 1,
      })),
    );
    assert(
      results.every(({ ok }) => ok),
      "everybody has money",
    );
  }
  return { matchId: match.id, contestIds, users };
}

/** Asks each store for what was acknowledged. The consumers have come to the log's end. */
export async function checkStores(
  stores: Stores,
  { matchId, contestIds, users }: Stage,
  saves: readonly TeamSaved[],
  joins: readonly Joined[],
): Promise<void> {
  const logged = await loggedSaves(stores, matchId);
  const byUser = Map.groupBy(saves, ({ userId }) => userId);
  for (const save of saves) {
    const found = logged.get(entryId(save.userId, teamNo(save.teamNo)));
    assert(found !== undefined && Bun.deepEquals(found, save.roster), "an acknowledged save is in the log");
  }
  await concurrently([...byUser], UNDER_WAY, async ([user, saved]) => {
    const teams = new Map((await stores.teamStore.teams(matchId, user)).map((team) => [team.entryId, team.roster]));
    for (const save of saved) {
      const found = teams.get(entryId(user, teamNo(save.teamNo)));
      assert(found !== undefined && Bun.deepEquals(found, save.roster), "an acknowledged save is in the team store");
    }
  });

  const joinedBy = new Map<UserId, number>();
  for (const { userId } of joins) joinedBy.set(userId, (joinedBy.get(userId) ?? 0) + 1);
  const joinsByContest = Map.groupBy(joins, ({ contestId }) => contestId);
  for (const contestId of contestIds) {
    const joined = joinsByContest.get(contestId) ?? [];
    const entered = new Set<UserId>();
    let after: EntryId | 0 = 0;
    for (;;) {
      const page = await stores.catalog.entriesOfContest(contestId, after, PAGE_ENTRIES);
      for (const entry of page) entered.add(userOfEntry(entry.entryId));
      if (page.length < PAGE_ENTRIES) break;
      after = page.at(-1)!.entryId;
    }
    const isWhole = entered.size === joined.length && joined.every(({ userId }) => entered.has(userId));
    assert(
      isWhole,
      `contest ${contestId} has the ${joined.length} entries that were acknowledged, not ${entered.size}`,
    );
    const contest = (await stores.catalog.contest(contestId))!;
    const escrow = await stores.ledger.balances(escrowStripes(contest));
    const held = escrow.reduce((sum, balance) => sum + balance, 0);
    assert(held === joined.length * FEE, `the escrow of contest ${contestId} holds the fees`);
  }
  const balances = await stores.ledger.balances(users.map(({ id }) => userAccount(id)));
  for (const [index, { id }] of users.entries()) {
    assert(balances[index] === WALLET - (joinedBy.get(id) ?? 0) * FEE, `user ${id} was debited once a join`);
  }
  const audit = await stores.ledger.audit();
  assert(audit.sumPaise === 0 && audit.differences.length === 0, "the ledger is sound");
}

/** The newest roster of each team. */
async function loggedSaves({ log }: Stores, match: MatchId): Promise<Map<EntryId, Uint8Array>> {
  const found = new Map<EntryId, Uint8Array>();
  for (const partition of partitionsOf("team-saves")) {
    const end = await log.endOffset("team-saves", partition);
    for (let at = 0; at < end;) {
      const batch = await log.read("team-saves", partition, at, 1 << 20, 1_000);
      forEachRecord(batch, (value) => {
        const save = decodeTeamSave(value);
        if (save.matchId === match) found.set(save.entryId, save.roster);
      });
      at = batch.firstOffset + batch.ends.length;
    }
  }
  return found;
}
