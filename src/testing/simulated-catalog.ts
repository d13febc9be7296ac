import type { Contest, ContestState } from "../domain/contest.ts";
import { contestId, type ContestId, type EntryId, matchId, type MatchId, userId, type UserId } from "../domain/ids.ts";
import type { Match } from "../domain/match.ts";
import type { Squad } from "../domain/squad.ts";
import type {
  Catalog,
  ContestCatalog,
  Deposit,
  Entry,
  JoinCatalog,
  JoinRefusal,
  JoinRequest,
  JoinSaga,
  MatchCatalog,
  PaymentCatalog,
  SpoolCatalog,
  SpoolState,
  User,
  UserCatalog,
  Withdrawal,
} from "../stores/catalog/port.ts";

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** The port's law over maps. Each method is one step without an await, so it is one commit. */
export function openSimulatedCatalog(): Catalog {
  const matches = new Map<MatchId, Match>();
  const contests = new Map<ContestId, Writable<Contest>>();
  const identity = crypto.randomUUID();
  return {
    ...userCatalog(),
    ...matchCatalog(matches),
    ...contestCatalog(contests, matches),
    ...joinCatalog(matches, contests),
    ...paymentCatalog(),
    ...spoolCatalog(),
    identity: async () => identity,
    close: async () => undefined,
  };
}

function spoolCatalog(): SpoolCatalog {
  const spools = new Map<string, SpoolState>();
  return {
    async openSpool(nodeId, opening) {
      const known = spools.get(nodeId);
      if (known === undefined || opening > known.opening) spools.set(nodeId, { opening, isOpen: true });
      return spools.get(nodeId)!;
    },
    async closeSpool(nodeId, opening) {
      const known = spools.get(nodeId);
      if (known !== undefined && known.opening <= opening) spools.set(nodeId, { ...known, isOpen: false });
    },
    openSpools: async () => [...spools].flatMap(([nodeId, { isOpen }]) => (isOpen ? [nodeId] : [])).sort(),
  };
}

function userCatalog(): UserCatalog {
  const users: User[] = [];
  const byName = new Map<string, User>();
  return {
    async createUser(user) {
      const name = user.name.toLowerCase();
      if (byName.has(name)) return { ok: false, refusal: "name_taken" };
      const created = { ...user, id: userId(users.length + 1) };
      users.push(created);
      byName.set(name, created);
      return { ok: true, user: created };
    },
    user: async (id) => users[id - 1] ?? null,
    userByName: async (name) => byName.get(name.toLowerCase()) ?? null,
    userNames: async (ids) =>
      new Map(ids.filter((id) => users[id - 1] !== undefined).map((id) => [id, users[id - 1]!.name])),
  };
}

function matchCatalog(matches: Map<MatchId, Match>): MatchCatalog {
  const squads = new Map<MatchId, Squad>();
  const lockPositions = new Map<MatchId, readonly number[]>();
  return {
    async createMatch(match) {
      const created: Match = { ...match, id: matchId(matches.size + 1), state: "upcoming" };
      matches.set(created.id, created);
      return created;
    },
    match: async (id) => matches.get(id) ?? null,
    async matches({ states, limit }) {
      const chosen = [...matches.values()].filter((match) => states === undefined || states.includes(match.state));
      return chosen.sort((a, b) => a.startMs - b.startMs || a.id - b.id).slice(0, limit);
    },
    async moveMatch(id, from, to) {
      const match = matches.get(id);
      if (match?.state === from) matches.set(id, { ...match, state: to });
      return matches.get(id)?.state === to;
    },
    async putLockPositions(id, positions) {
      const written = lockPositions.get(id) ?? positions;
      lockPositions.set(id, written);
      return written;
    },
    lockPositions: async (id) => lockPositions.get(id) ?? null,
    async putSquad(id, squad) {
      squads.set(id, squad);
    },
    squad: async (id) => squads.get(id) ?? null,
  };
}

function contestCatalog(
  contests: Map<ContestId, Writable<Contest>>,
  matches: ReadonlyMap<MatchId, Match>,
): ContestCatalog {
  const isOver = ({ matchId: match }: Contest) => ["released", "abandoned"].includes(matches.get(match)!.state);
  const cursors = new Map<ContestId, string>();
  return {
    async createContest(terms) {
      const contest: Contest = { ...terms, id: contestId(contests.size + 1), state: "open", seatsTaken: 0 };
      contests.set(contest.id, contest);
      return { ...contest };
    },
    async contest(id) {
      const contest = contests.get(id);
      return contest ? { ...contest } : null;
    },
    contests: async (match) =>
      [...contests.values()].filter((contest) => contest.matchId === match).map((contest) => ({ ...contest })),
    async moveContest(id, from: ContestState, to: ContestState) {
      const contest = contests.get(id);
      if (contest?.state === from) contest.state = to;
      return contest?.state === to;
    },
    payoutCursor: async (id) => cursors.get(id) ?? null,
    async putPayoutCursor(id, cursor) {
      cursors.set(id, cursor);
    },
    contestsToEnd: async (limit) =>
      [...contests.values()]
        .filter(({ state }) => state !== "settled" && state !== "cancelled")
        .filter((contest) => contest.state !== "open" || isOver(contest))
        .slice(0, limit)
        .map((contest) => ({ ...contest })),
  };
}

const keyOf = (request: Pick<JoinRequest, "userId" | "idempotencyKey">) =>
  `${request.userId} ${request.idempotencyKey}`;
const entryOf = ({ contestId: contest, matchId: match, entryId, feePaise, receivedAtMs }: JoinSaga): Entry => ({
  contestId: contest,
  matchId: match,
  entryId,
  feePaise,
  joinedAtMs: receivedAtMs,
});

function joinCatalog(
  matches: ReadonlyMap<MatchId, Match>,
  contests: ReadonlyMap<ContestId, Writable<Contest>>,
): JoinCatalog {
  let sagaCount = 0;
  let outboxCount = 0;
  const sagas = new Map<number, Writable<JoinSaga>>();
  const sagaByKey = new Map<string, number>();
  /** Per contest, the entries and the joins under way, by entry id. */
  const seats = new Map<ContestId, Map<EntryId, number>>();
  const outbox = new Map<number, Entry>();

  const seatsOf = (contest: ContestId): Map<EntryId, number> => {
    let taken = seats.get(contest);
    if (!taken) seats.set(contest, (taken = new Map()));
    return taken;
  };
  const entered = (contest: ContestId): Entry[] =>
    [...seatsOf(contest).values()]
      .map((id) => sagas.get(id)!)
      .filter((saga) => saga.state === "entered")
      .map(entryOf)
      .sort((a, b) => a.entryId - b.entryId);
  const reserved = (): JoinSaga[] => [...sagas.values()].filter((saga) => saga.state === "reserved");

  function refusalOf(request: JoinRequest): JoinRefusal | null {
    const contest = contests.get(request.contestId);
    if (!contest) return "contest_not_found";
    if (contest.state !== "open" || matches.get(contest.matchId)?.state !== "upcoming") return "contest_not_open";
    const taken = seatsOf(request.contestId);
    if (taken.has(request.entryId)) return "already_joined";
    const own = [...taken.values()].filter((id) => sagas.get(id)!.userId === request.userId);
    if (own.length >= contest.entriesPerUserMax) return "entry_limit";
    return contest.seatsTaken >= contest.entriesMax ? "contest_full" : null;
  }

  return {
    async beginJoin(request) {
      const seen = sagas.get(sagaByKey.get(keyOf(request)) ?? -1);
      if (seen) {
        const same = seen.contestId === request.contestId && seen.entryId === request.entryId;
        return same ? { ok: true, saga: { ...seen }, begun: false } : { ok: false, refusal: "idempotency_key_reused" };
      }
      const refusal = refusalOf(request);
      if (refusal) return { ok: false, refusal };
      const saga: JoinSaga = { ...request, sagaId: ++sagaCount, state: "reserved" };
      sagas.set(saga.sagaId, saga);
      sagaByKey.set(keyOf(request), saga.sagaId);
      seatsOf(request.contestId).set(request.entryId, saga.sagaId);
      contests.get(request.contestId)!.seatsTaken++;
      return { ok: true, saga: { ...saga }, begun: true };
    },
    async confirmJoin(sagaId) {
      const saga = sagas.get(sagaId);
      if (!saga) return { ok: false, refusal: "released" };
      if (saga.state === "reserved") {
        if (contests.get(saga.contestId)!.state !== "open") return { ok: false, refusal: "contest_not_open" };
        saga.state = "entered";
        outbox.set(++outboxCount, entryOf(saga));
      }
      return { ok: true, entry: entryOf(saga) };
    },
    async releaseJoin(sagaId) {
      const saga = sagas.get(sagaId);
      if (!saga) return true;
      if (saga.state === "entered") return false;
      sagas.delete(sagaId);
      sagaByKey.delete(keyOf(saga));
      seatsOf(saga.contestId).delete(saga.entryId);
      contests.get(saga.contestId)!.seatsTaken--;
      return true;
    },
    reservedJoins: async (receivedBeforeMs, limit) =>
      reserved()
        .filter((saga) => saga.receivedAtMs < receivedBeforeMs)
        .sort((a, b) => a.receivedAtMs - b.receivedAtMs || a.sagaId - b.sagaId)
        .slice(0, limit)
        .map((saga) => ({ ...saga })),
    reservedJoinCount: async (match) => reserved().filter((saga) => saga.matchId === match).length,
    entriesOfUser: async (user: UserId, match) =>
      [...sagas.values()]
        .filter((saga) => saga.userId === user && saga.matchId === match && saga.state === "entered")
        .map(entryOf),
    entriesOfContest: async (contest, afterEntry, limit) =>
      entered(contest)
        .filter((entry) => entry.entryId > afterEntry)
        .slice(0, limit),
    entryCount: async (contest) => entered(contest).length,
    outbox: async (limit) => [...outbox].slice(0, limit).map(([outboxId, entry]) => ({ outboxId, entry })),
    async outboxSent(outboxIds) {
      for (const id of outboxIds) outbox.delete(id);
    },
    outboxCount: async (match) => [...outbox.values()].filter((entry) => entry.matchId === match).length,
  };
}

const newestFirst = <T extends { readonly createdAtMs: number }>(rows: T[], limit: number): T[] =>
  rows
    .sort((a, b) => b.createdAtMs - a.createdAtMs)
    .slice(0, limit)
    .map((row) => ({ ...row }));

const copy = <T extends object>(row: T | undefined): T | null => (row ? { ...row } : null);

function paymentCatalog(): PaymentCatalog {
  const deposits = new Map<string, Writable<Deposit>>();
  const withdrawals = new Map<string, Writable<Withdrawal>>();
  return {
    async createDeposit(deposit) {
      if (!deposits.has(deposit.orderId)) {
        deposits.set(deposit.orderId, { ...deposit, state: "created", providerOrderId: null, paymentId: null });
      }
      return { ...deposits.get(deposit.orderId)! };
    },
    deposit: async (orderId) => copy(deposits.get(orderId)),
    depositByProviderOrder: async (providerOrderId) =>
      copy([...deposits.values()].find((deposit) => deposit.providerOrderId === providerOrderId)),
    async attachProviderOrder(orderId, providerOrderId) {
      const deposit = deposits.get(orderId);
      if (!deposit) return false;
      deposit.providerOrderId ??= providerOrderId;
      return deposit.providerOrderId === providerOrderId;
    },
    async creditDeposit(orderId, paymentId) {
      const deposit = deposits.get(orderId);
      const isUsed = [...deposits.values()].some((other) => other.paymentId === paymentId && other !== deposit);
      if (deposit?.state === "created" && !isUsed) {
        deposit.state = "credited";
        deposit.paymentId = paymentId;
      }
      return deposit?.state === "credited" && deposit.paymentId === paymentId;
    },
    async failDeposit(orderId) {
      const deposit = deposits.get(orderId);
      if (deposit?.state === "created") deposit.state = "failed";
      return deposit?.state === "failed";
    },
    deposits: async (afterOrderId, limit) =>
      [...deposits.values()]
        .filter((deposit) => deposit.orderId > afterOrderId)
        .sort((a, b) => (a.orderId < b.orderId ? -1 : 1))
        .slice(0, limit)
        .map((deposit) => ({ ...deposit })),
    depositsOfUser: async (user, limit) =>
      newestFirst(
        [...deposits.values()].filter((deposit) => deposit.userId === user),
        limit,
      ),
    async createWithdrawal(withdrawal) {
      if (!withdrawals.has(withdrawal.withdrawalId)) {
        withdrawals.set(withdrawal.withdrawalId, { ...withdrawal, state: "created", providerPayoutId: null });
      }
      return { ...withdrawals.get(withdrawal.withdrawalId)! };
    },
    withdrawal: async (withdrawalId) => copy(withdrawals.get(withdrawalId)),
    withdrawalByPayout: async (providerPayoutId) =>
      copy([...withdrawals.values()].find((withdrawal) => withdrawal.providerPayoutId === providerPayoutId)),
    async moveWithdrawal(withdrawalId, from, to, providerPayoutId) {
      const withdrawal = withdrawals.get(withdrawalId);
      if (withdrawal?.state === from) {
        withdrawal.state = to;
        if (providerPayoutId !== undefined) withdrawal.providerPayoutId = providerPayoutId;
      }
      return withdrawal?.state === to;
    },
    withdrawals: async (states, limit) =>
      [...withdrawals.values()]
        .filter((withdrawal) => states.includes(withdrawal.state))
        .sort((a, b) => a.createdAtMs - b.createdAtMs)
        .slice(0, limit)
        .map((withdrawal) => ({ ...withdrawal })),
    withdrawalsOfUser: async (user, limit) =>
      newestFirst(
        [...withdrawals.values()].filter((withdrawal) => withdrawal.userId === user),
        limit,
      ),
  };
}
