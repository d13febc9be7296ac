import { describe, expect } from "bun:test";
import type { ContestTerms } from "../../domain/contest.ts";
import {
  type ContestId,
  contestId,
  entryId,
  type MatchId,
  matchId,
  playerId,
  teamNo,
  type UserId,
  userId,
} from "../../domain/ids.ts";
import type { Match } from "../../domain/match.ts";
import { paise } from "../../domain/money.ts";
import type { Squad } from "../../domain/squad.ts";
import { type OpenStore, testsWith } from "../contract.ts";
import { joinModelTest } from "./contract-model.ts";
import type { Catalog, Entry, JoinRequest, JoinSaga } from "./port.ts";

const NOW_MS = 1_780_000_000_000;

const aMatch: Omit<Match, "id" | "state"> = {
  name: "Chennai v Mumbai",
  sides: ["Chennai", "Mumbai"],
  format: "T20",
  startMs: NOW_MS + 3_600_000,
  scoringRules: "t20-2026",
  rosterRules: "modern",
};

const terms = (match: MatchId, changes: Partial<ContestTerms> = {}): ContestTerms => ({
  matchId: match,
  kind: "paid",
  name: "₹49 for all",
  entryFeePaise: paise(4_900),
  entriesMax: 50,
  entriesPerUserMax: 3,
  prizePoolPaise: paise(200_000),
  prizes: [{ fromRank: 1, toRank: 1, amountPaise: paise(200_000) }],
  guaranteed: true,
  inviteCode: null,
  ...changes,
});

const join = (contest: { id: ContestId; matchId: MatchId }, user: number, team = 1, key?: string): JoinRequest => ({
  idempotencyKey: key ?? `${user}:${contest.id}:${team}`,
  userId: userId(user),
  matchId: contest.matchId,
  contestId: contest.id,
  entryId: entryId(userId(user), teamNo(team)),
  feePaise: paise(4_900),
  receivedAtMs: NOW_MS,
});

async function openContest(catalog: Catalog, changes: Partial<ContestTerms> = {}) {
  const match = await catalog.createMatch(aMatch);
  return catalog.createContest(terms(match.id, changes));
}

async function begun(catalog: Catalog, request: JoinRequest): Promise<JoinSaga> {
  const result = await catalog.beginJoin(request);
  if (!result.ok) throw new Error(`the join was refused: ${result.refusal}`);
  return result.saga;
}

async function entered(catalog: Catalog, request: JoinRequest): Promise<Entry> {
  const result = await catalog.confirmJoin((await begun(catalog, request)).sagaId);
  if (!result.ok) throw new Error(`the join was refused: ${result.refusal}`);
  return result.entry;
}

/** The law of `Catalog`, sentence by sentence, for any engine. */
export function catalogContract(open: OpenStore<Catalog>): void {
  const test = testsWith(open);

  test("a catalog has a name of its own, for ever", async (catalog, reopen) => {
    const identity = await catalog.identity();
    expect(identity).toMatch(/^[0-9a-f-]{16,64}$/);
    expect(await (await reopen()).identity()).toBe(identity);
    const other = await open();
    expect(await other.store.identity()).not.toBe(identity);
    await other.dispose();
  });

  describe("users", () => {
    const user = (name: string) => ({ name, role: "user", passwordHash: "argon2id$…", createdAtMs: NOW_MS }) as const;

    test("a name is unique without regard to case, beyond ASCII too", async (catalog) => {
      const first = await catalog.createUser(user("Ünal"));
      if (!first.ok) throw new Error("the name was free");
      expect(first.user).toEqual({ id: userId(first.user.id), ...user("Ünal") });
      expect(await catalog.createUser(user("üNAL"))).toEqual({ ok: false, refusal: "name_taken" });
      expect((await catalog.createUser(user("Unal"))).ok).toBe(true);
      expect((await catalog.userByName("ÜNAL"))?.name).toBe("Ünal");
    });

    test("of many who want a name at once one gets it", async (catalog) => {
      const results = await Promise.all(Array.from({ length: 50 }, () => catalog.createUser(user("Dhoni"))));
      expect(results.filter(({ ok }) => ok)).toHaveLength(1);
    });

    test("what was created is found again, after reopening too; what was not is null", async (catalog, reopen) => {
      const created = await catalog.createUser({ ...user("bot-1"), role: "admin", passwordHash: null });
      if (!created.ok) throw new Error("the name was free");
      const check = async (store: Catalog) => {
        expect(await store.user(created.user.id)).toEqual(created.user);
        expect(await store.userByName("BOT-1")).toEqual(created.user);
        expect(await store.user(userId(2 ** 40))).toBeNull();
        expect(await store.userByName("nobody")).toBeNull();
        expect(await store.userNames([created.user.id, userId(999)])).toEqual(new Map([[created.user.id, "bot-1"]]));
        expect(await store.userNames([])).toEqual(new Map());
      };
      await check(catalog);
      await check(await reopen());
    });
  });

  test("the spools of nodes are known until they are closed", async (catalog, reopen) => {
    expect(await catalog.openSpools()).toEqual([]);
    for (const node of ["b", "a", "b"]) {
      expect(await catalog.openSpool(node, 1)).toEqual({ opening: 1, isOpen: true });
    }
    expect(await (await reopen()).openSpools()).toEqual(["a", "b"]);
  });

  test("closing a spool is repeatable and closes no other", async (catalog) => {
    for (const node of ["a", "b"]) await catalog.openSpool(node, 1);
    for (const node of ["a", "a", "c"]) await catalog.closeSpool(node, 1);
    expect(await catalog.openSpools()).toEqual(["b"]);
  });

  test("a late opening or closing of a spool undoes nothing", async (catalog) => {
    await catalog.openSpool("a", 3);
    await catalog.closeSpool("a", 3);
    for (const late of [1, 3]) expect(await catalog.openSpool("a", late)).toEqual({ opening: 3, isOpen: false });
    expect(await catalog.openSpools()).toEqual([]);
    expect(await catalog.openSpool("a", 4)).toEqual({ opening: 4, isOpen: true });
    await catalog.closeSpool("a", 3);
    expect(await catalog.openSpools()).toEqual(["a"]);
    expect(await catalog.openSpool("a", 2)).toEqual({ opening: 4, isOpen: true });
    await catalog.closeSpool("a", 4);
    expect(await catalog.openSpools()).toEqual([]);
  });

  describe("matches", () => {
    test("are listed by start, filtered by state, limited", async (catalog) => {
      const late = await catalog.createMatch({ ...aMatch, startMs: NOW_MS + 2 });
      const early = await catalog.createMatch({ ...aMatch, startMs: NOW_MS + 1 });
      const middle = await catalog.createMatch({ ...aMatch, startMs: NOW_MS + 1 });
      expect(early).toEqual({ ...aMatch, startMs: NOW_MS + 1, id: early.id, state: "upcoming" });
      await catalog.moveMatch(middle.id, "upcoming", "locked");
      const ids = async (filter: Parameters<Catalog["matches"]>[0]) => (await catalog.matches(filter)).map((m) => m.id);
      expect(await ids({ limit: 10 })).toEqual([early.id, middle.id, late.id]);
      expect(await ids({ states: ["upcoming"], limit: 10 })).toEqual([early.id, late.id]);
      expect(await ids({ states: ["locked", "live"], limit: 10 })).toEqual([middle.id]);
      expect(await ids({ states: [], limit: 10 })).toEqual([]);
      expect(await ids({ limit: 1 })).toEqual([early.id]);
    });

    test("move by compare-and-set, repeatably", async (catalog, reopen) => {
      const { id } = await catalog.createMatch(aMatch);
      expect(await catalog.moveMatch(id, "locked", "live")).toBe(false);
      expect(await catalog.moveMatch(id, "upcoming", "locked")).toBe(true);
      expect(await catalog.moveMatch(id, "upcoming", "locked")).toBe(true);
      expect(await catalog.moveMatch(id, "upcoming", "abandoned")).toBe(false);
      expect(await catalog.moveMatch(matchId(77), "upcoming", "locked")).toBe(false);
      expect((await (await reopen()).match(id))?.state).toBe("locked");
    });

    test("keep where their saves end, as the first said it", async (catalog, reopen) => {
      const { id } = await catalog.createMatch(aMatch);
      expect(await catalog.lockPositions(id)).toBeNull();
      expect(await catalog.lockPositions(matchId(77))).toBeNull();
      expect(await catalog.putLockPositions(id, [3, 0, 2 ** 40])).toEqual([3, 0, 2 ** 40]);
      expect(await catalog.putLockPositions(id, [4, 1, 1])).toEqual([3, 0, 2 ** 40]);
      expect(await (await reopen()).lockPositions(id)).toEqual([3, 0, 2 ** 40]);
    });

    test("keep their latest squad", async (catalog, reopen) => {
      const { id } = await catalog.createMatch(aMatch);
      expect(await catalog.squad(id)).toBeNull();
      const player = {
        id: playerId("p1"),
        name: "M. S.",
        side: 0,
        role: "WK",
        creditsTenths: 95,
        announced: null,
      } as const;
      const squad: Squad = { players: [player] };
      await catalog.putSquad(id, { players: [] });
      await catalog.putSquad(id, squad);
      expect(await (await reopen()).squad(id)).toEqual(squad);
      expect(await catalog.match(matchId(77)).catch(() => null)).toBeNull();
    });
  });

  describe("contests", () => {
    test("come back with their terms, open and empty", async (catalog, reopen) => {
      const contest = await openContest(catalog, { kind: "private", inviteCode: "SIX" });
      expect(contest).toEqual({
        ...terms(contest.matchId, { kind: "private", inviteCode: "SIX" }),
        id: contest.id,
        state: "open",
        seatsTaken: 0,
      });
      const other = await catalog.createContest(terms(contest.matchId));
      const again = await reopen();
      expect(await again.contest(contest.id)).toEqual(contest);
      expect(await again.contests(contest.matchId)).toEqual([contest, other]);
      expect(await again.contests(matchId(77))).toEqual([]);
      expect(await again.contest(contestId(77))).toBeNull();
    });

    test("move by compare-and-set, repeatably; one of two rivals wins", async (catalog, reopen) => {
      const { id } = await openContest(catalog);
      const [settling, cancelling] = await Promise.all([
        catalog.moveContest(id, "open", "settling"),
        catalog.moveContest(id, "open", "cancelling"),
      ]);
      expect([settling, cancelling].filter(Boolean)).toHaveLength(1);
      const state = settling ? "settling" : "cancelling";
      expect((await catalog.contest(id))?.state).toBe(state);
      expect(await catalog.moveContest(id, "open", state)).toBe(true);
      expect(await catalog.moveContest(id, "open", "settled")).toBe(false);
      expect(await catalog.moveContest(contestId(77), "open", "settling")).toBe(false);
      expect((await (await reopen()).contest(id))?.state).toBe(state);
    });

    test("are listed to be ended when their end was begun, or decided by their match, and is not reached", async (catalog) => {
      const ended = async (from: "open", middle: "settling" | "cancelling", to: "settled" | "cancelled" | null) => {
        const contest = await openContest(catalog);
        await catalog.moveContest(contest.id, from, middle);
        if (to !== null) await catalog.moveContest(contest.id, middle, to);
        return contest.id;
      };
      const settling = await ended("open", "settling", null);
      const cancelling = await ended("open", "cancelling", null);
      await ended("open", "settling", "settled");
      await ended("open", "cancelling", "cancelled");
      const untouched = await openContest(catalog);
      expect((await catalog.contestsToEnd(10)).map(({ id }) => id)).toEqual([settling, cancelling]);
      expect((await catalog.contestsToEnd(1)).map(({ id }) => id)).toEqual([settling]);
      await catalog.moveMatch(untouched.matchId, "upcoming", "abandoned");
      const released = await openContest(catalog);
      await catalog.moveMatch(released.matchId, "upcoming", "released");
      expect((await catalog.contestsToEnd(10)).map(({ id }) => id)).toEqual([
        settling,
        cancelling,
        untouched.id,
        released.id,
      ]);
    });

    test("remember how far paying out has come", async (catalog, reopen) => {
      const { id } = await openContest(catalog);
      expect(await catalog.payoutCursor(id)).toBeNull();
      await catalog.putPayoutCursor(id, "rank:100");
      await catalog.putPayoutCursor(id, "rank:200");
      expect(await (await reopen()).payoutCursor(id)).toBe("rank:200");
    });
  });

  describe("joins", () => {
    test("a seat is taken at once, the entry exists and is announced when confirmed", async (catalog, reopen) => {
      const contest = await openContest(catalog);
      const request = join(contest, 7);
      const first = await catalog.beginJoin(request);
      if (!first.ok) throw new Error(first.refusal);
      expect(first).toEqual({
        ok: true,
        begun: true,
        saga: { ...request, sagaId: first.saga.sagaId, state: "reserved" },
      });
      expect((await catalog.contest(contest.id))?.seatsTaken).toBe(1);
      expect(await catalog.entryCount(contest.id)).toBe(0);
      expect(await catalog.entriesOfUser(request.userId, contest.matchId)).toEqual([]);
      expect(await catalog.entriesOfContest(contest.id, 0, 10)).toEqual([]);
      expect(await catalog.outbox(10)).toEqual([]);
      expect(await catalog.reservedJoinCount(contest.matchId)).toBe(1);

      const confirmed = await catalog.confirmJoin(first.saga.sagaId);
      const { matchId, contestId, entryId, feePaise } = request;
      const entry: Entry = { matchId, contestId, entryId, feePaise, joinedAtMs: NOW_MS };
      expect(confirmed).toEqual({ ok: true, entry });
      const again = await reopen();
      expect((await again.contest(contest.id))?.seatsTaken).toBe(1);
      expect(await again.entryCount(contest.id)).toBe(1);
      expect(await again.entriesOfUser(request.userId, contest.matchId)).toEqual([entry]);
      expect(await again.entriesOfContest(contest.id, 0, 10)).toEqual([entry]);
      expect((await again.outbox(10)).map((row) => row.entry)).toEqual([entry]);
      expect(await again.outboxCount(contest.matchId)).toBe(1);
      expect(await again.reservedJoinCount(contest.matchId)).toBe(0);
    });

    test("a key seen before answers its saga as it stands", async (catalog) => {
      const contest = await openContest(catalog);
      const saga = await begun(catalog, join(contest, 7));
      const retry = { ...join(contest, 7), receivedAtMs: NOW_MS + 5 };
      expect(await catalog.beginJoin(retry)).toEqual({ ok: true, begun: false, saga });
      await catalog.confirmJoin(saga.sagaId);
      await catalog.moveContest(contest.id, "open", "settling");
      expect(await catalog.beginJoin(retry)).toEqual({ ok: true, begun: false, saga: { ...saga, state: "entered" } });
    });

    test("the same key of another user is another key", async (catalog) => {
      const contest = await openContest(catalog);
      const one = await begun(catalog, join(contest, 7, 1, "key"));
      const two = await begun(catalog, join(contest, 8, 1, "key"));
      expect(two.sagaId).not.toBe(one.sagaId);
    });

    test("refusals come in the order of their type", async (catalog) => {
      // Row i fits every refusal from i on and none before: undoing the first reason shows the next.
      const contest = await openContest(catalog, { entriesMax: 2, entriesPerUserMax: 1 });
      const closed = await catalog.createContest(terms(contest.matchId, { entriesMax: 2, entriesPerUserMax: 1 }));
      const nowhere = { id: contestId(77), matchId: contest.matchId };
      const elsewhere = { id: contest.id, matchId: matchId(77) };
      await entered(catalog, join(closed, 7, 1));
      await catalog.moveContest(closed.id, "open", "cancelling");
      await entered(catalog, join(contest, 7, 1, "used"));
      await entered(catalog, join(contest, 8, 1));
      const table = [
        ["another contest for a used key, though there is none", join(nowhere, 7, 1, "used"), "idempotency_key_reused"],
        [
          "another team for a used key, though the contest is full",
          join(contest, 7, 2, "used"),
          "idempotency_key_reused",
        ],
        ["no such contest", join(nowhere, 7, 1), "contest_not_found"],
        ["not of this match, though joined, limited and full", join(elsewhere, 7, 1), "contest_not_found"],
        ["closed, though joined and limited", join(closed, 7, 1, "new"), "contest_not_open"],
        ["joined with this team, though limited and full", join(contest, 7, 1, "new"), "already_joined"],
        ["as many as a user may, though full", join(contest, 7, 2, "new"), "entry_limit"],
        ["full", join(contest, 9, 1), "contest_full"],
      ] as const;
      for (const [why, request, refusal] of table) {
        expect({ why, ...(await catalog.beginJoin(request)) }).toEqual({ why, ok: false, refusal });
      }
      expect((await catalog.contest(contest.id))?.seatsTaken).toBe(2);
    });

    test("a refused join leaves nothing: its key may be used again", async (catalog) => {
      const contest = await openContest(catalog, { entriesMax: 2 });
      const other = await catalog.createContest(terms(contest.matchId));
      await entered(catalog, join(contest, 1));
      await entered(catalog, join(contest, 2));
      expect((await catalog.beginJoin(join(contest, 3, 1, "k"))).ok).toBe(false);
      expect(await catalog.reservedJoinCount(contest.matchId)).toBe(0);
      expect((await begun(catalog, join(other, 3, 1, "k"))).contestId).toBe(other.id);
    });

    test("200 at once for 50 seats: exactly 50, and none of them twice", async (catalog, reopen) => {
      const contest = await openContest(catalog, { entriesMax: 50 });
      const results = await Promise.all(
        Array.from({ length: 200 }, (_, index) => catalog.beginJoin(join(contest, index + 1))),
      );
      const sagas = results.flatMap((result) => (result.ok ? [result.saga.sagaId] : []));
      expect(new Set(sagas).size).toBe(50);
      expect(new Set(results.flatMap((result) => (result.ok ? [] : [result.refusal])))).toEqual(
        new Set(["contest_full"]),
      );
      await Promise.all(sagas.map((sagaId) => catalog.confirmJoin(sagaId)));
      const again = await reopen();
      expect((await again.contest(contest.id))?.seatsTaken).toBe(50);
      expect(await again.entryCount(contest.id)).toBe(50);
      expect(await again.outboxCount(contest.matchId)).toBe(50);
    });

    test("one key many times at once is one saga and one seat", async (catalog) => {
      const contest = await openContest(catalog);
      const results = await Promise.all(Array.from({ length: 20 }, () => catalog.beginJoin(join(contest, 7))));
      const sagas = results.map((result) => (result.ok ? result.saga.sagaId : result.refusal));
      expect(new Set(sagas).size).toBe(1);
      expect(results.filter((result) => result.ok && result.begun)).toHaveLength(1);
      expect((await catalog.contest(contest.id))?.seatsTaken).toBe(1);
    });

    test("one entry with many keys at once is one saga", async (catalog) => {
      const contest = await openContest(catalog);
      const results = await Promise.all(
        Array.from({ length: 20 }, (_, index) => catalog.beginJoin(join(contest, 7, 1, `key-${index}`))),
      );
      expect(results.filter(({ ok }) => ok)).toHaveLength(1);
      const refusals = results.flatMap((result) => (result.ok ? [] : [result.refusal]));
      expect(new Set(refusals)).toEqual(new Set(["already_joined"]));
    });

    test("joins under way count towards a user's limit, also at once", async (catalog) => {
      const contest = await openContest(catalog, { entriesPerUserMax: 3 });
      const results = await Promise.all(
        Array.from({ length: 10 }, (_, index) => catalog.beginJoin(join(contest, 7, index + 1))),
      );
      expect(results.filter(({ ok }) => ok)).toHaveLength(3);
      // Neighbours in the space of entry ids are other users.
      expect((await catalog.beginJoin(join(contest, 6, 63))).ok).toBe(true);
      expect((await catalog.beginJoin(join(contest, 8, 1))).ok).toBe(true);
    });

    test("confirming is repeatable and announces once", async (catalog) => {
      const contest = await openContest(catalog);
      const { sagaId } = await begun(catalog, join(contest, 7));
      const results = await Promise.all(Array.from({ length: 5 }, () => catalog.confirmJoin(sagaId)));
      expect(results.every(({ ok }) => ok)).toBe(true);
      expect(await catalog.entryCount(contest.id)).toBe(1);
      expect(await catalog.outbox(10)).toHaveLength(1);
      await catalog.moveContest(contest.id, "open", "settling");
      expect((await catalog.confirmJoin(sagaId)).ok).toBe(true);
    });

    test("a contest no longer open takes no more entries; the join can then be released", async (catalog) => {
      const contest = await openContest(catalog);
      const { sagaId } = await begun(catalog, join(contest, 7));
      await catalog.moveContest(contest.id, "open", "settling");
      expect(await catalog.confirmJoin(sagaId)).toEqual({ ok: false, refusal: "contest_not_open" });
      expect(await catalog.releaseJoin(sagaId)).toBe(true);
      expect(await catalog.confirmJoin(sagaId)).toEqual({ ok: false, refusal: "released" });
      expect((await catalog.contest(contest.id))?.seatsTaken).toBe(0);
      expect(await catalog.outbox(10)).toEqual([]);
    });

    test("releasing gives the seat and the key back, repeatably, but never the saga's number", async (catalog, reopen) => {
      const contest = await openContest(catalog, { entriesMax: 2, entriesPerUserMax: 1 });
      const { sagaId } = await begun(catalog, join(contest, 7));
      expect(await catalog.releaseJoin(sagaId)).toBe(true);
      expect(await catalog.releaseJoin(sagaId)).toBe(true);
      expect((await catalog.contest(contest.id))?.seatsTaken).toBe(0);
      expect(await catalog.confirmJoin(sagaId)).toEqual({ ok: false, refusal: "released" });
      const again = await reopen();
      const second = await begun(again, join(contest, 7));
      expect(second.sagaId).not.toBe(sagaId);
      expect((await again.confirmJoin(second.sagaId)).ok).toBe(true);
      expect(await again.releaseJoin(second.sagaId)).toBe(false);
      expect((await again.contest(contest.id))?.seatsTaken).toBe(1);
    });

    test("confirm and release at once: one of them happens, whole", async (catalog) => {
      const contest = await openContest(catalog);
      for (let user = 1; user <= 20; user++) {
        const { sagaId } = await begun(catalog, join(contest, user));
        const steps = [() => catalog.confirmJoin(sagaId), () => catalog.releaseJoin(sagaId)] as const;
        const [one, two] = user % 2 ? steps : [steps[1], steps[0]];
        await Promise.all([one(), two()]);
      }
      const seats = (await catalog.contest(contest.id))!.seatsTaken;
      expect(await catalog.entryCount(contest.id)).toBe(seats);
      expect(await catalog.outboxCount(contest.matchId)).toBe(seats);
      expect(await catalog.reservedJoinCount(contest.matchId)).toBe(0);
    });

    test("reserved joins are listed oldest first, those received before a time, limited", async (catalog, reopen) => {
      const contest = await openContest(catalog);
      const at = (user: number, receivedAtMs: number) => begun(catalog, { ...join(contest, user), receivedAtMs });
      const third = await at(1, NOW_MS + 30);
      const first = await at(2, NOW_MS + 10);
      const second = await at(3, NOW_MS + 20);
      await catalog.confirmJoin((await at(4, NOW_MS)).sagaId);
      await catalog.releaseJoin((await at(5, NOW_MS)).sagaId);
      const again = await reopen();
      expect(await again.reservedJoins(NOW_MS + 31, 10)).toEqual([first, second, third]);
      expect(await again.reservedJoins(NOW_MS + 30, 10)).toEqual([first, second]);
      expect(await again.reservedJoins(NOW_MS + 31, 1)).toEqual([first]);
      expect(await again.reservedJoinCount(contest.matchId)).toBe(3);
      expect(await again.reservedJoinCount(matchId(77))).toBe(0);
    });

    test("entries page by entry id without a gap or a repeat", async (catalog) => {
      const contest = await openContest(catalog, { entriesMax: 500 });
      const users = Array.from({ length: 300 }, (_, index) => ((index * 7_919) % 300) + 1);
      await Promise.all(users.map((user) => entered(catalog, join(contest, user, (user % 3) + 1))));
      await begun(catalog, join(contest, 301));
      const paged: Entry[] = [];
      for (let page: Entry[]; ; paged.push(...page)) {
        page = await catalog.entriesOfContest(contest.id, paged.at(-1)?.entryId ?? 0, 37);
        if (page.length === 0) break;
      }
      const ids = paged.map((entry) => entry.entryId);
      expect(ids).toEqual(users.map((user) => join(contest, user, (user % 3) + 1).entryId).toSorted((a, b) => a - b));
    });

    test("a user's entries of a match are those of all its contests and of no other match", async (catalog) => {
      const one = await openContest(catalog);
      const two = await catalog.createContest(terms(one.matchId));
      const elsewhere = await openContest(catalog);
      const mine = [await entered(catalog, join(one, 7, 1)), await entered(catalog, join(two, 7, 2))];
      await entered(catalog, join(elsewhere, 7, 1));
      await entered(catalog, join(one, 8, 1));
      await begun(catalog, join(two, 7, 3));
      const found = await catalog.entriesOfUser(userId(7), one.matchId);
      expect(found.toSorted((a, b) => a.entryId - b.entryId)).toEqual(mine);
    });

    test("the outbox is emptied by what was sent, oldest first", async (catalog, reopen) => {
      const contest = await openContest(catalog);
      const other = await openContest(catalog);
      const entries: Entry[] = [];
      for (let user = 1; user <= 4; user++) entries.push(await entered(catalog, join(contest, user)));
      await entered(catalog, join(other, 1));
      const [first, second] = await catalog.outbox(2);
      expect([first!.entry, second!.entry]).toEqual(entries.slice(0, 2));
      await catalog.outboxSent([first!.outboxId]);
      await catalog.outboxSent([first!.outboxId, second!.outboxId]);
      await catalog.outboxSent([]);
      const again = await reopen();
      expect((await again.outbox(2)).map((row) => row.entry)).toEqual(entries.slice(2));
      expect(await again.outboxCount(contest.matchId)).toBe(2);
      expect(await again.outboxCount(other.matchId)).toBe(1);
    });

    joinModelTest(test, { openContest, join });
  });

  describe("deposits", () => {
    const order = (orderId: string, user: UserId = userId(7), createdAtMs = NOW_MS) =>
      ({ orderId, userId: user, amountPaise: paise(10_000), createdAtMs }) as const;
    const fresh = { state: "created", providerOrderId: null, paymentId: null } as const;

    test("are created once", async (catalog, reopen) => {
      expect(await catalog.createDeposit(order("d1"))).toEqual({ ...order("d1"), ...fresh });
      const second = await catalog.createDeposit({ ...order("d1"), amountPaise: paise(1), createdAtMs: NOW_MS + 1 });
      expect(second).toEqual({ ...order("d1"), ...fresh });
      expect(await (await reopen()).deposit("d1")).toEqual({ ...order("d1"), ...fresh });
    });

    test("take one provider order and are found by it", async (catalog) => {
      await catalog.createDeposit(order("d1"));
      await catalog.createDeposit(order("d2"));
      expect(await catalog.attachProviderOrder("d1", "p1")).toBe(true);
      expect(await catalog.attachProviderOrder("d1", "p1")).toBe(true);
      expect(await catalog.attachProviderOrder("d1", "p2")).toBe(false);
      expect(await catalog.attachProviderOrder("d2", "p1")).toBe(false);
      expect(await catalog.attachProviderOrder("d3", "p3")).toBe(false);
      expect((await catalog.depositByProviderOrder("p1"))?.orderId).toBe("d1");
      expect(await catalog.depositByProviderOrder("p2")).toBeNull();
      expect(await catalog.deposit("d3")).toBeNull();
    });

    test("are credited by one payment or fail, never both", async (catalog, reopen) => {
      await catalog.createDeposit(order("d1"));
      await catalog.createDeposit(order("d2"));
      expect(await catalog.creditDeposit("d1", "pay1")).toBe(true);
      expect(await catalog.creditDeposit("d1", "pay1")).toBe(true);
      expect(await catalog.creditDeposit("d1", "pay2")).toBe(false);
      expect(await catalog.failDeposit("d1")).toBe(false);
      expect(await catalog.failDeposit("d2")).toBe(true);
      expect(await catalog.failDeposit("d2")).toBe(true);
      expect(await catalog.creditDeposit("d2", "pay3")).toBe(false);
      expect(await catalog.creditDeposit("d3", "pay4")).toBe(false);
      await catalog.createDeposit(order("d4"));
      expect(await catalog.creditDeposit("d4", "pay1")).toBe(false);
      expect((await catalog.deposit("d4"))?.state).toBe("created");
      expect(await catalog.failDeposit("d3")).toBe(false);
      const again = await reopen();
      expect(await again.deposit("d1")).toEqual({ ...order("d1"), ...fresh, state: "credited", paymentId: "pay1" });
      expect((await again.deposit("d2"))?.state).toBe("failed");
    });

    test("page by order id; a user's come newest first", async (catalog) => {
      const ids = ["a", "b", "c", "d", "e"];
      for (const [index, id] of ids.entries())
        await catalog.createDeposit(order(id, userId(1 + (index % 2)), NOW_MS + index));
      const page = async (after: string) => (await catalog.deposits(after, 2)).map((row) => row.orderId);
      expect([await page(""), await page("b"), await page("d"), await page("e")]).toEqual([
        ["a", "b"],
        ["c", "d"],
        ["e"],
        [],
      ]);
      const mine = await catalog.depositsOfUser(userId(1), 2);
      expect(mine.map((row) => row.orderId)).toEqual(["e", "c"]);
    });
  });

  describe("withdrawals", () => {
    const withdrawal = (withdrawalId: string, createdAtMs = NOW_MS) =>
      ({ withdrawalId, userId: userId(7), amountPaise: paise(10_000), createdAtMs }) as const;
    const fresh = { state: "created", providerPayoutId: null } as const;

    test("are created once", async (catalog) => {
      expect(await catalog.createWithdrawal(withdrawal("w1"))).toEqual({ ...withdrawal("w1"), ...fresh });
      await catalog.moveWithdrawal("w1", "created", "held");
      const again = await catalog.createWithdrawal({ ...withdrawal("w1"), amountPaise: paise(1) });
      expect(again).toEqual({ ...withdrawal("w1"), ...fresh, state: "held" });
      expect(await catalog.withdrawal("w2")).toBeNull();
    });

    test("move by compare-and-set and keep the payout they were given", async (catalog, reopen) => {
      await catalog.createWithdrawal(withdrawal("w1"));
      expect(await catalog.moveWithdrawal("w1", "held", "sent")).toBe(false);
      expect(await catalog.moveWithdrawal("w1", "created", "held")).toBe(true);
      expect(await catalog.moveWithdrawal("w1", "created", "held")).toBe(true);
      expect(await catalog.moveWithdrawal("w1", "held", "sent", "payout1")).toBe(true);
      expect(await catalog.moveWithdrawal("w1", "sent", "paid")).toBe(true);
      expect(await catalog.moveWithdrawal("w1", "sent", "returned")).toBe(false);
      expect(await catalog.moveWithdrawal("w2", "created", "held")).toBe(false);
      const again = await reopen();
      const paid = { ...withdrawal("w1"), state: "paid", providerPayoutId: "payout1" } as const;
      expect(await again.withdrawalByPayout("payout1")).toEqual(paid);
      expect(await again.withdrawalByPayout("payout2")).toBeNull();
    });

    test("are listed by state oldest first, of a user newest first", async (catalog) => {
      for (const [index, id] of ["a", "b", "c"].entries())
        await catalog.createWithdrawal(withdrawal(id, NOW_MS + index));
      await catalog.moveWithdrawal("b", "created", "held");
      const ids = (rows: readonly { withdrawalId: string }[]) => rows.map((row) => row.withdrawalId);
      expect(ids(await catalog.withdrawals(["created"], 10))).toEqual(["a", "c"]);
      expect(ids(await catalog.withdrawals(["created", "held"], 2))).toEqual(["a", "b"]);
      expect(ids(await catalog.withdrawals([], 2))).toEqual([]);
      expect(ids(await catalog.withdrawalsOfUser(userId(7), 2))).toEqual(["c", "b"]);
    });
  });
}
