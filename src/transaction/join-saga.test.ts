import { describe, expect, test } from "bun:test";
import { userAccount } from "../domain/account.ts";
import type { ContestTerms } from "../domain/contest.ts";
import { entryId, teamNo, type UserId, userId } from "../domain/ids.ts";
import { type Paise, paise } from "../domain/money.ts";
import type { Catalog } from "../stores/catalog/port.ts";
import type { Ledger } from "../stores/ledger/port.ts";
import { StoreUnavailable } from "../stores/unavailable.ts";
import { openSimulatedCatalog } from "../testing/simulated-catalog.ts";
import { openSimulatedLedger } from "../testing/simulated-ledger.ts";
import { MatchCache } from "../stream/match-cache.ts";
import { JoinSagas } from "./join-saga.ts";
import { JoinRecovery } from "./recovery.ts";
import { aMatch } from "../testing/simulated-game.ts";

const START_MS = 1_000_000;
const ann = userId(1);
const ben = userId(2);
const T1 = teamNo(1);
const T2 = teamNo(2);
const NO_OPTIONS = { idempotencyKey: null, inviteCode: null };

async function playground(terms: Partial<ContestTerms> = {}) {
  const catalog = openSimulatedCatalog();
  const ledger = openSimulatedLedger();
  const clock = { ms: START_MS - 60_000, nowMs: () => clock.ms };
  const match = await catalog.createMatch(aMatch(START_MS));
  const contest = await catalog.createContest({
    matchId: match.id,
    kind: "paid",
    name: "ten",
    entryFeePaise: paise(1000),
    entriesMax: 2,
    entriesPerUserMax: 1,
    prizePoolPaise: paise(1800),
    prizes: [{ fromRank: 1, toRank: 1, amountPaise: paise(1800) }],
    guaranteed: false,
    inviteCode: null,
    ...terms,
  });
  const sagasOver = (stores: { catalog?: Catalog; ledger?: Ledger } = {}) =>
    new JoinSagas({
      catalog: stores.catalog ?? catalog,
      ledger: stores.ledger ?? ledger,
      matches: new MatchCache(catalog, { matchesMax: 10, ttlMs: 1 }),
      clock,
      teamExists: async (_, __, team) => team !== teamNo(9),
      termsMax: 10,
    });
  const sagas = sagasOver();
  const recovery = new JoinRecovery({ catalog, sagas, clock, abandonedAfterMs: 1000, batchSagas: 100 });
  const fund = (user: UserId, amountPaise: Paise, txnId = `gift:${user}`) =>
    ledger.transfer([
      {
        txnId,
        debit: "gateway" as ReturnType<typeof userAccount>,
        credit: userAccount(user),
        amountPaise,
        kind: "deposit",
        ref: "",
        atMs: 0,
      },
    ]);
  const balance = async (user: UserId) => (await ledger.balances([userAccount(user)]))[0]!;
  await fund(ann, paise(5000));
  return { catalog, ledger, clock, match, contest, sagas, sagasOver, recovery, fund, balance };
}

/** The call takes effect and its answer is lost. */
const lose =
  <Args extends unknown[], T>(call: (...args: Args) => Promise<T>) =>
  async (...args: Args): Promise<T> => {
    await call(...args);
    throw new StoreUnavailable("Catalog", "answer lost");
  };

describe("join saga", () => {
  test("a join takes the fee into escrow, makes the entry and its announcement", async () => {
    const { sagas, contest, match, catalog, balance } = await playground();
    const result = await sagas.join(ann, contest.id, T1, NO_OPTIONS);
    expect(result).toMatchObject({ ok: true, replayed: false, entry: { entryId: entryId(ann, T1), feePaise: 1000 } });
    expect(await balance(ann)).toBe(paise(4000));
    expect(await catalog.outboxCount(match.id)).toBe(1);
    expect(await catalog.reservedJoinCount(match.id)).toBe(0);
  });

  test("the same key twice at once is one debit and the same answer", async () => {
    const { sagas, sagasOver, contest, balance, catalog } = await playground();
    const options = { idempotencyKey: "k", inviteCode: null };
    const [one, two] = await Promise.all([
      sagas.join(ann, contest.id, T1, options),
      sagasOver().join(ann, contest.id, T1, options),
    ]);
    expect(one.ok && two.ok).toBe(true);
    expect(one.ok && one.entry).toEqual(two.ok ? two.entry : (null as never));
    expect(await balance(ann)).toBe(paise(4000));
    expect(await catalog.entryCount(contest.id)).toBe(1);
  });

  test("without a key, asking again for the same contest and team is the same request", async () => {
    const { sagas, contest, balance } = await playground();
    await sagas.join(ann, contest.id, T1, NO_OPTIONS);
    expect(await sagas.join(ann, contest.id, T1, NO_OPTIONS)).toMatchObject({ ok: true, replayed: true });
    expect(await balance(ann)).toBe(paise(4000));
  });

  test("refusals come in their fixed order, and leave nothing", async () => {
    const { sagas, contest, clock, catalog, ledger, fund } = await playground({ inviteCode: "xyz", kind: "private" });
    const invited = { idempotencyKey: null, inviteCode: "xyz" };
    const join = async (user: UserId, team: number, options: Parameters<typeof sagas.join>[3]) => {
      const result = await sagas.join(user, contest.id, teamNo(team), options);
      return result.ok ? "ok" : result.refusal;
    };
    expect(await join(ann, 9, { idempotencyKey: null, inviteCode: "guess" })).toBe("invite_code");
    expect(await join(ann, 9, invited)).toBe("team_missing");
    expect(await join(ann, 1, { ...invited, idempotencyKey: "k" })).toBe("ok");
    expect(await join(ann, 2, { ...invited, idempotencyKey: "k" })).toBe("idempotency_key_reused");
    expect(await join(ann, 1, { ...invited, idempotencyKey: "k2" })).toBe("already_joined");
    expect(await join(ann, 2, invited)).toBe("entry_limit");
    expect(await join(ben, 1, invited)).toBe("insufficient_funds");
    expect((await catalog.contest(contest.id))!.seatsTaken).toBe(1);
    await fund(ben, paise(1000));
    expect(await join(ben, 1, invited)).toBe("ok");
    expect(await join(userId(3), 1, invited)).toBe("contest_full");
    clock.ms = START_MS;
    expect(await join(userId(3), 1, invited)).toBe("match_started");
    expect(await join(ben, 1, invited)).toBe("ok");
    expect((await ledger.audit()).sumPaise).toBe(paise(0));
  });

  test("a debit that was refused can never happen afterwards, whoever asks for it", async () => {
    const { contest, catalog, ledger, sagasOver, fund, balance } = await playground();
    let late: (() => Promise<unknown>) | null = null;
    const sagas = sagasOver({
      ledger: {
        ...ledger,
        transfer(batch) {
          late ??= () => ledger.transfer(batch);
          return ledger.transfer(batch);
        },
      },
    });
    expect(await sagas.join(ben, contest.id, T1, NO_OPTIONS)).toEqual({ ok: false, refusal: "insufficient_funds" });
    await fund(ben, paise(1000));
    // The network delivers a second copy of the first debit.
    await late!();
    expect(await balance(ben)).toBe(paise(1000));
    expect((await catalog.contest(contest.id))!.seatsTaken).toBe(0);
    expect(await sagasOver().join(ben, contest.id, T1, NO_OPTIONS)).toMatchObject({ ok: true });
    expect(await balance(ben)).toBe(paise(0));
  });

  test("a contest that closes between debit and entry refunds and frees the seat", async () => {
    const { contest, catalog, ledger, sagasOver, balance } = await playground();
    const sagas = sagasOver({
      ledger: {
        ...ledger,
        async transfer(batch) {
          const results = await ledger.transfer(batch);
          await catalog.moveContest(contest.id, "open", "cancelling");
          return results;
        },
      },
    });
    expect(await sagas.join(ann, contest.id, T1, NO_OPTIONS)).toEqual({ ok: false, refusal: "contest_not_open" });
    expect(await balance(ann)).toBe(paise(5000));
    expect((await catalog.contest(contest.id))!.seatsTaken).toBe(0);
  });

  test.each(["beginJoin", "confirmJoin", "transfer"] as const)(
    "when the store goes away after %s took effect, the recovery finishes the join",
    async (step) => {
      const { contest, match, catalog, ledger, sagasOver, clock, recovery, balance } = await playground();
      const sagas = sagasOver({
        catalog: step === "transfer" ? catalog : { ...catalog, [step]: lose(catalog[step] as () => Promise<unknown>) },
        ledger: step === "transfer" ? { ...ledger, transfer: lose(ledger.transfer) } : ledger,
      });
      expect(sagas.join(ann, contest.id, T1, NO_OPTIONS)).rejects.toThrow(StoreUnavailable);
      await Promise.resolve();
      clock.ms += 5000;
      await recovery.sweep();
      expect(await catalog.reservedJoinCount(match.id)).toBe(0);
      expect(await catalog.entryCount(contest.id)).toBe(1);
      expect(await balance(ann)).toBe(paise(4000));
    },
  );

  test("a free contest asks nothing of the ledger", async () => {
    const { contest, sagasOver, ledger } = await playground({
      kind: "free",
      entryFeePaise: paise(0),
      prizePoolPaise: paise(0),
      prizes: [],
    });
    const sagas = sagasOver({ ledger: { ...ledger, transfer: () => Promise.reject(new Error("asked")) } });
    expect(await sagas.join(ben, contest.id, T2, NO_OPTIONS)).toMatchObject({ ok: true });
  });
});
