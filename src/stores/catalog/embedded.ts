import { SqliteStore, type SqliteStoreOptions, type StoreCalls } from "../sqlite/store.ts";
import type { Catalog } from "./port.ts";

/** Everything in one SQLite file; commits in groups. */
export const openEmbeddedCatalog = async (options: SqliteStoreOptions): Promise<Catalog> =>
  catalogOver(await SqliteStore.open("Catalog", "catalog", options));

export function catalogOver(store: StoreCalls<"catalog">): Catalog {
  return {
    createUser: (user) => store.write("createUser", user),
    user: (id) => store.read("user", id),
    userByName: (name) => store.read("userByName", name),
    userNames: async (ids) => new Map(await store.read("userNames", ids)),

    createMatch: (match) => store.write("createMatch", match),
    match: (id) => store.read("match", id),
    matches: (filter) => store.read("matches", filter),
    moveMatch: (id, from, to) => store.write("moveMatch", { id, from, to }),
    putLockPositions: (id, positions) => store.write("putLockPositions", { id, positions }),
    lockPositions: (id) => store.read("lockPositions", id),
    putSquad: (id, squad) => store.write("putSquad", { id, squad }),
    squad: (id) => store.read("squad", id),

    createContest: (terms) => store.write("createContest", terms),
    contest: (id) => store.read("contest", id),
    contests: (match) => store.read("contests", match),
    moveContest: (id, from, to) => store.write("moveContest", { id, from, to }),
    payoutCursor: (id) => store.read("payoutCursor", id),
    putPayoutCursor: (id, cursor) => store.write("putPayoutCursor", { id, cursor }),
    contestsToEnd: (limit) => store.read("contestsToEnd", limit),

    async beginJoin(request) {
      const answer = await store.write("beginJoin", request);
      if (typeof answer !== "number") return answer;
      return { ok: true, saga: { ...request, sagaId: answer, state: "reserved" }, begun: true };
    },
    confirmJoin: (sagaId) => store.write("confirmJoin", sagaId),
    releaseJoin: (sagaId) => store.write("releaseJoin", sagaId),
    reservedJoins: (receivedBeforeMs, limit) => store.read("reservedJoins", { receivedBeforeMs, limit }),
    reservedJoinCount: (match) => store.read("reservedJoinCount", match),
    entriesOfUser: (user, match) => store.read("entriesOfUser", { user, match }),
    entriesOfContest: (contest, after, limit) => store.read("entriesOfContest", { contest, after, limit }),
    entryCount: (contest) => store.read("entryCount", contest),
    outbox: (limit) => store.read("outbox", limit),
    outboxSent: (outboxIds) => store.write("outboxSent", outboxIds),
    outboxCount: (match) => store.read("outboxCount", match),

    createDeposit: (deposit) => store.write("createDeposit", deposit),
    deposit: (orderId) => store.read("deposit", orderId),
    depositByProviderOrder: (providerOrderId) => store.read("depositByProviderOrder", providerOrderId),
    attachProviderOrder: (orderId, providerOrderId) => store.write("attachProviderOrder", { orderId, providerOrderId }),
    creditDeposit: (orderId, paymentId) => store.write("creditDeposit", { orderId, paymentId }),
    failDeposit: (orderId) => store.write("failDeposit", orderId),
    deposits: (after, limit) => store.read("deposits", { after, limit }),
    depositsOfUser: (user, limit) => store.read("depositsOfUser", { user, limit }),

    createWithdrawal: (withdrawal) => store.write("createWithdrawal", withdrawal),
    withdrawal: (withdrawalId) => store.read("withdrawal", withdrawalId),
    withdrawalByPayout: (payoutId) => store.read("withdrawalByPayout", payoutId),
    moveWithdrawal: (withdrawalId, from, to, providerPayoutId) =>
      store.write("moveWithdrawal", { withdrawalId, from, to, providerPayoutId: providerPayoutId ?? null }),
    withdrawals: (states, limit) => store.read("withdrawals", { states, limit }),
    withdrawalsOfUser: (user, limit) => store.read("withdrawalsOfUser", { user, limit }),

    openSpool: (nodeId, opening) => store.write("openSpool", { nodeId, opening }),
    closeSpool: (nodeId, opening) => store.write("closeSpool", { nodeId, opening }),
    openSpools: () => store.read("openSpools", undefined),

    identity: () => store.read("identity", undefined),
    close: () => store.close(),
  } satisfies Catalog;
}
