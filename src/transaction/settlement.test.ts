import { describe, expect, test } from "bun:test";
import { escrowAccount, gatewayAccount, houseAccount, prizeAccount, userAccount } from "../domain/account.ts";
import type { ContestTerms } from "../domain/contest.ts";
import { type EntryId, entryId, teamNo, userId } from "../domain/ids.ts";
import { paise } from "../domain/money.ts";
import type { Ledger } from "../stores/ledger/port.ts";
import { StoreUnavailable } from "../stores/unavailable.ts";
import { finalScoresOf } from "../testing/simulated-boards.ts";
import { openSimulatedCatalog } from "../testing/simulated-catalog.ts";
import { openSimulatedLedger } from "../testing/simulated-ledger.ts";
import { MatchCache } from "../stream/match-cache.ts";
import { JoinSagas } from "./join-saga.ts";
import type { FinalScores } from "./final-scores.ts";
import { Settlement } from "./settlement.ts";
import { aMatch } from "../testing/simulated-game.ts";

const entry = (user: number): EntryId => entryId(userId(user), teamNo(1));

/** Tie groups, best first, handed over in chunks of `chunkEntries`. */
const boardOf = (groups: readonly (readonly EntryId[])[], chunkEntries = 2): FinalScores =>
  finalScoresOf(
    groups
      .flatMap((group, index) => group.map((id) => ({ entryId: id, scoreQp: 1_000 - index })))
      .sort((a, b) => a.entryId - b.entryId),
    chunkEntries,
  );

/** A contest in which users 1 … n paid ₹10 each, of a match whose prizes may be released. */
async function played(userCount: number, terms: Partial<ContestTerms> = {}) {
  const catalog = openSimulatedCatalog();
  const ledger = openSimulatedLedger();
  const clock = { nowMs: () => 0 };
  const match = await catalog.createMatch(aMatch(1000));
  const contest = await catalog.createContest({
    matchId: match.id,
    kind: "paid",
    name: "ten",
    entryFeePaise: paise(1000),
    entriesMax: userCount,
    entriesPerUserMax: 1,
    prizePoolPaise: paise(4001),
    prizes: [
      { fromRank: 1, toRank: 1, amountPaise: paise(2000) },
      { fromRank: 2, toRank: 2, amountPaise: paise(1001) },
      { fromRank: 3, toRank: 3, amountPaise: paise(1000) },
    ],
    guaranteed: false,
    inviteCode: null,
    ...terms,
  });
  const sagas = new JoinSagas({
    catalog,
    ledger,
    matches: new MatchCache(catalog, { matchesMax: 10, ttlMs: 1 }),
    clock,
    teamExists: async () => true,
    termsMax: 10,
  });
  for (let user = 1; user <= userCount; user++) {
    await ledger.transfer([
      {
        txnId: `gift:${user}`,
        debit: gatewayAccount,
        credit: userAccount(userId(user)),
        amountPaise: paise(1000),
        kind: "deposit",
        ref: "",
        atMs: 0,
      },
    ]);
    await sagas.join(userId(user), contest.id, teamNo(1), { idempotencyKey: null, inviteCode: null });
  }
  const settlementOver = (over: Ledger = ledger) =>
    new Settlement({ catalog, ledger: over, clock, chunkPayments: 2, chunksInFlight: 2 });
  const release = async () => {
    await catalog.moveMatch(match.id, "upcoming", "locked");
    await catalog.moveMatch(match.id, "locked", "live");
    await catalog.moveMatch(match.id, "live", "review");
    await catalog.moveMatch(match.id, "review", "settled");
    await catalog.moveMatch(match.id, "settled", "released");
  };
  const wallets = () =>
    ledger.balances(Array.from({ length: userCount }, (_, index) => userAccount(userId(index + 1))));
  const rest = () => ledger.balances([escrowAccount(contest.id, 0), prizeAccount(contest.id), houseAccount]);
  return { ledger, contest, settlementOver, release, wallets, rest };
}

describe("settlement", () => {
  test("tied entries pool their positions, odd paise go by entry id, the margin goes to the house", async () => {
    const { contest, settlementOver, release, wallets, rest } = await played(5);
    await release();
    const board = boardOf([[entry(4)], [entry(1), entry(3), entry(5)], [entry(2)]]);
    expect(await settlementOver().settle(contest.id, board)).toEqual({
      ok: true,
      outcome: "settled",
      entryCount: 5,
      paidPaise: paise(4001),
    });
    expect(await wallets()).toEqual([667, 0, 667, 2000, 667].map(paise));
    expect(await rest()).toEqual([0, 0, 999].map(paise));
  });

  test("a guaranteed pool is topped up by the house, by exactly what the occupied ranks win", async () => {
    const { contest, settlementOver, release, wallets, rest } = await played(2, { guaranteed: true, entriesMax: 9 });
    await release();
    await settlementOver().settle(contest.id, boardOf([[entry(2)], [entry(1)]]));
    expect(await wallets()).toEqual([1001, 2000].map(paise));
    expect(await rest()).toEqual([0, 0, -1001].map(paise));
  });

  test("before the prizes are released nothing is paid", async () => {
    const { contest, settlementOver } = await played(3);
    const board = boardOf([[entry(1), entry(2), entry(3)]]);
    expect(await settlementOver().settle(contest.id, board)).toEqual({ ok: false, refusal: "match_not_released" });
  });

  test("a board that misses an entry pays nobody", async () => {
    const { contest, settlementOver, release, wallets } = await played(3);
    await release();
    const board = boardOf([[entry(1), entry(2)]]);
    expect(await settlementOver().settle(contest.id, board)).toEqual({ ok: false, refusal: "board_mismatch" });
    expect(await wallets()).toEqual([0, 0, 0].map(paise));
  });

  test("a contest that did not fill and is not guaranteed returns every fee", async () => {
    const { contest, settlementOver, release, wallets, rest } = await played(3, { entriesMax: 10 });
    await release();
    const end = await settlementOver().settle(contest.id, boardOf([[entry(1), entry(2), entry(3)]]));
    expect(end).toEqual({ ok: true, outcome: "refunded", entryCount: 3, paidPaise: paise(3000) });
    expect(await wallets()).toEqual([1000, 1000, 1000].map(paise));
    expect(await rest()).toEqual([0, 0, 0].map(paise));
  });

  test("a cancelled contest returns every fee once, however often it is asked, and is never paid", async () => {
    const { contest, settlementOver, release, wallets } = await played(4);
    const end = { ok: true, outcome: "refunded", entryCount: 4, paidPaise: paise(4000) } as const;
    expect(await settlementOver().cancel(contest.id)).toEqual(end);
    expect(await settlementOver().cancel(contest.id)).toEqual(end);
    await release();
    expect(await settlementOver().settle(contest.id, boardOf([[1, 2, 3, 4].map(entry)]))).toEqual(end);
    expect(await wallets()).toEqual([1000, 1000, 1000, 1000].map(paise));
  });

  test("once prizes are being paid it is too late to cancel", async () => {
    const { contest, settlementOver, release } = await played(3);
    await release();
    await settlementOver().settle(contest.id, boardOf([[entry(1)], [entry(2)], [entry(3)]]));
    expect(await settlementOver().cancel(contest.id)).toEqual({ ok: false, refusal: "already_settling" });
  });

  test.each([true, false])(
    "cut off after any call to the ledger (took effect: %p), it resumes to the same end",
    async (tookEffect) => {
      const board = boardOf([[entry(4)], [entry(1), entry(3), entry(5)], [entry(2)]]);
      for (let calls = 0; calls < 5; calls++) {
        const { contest, ledger, settlementOver, release, wallets, rest } = await played(5);
        await release();
        let left = calls;
        const cutOff = <Argument, Result>(call: (argument: Argument) => Promise<Result>) => {
          return async (argument: Argument) => {
            if (left-- > 0) return call(argument);
            if (tookEffect) await call(argument);
            throw new StoreUnavailable("Ledger", "cut off");
          };
        };
        const cut = settlementOver({
          ...ledger,
          transfer: cutOff(ledger.transfer),
          payEntries: cutOff(ledger.payEntries),
        });
        await cut.settle(contest.id, board).catch((error: unknown) => expect(error).toBeInstanceOf(StoreUnavailable));
        await settlementOver().settle(contest.id, board);
        expect(await wallets()).toEqual([667, 0, 667, 2000, 667].map(paise));
        expect(await rest()).toEqual([0, 0, 999].map(paise));
      }
    },
  );
});
