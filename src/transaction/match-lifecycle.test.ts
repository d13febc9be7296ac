import { expect, test } from "bun:test";
import { gatewayAccount, userAccount } from "../domain/account.ts";
import { type ContestId, entryId, teamNo, userId } from "../domain/ids.ts";
import { paise } from "../domain/money.ts";
import type { Ledger } from "../stores/ledger/port.ts";
import { StoreUnavailable } from "../stores/unavailable.ts";
import { finalScoresOf } from "../testing/simulated-boards.ts";
import { openSimulatedCatalog } from "../testing/simulated-catalog.ts";
import { openSimulatedLedger } from "../testing/simulated-ledger.ts";
import { MatchCache } from "../stream/match-cache.ts";
import { JoinSagas } from "./join-saga.ts";
import { MatchLifecycle } from "./match-lifecycle.ts";
import { Settlement } from "./settlement.ts";
import { aMatch } from "../testing/simulated-game.ts";

const USERS = [1, 2, 3].map(userId);
const clock = { nowMs: () => 0 };

/** Two contests of one match, each joined by three users for ₹10; the winner of either takes ₹27. */
async function played() {
  const catalog = openSimulatedCatalog();
  const ledger = openSimulatedLedger();
  const match = await catalog.createMatch(aMatch(1_000));
  for (const user of USERS) {
    const credit = userAccount(user);
    const body = {
      debit: gatewayAccount,
      credit,
      amountPaise: paise(2_000),
      kind: "deposit",
      ref: "",
      atMs: 0,
    } as const;
    await ledger.transfer([{ ...body, txnId: `gift:${user}` }]);
  }
  const sagas = new JoinSagas({
    catalog,
    ledger,
    matches: new MatchCache(catalog, { matchesMax: 10, ttlMs: 1 }),
    clock,
    teamExists: async () => true,
    termsMax: 10,
  });
  for (const name of ["one", "two"]) {
    const contest = await catalog.createContest({
      matchId: match.id,
      kind: "paid",
      name,
      entryFeePaise: paise(1_000),
      entriesMax: 3,
      entriesPerUserMax: 1,
      prizePoolPaise: paise(2_700),
      prizes: [{ fromRank: 1, toRank: 1, amountPaise: paise(2_700) }],
      guaranteed: false,
      inviteCode: null,
    });
    for (const user of USERS) await sagas.join(user, contest.id, teamNo(1), { idempotencyKey: null, inviteCode: null });
  }
  const ranking = USERS.map((user) => entryId(user, teamNo(1)));
  /** Contests whose scores miss an entry. */
  const incomplete = new Set<ContestId>();
  const lifecycleOver = (over: Ledger, closed: string[] = []) =>
    new MatchLifecycle({
      catalog,
      clock,
      scoringRules: new Set(["base"]),
      lock: async () => "locked",
      closePoints: async () => void closed.push("closed"),
      pointsSettled: async () => undefined,
      settlement: new Settlement({ catalog, ledger: over, clock, chunkPayments: 1, chunksInFlight: 1 }),
      finalScores: async ({ id }) =>
        finalScoresOf(
          ranking.slice(incomplete.has(id) ? 1 : 0).map((entry, index) => ({ entryId: entry, scoreQp: 100 - index })),
          2,
        ),
      onChange: () => undefined,
    });
  const review = async () => {
    await catalog.moveMatch(match.id, "upcoming", "locked");
    await catalog.moveMatch(match.id, "locked", "live");
    await catalog.moveMatch(match.id, "live", "review");
  };
  const wallets = () => ledger.balances(USERS.map(userAccount));
  return { catalog, ledger, match, review, wallets, incomplete, lifecycleOver, lifecycle: lifecycleOver(ledger) };
}

/** The ledger goes away after so many calls. */
function cutAfter(ledger: Ledger, calls: number): Ledger {
  let left = calls;
  const cut = <Argument, Result>(call: (argument: Argument) => Promise<Result>) => {
    return async (argument: Argument) => {
      if (left-- <= 0) throw new StoreUnavailable("Ledger", "cut off");
      return call(argument);
    };
  };
  return { ...ledger, transfer: cut(ledger.transfer), payEntries: cut(ledger.payEntries) };
}

test("prizes are released of an approved result alone, and only once their points are closed", async () => {
  const { lifecycleOver, ledger, match, review, wallets } = await played();
  const closed: string[] = [];
  const lifecycle = lifecycleOver(ledger, closed);
  await review();
  expect((await lifecycle.releasePrizes(match.id)).ok).toBe(false);
  expect(closed).toEqual([]);
  await lifecycle.approveResult(match.id);
  expect((await lifecycle.releasePrizes(match.id)).ok).toBe(true);
  expect(closed).toEqual(["closed"]);
  expect(await wallets()).toEqual([5_400, 0, 0].map(paise));
  expect((await lifecycle.abandonMatch(match.id)).ok).toBe(false);
});

test("a release that is cut off at any step is taken to its end by the resumption alone", async () => {
  for (let calls = 0; calls < 4; calls++) {
    const { catalog, ledger, lifecycle, lifecycleOver, match, review, wallets } = await played();
    await review();
    await lifecycle.approveResult(match.id);
    await expect(lifecycleOver(cutAfter(ledger, calls)).releasePrizes(match.id)).rejects.toThrow(StoreUnavailable);
    await lifecycle.resume(10);
    expect(await wallets()).toEqual([5_400, 0, 0].map(paise));
    expect(await catalog.contestsToEnd(10)).toEqual([]);
  }
});

test("an abandoned match that is cut off at any step is refunded by the resumption alone, exactly once", async () => {
  for (let calls = 0; calls < 6; calls++) {
    const { catalog, ledger, lifecycle, lifecycleOver, match, wallets } = await played();
    await expect(lifecycleOver(cutAfter(ledger, calls)).abandonMatch(match.id)).rejects.toThrow(StoreUnavailable);
    await lifecycle.resume(10);
    expect(await wallets()).toEqual([2_000, 2_000, 2_000].map(paise));
    expect(await catalog.contestsToEnd(10)).toEqual([]);
    await lifecycle.abandonMatch(match.id);
    expect(await wallets()).toEqual([2_000, 2_000, 2_000].map(paise));
  }
});

test("a contest that can't be settled yet is told of and keeps no other from its prizes", async () => {
  const { catalog, incomplete, lifecycle, match, review, wallets } = await played();
  await review();
  await lifecycle.approveResult(match.id);
  const [first] = await catalog.contests(match.id);
  incomplete.add(first!.id);
  const released = await lifecycle.releasePrizes(match.id);
  expect(released).toEqual({
    ok: false,
    refusal: "wrong_state",
    message: `contest ${first!.id} can't be settled: board_mismatch`,
  });
  expect(await wallets()).toEqual([2_700, 0, 0].map(paise));
  incomplete.clear();
  await lifecycle.resume(10);
  expect(await wallets()).toEqual([5_400, 0, 0].map(paise));
});

test("a cancelled contest of a match that goes on is resumed by itself", async () => {
  const { catalog, ledger, lifecycle, lifecycleOver, match, wallets } = await played();
  const [first] = await catalog.contests(match.id);
  await expect(lifecycleOver(cutAfter(ledger, 1)).cancelContest(first!.id)).rejects.toThrow(StoreUnavailable);
  await lifecycle.resume(10);
  expect((await catalog.contests(match.id)).map(({ state }) => state)).toEqual(["cancelled", "open"]);
  expect(await wallets()).toEqual([1_000, 1_000, 1_000].map(paise));
});
