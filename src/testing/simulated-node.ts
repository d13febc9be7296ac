import { Slices } from "../cluster/slices.ts";
import type { Clock } from "../domain/clock.ts";
import type { MatchId } from "../domain/ids.ts";
import { paise } from "../domain/money.ts";
import type { PointsVector } from "../domain/points.ts";
import type { Catalog } from "../stores/catalog/port.ts";
import { type EventLog, TOPICS } from "../stores/event-log/port.ts";
import type { SpoolStore } from "../stores/event-log/spool-store.ts";
import type { HotStore } from "../stores/hot-store/port.ts";
import type { Ledger } from "../stores/ledger/port.ts";
import type { TeamStore } from "../stores/team-store/port.ts";
import { StoreUnavailable } from "../stores/unavailable.ts";
import { FeedIntake } from "../stream/feed-intake.ts";
import { MatchCache } from "../stream/match-cache.ts";
import { Materialiser } from "../stream/materialiser.ts";
import { asSpooled } from "../stream/records.ts";
import { SaveFence } from "../stream/save-fence.ts";
import { SaveSpool } from "../stream/save-spool.ts";
import { TeamSaves } from "../stream/team-saves.ts";
import { joinsSettled } from "../transaction/join-barrier.ts";
import { JoinSagas } from "../transaction/join-saga.ts";
import { MatchLifecycle } from "../transaction/match-lifecycle.ts";
import { OutboxPublisher } from "../transaction/outbox.ts";
import { Deposits } from "../transaction/payments/deposits.ts";
import type { HttpExchange } from "../transaction/payments/http.ts";
import { openRazorpay } from "../transaction/payments/razorpay.ts";
import { acceptWebhook } from "../transaction/payments/webhooks.ts";
import { Withdrawals } from "../transaction/payments/withdrawals.ts";
import { JoinRecovery } from "../transaction/recovery.ts";
import { Settlement } from "../transaction/settlement.ts";
import type { Scheduler } from "./scheduler.ts";
import type { Sightings } from "./sightings.ts";
import { SKEW_MS_MAX } from "./simulated-game.ts";
import { finalScores, lockEntries, type LockedEntries } from "./simulated-boards.ts";
import { scoreRecords, simulatedScore } from "./simulated-scores.ts";
import type { Incarnation, SimulatedNetwork } from "./simulated-network.ts";

/** More than twice what the clocks of two nodes may differ by (stream/records.ts). */
const SPOOL_AFTER_MS = 200;

export const WEBHOOK_SECRET = "simulated";

/** What a planted bug may put in place of a part that no change of the source would reach. */
export interface Seams {
  /** `clientNowMs`: what the device of the last request took for the time. */
  readonly clock?: (clock: Clock, clientNowMs: () => number) => Clock;
}

export interface Stores {
  readonly catalog: Catalog;
  readonly ledger: Ledger;
  readonly log: EventLog;
  readonly teamStore: TeamStore;
  readonly hotStore: HotStore & { forget(): void };
  /** By node: what its disk keeps when it crashes. */
  readonly spools: Map<string, SpoolStore>;
  readonly openSpool: () => SpoolStore;
}

export interface NodeWorld {
  readonly scheduler: Scheduler;
  readonly network: SimulatedNetwork;
  readonly stores: Stores;
  readonly exchange: HttpExchange;
  readonly seams: Seams;
  readonly points: PointsVector;
  readonly clientNowMs: () => number;
  readonly sightings: Sightings;
  /** Records that a spool takes. */
  readonly spoolRecordsMax: number;
  /** A thrown error that is not a store being away: a bug. */
  readonly onBug: (error: unknown) => void;
  /** The first node to lock the entries decides; durable by decree, as the index topic is in a real one. */
  readonly locked: { entries: LockedEntries | null };
}

/** The production object graph of one node, over the simulated world. */
export type NodeGraph = ReturnType<typeof openNode>;

export function openNode(world: NodeWorld, incarnation: Incarnation, clockSkewMs: number) {
  const { scheduler, network, stores, seams, points, sightings, onBug } = world;
  const catalog = network.connect(incarnation, "Catalog", stores.catalog);
  const ledger = network.connect(incarnation, "Ledger", stores.ledger);
  const log = network.connect(incarnation, "EventLog", stores.log);
  const teamStore = network.connect(incarnation, "TeamStore", stores.teamStore);
  const hotStore: HotStore = network.connect(incarnation, "HotStore", stores.hotStore);
  const serverClock: Clock = { nowMs: () => scheduler.nowMs() + clockSkewMs };
  const clock = seams.clock?.(serverClock, world.clientNowMs) ?? serverClock;
  const pause = (ms: number) =>
    new Promise<void>((resolve) => scheduler.after(ms, () => incarnation.alive() && resolve()));
  const onTrouble = (error: unknown) => {
    if (!(error instanceof StoreUnavailable)) onBug(error);
  };

  const matches = new MatchCache(catalog, { matchesMax: 10, ttlMs: 300 }, scheduler);
  const fence = new SaveFence({ catalog, log, clock, clockSkewMsMax: 2 * SKEW_MS_MAX, matchesMax: 10 });
  const materialiser = new Materialiser({
    log,
    teamStore,
    matches,
    fence,
    slices: Slices.single(),
    pollMs: 100,
    consumer: { bytesMax: 1 << 16, waitMs: 900, retryMs: 300, onTrouble, pause },
  });
  const materialised = (partition: number) => materialiser.materialised(partition);
  const { name } = incarnation;
  const disk = stores.spools.get(name) ?? null;
  const saves = new SaveSpool({
    log,
    catalog: {
      ...catalog,
      openSpool: (...opening) =>
        catalog.openSpool(...opening).catch((error: unknown) => {
          sightings.saw("a spool that the catalog could not be told of");
          throw error;
        }),
    },
    fence,
    nodeId: name,
    store: {
      exists: disk !== null,
      async open() {
        const spool = disk ?? stores.openSpool();
        stores.spools.set(name, spool);
        return network.attach(incarnation, "Spool", spool);
      },
    },
    spoolAfterMs: SPOOL_AFTER_MS,
    marked: asSpooled,
    recordsMax: world.spoolRecordsMax,
    batchRecords: 3,
    retryMs: 100,
    onTrouble,
    onCount: () => undefined,
    after(ms, then) {
      let called = false;
      scheduler.after(ms, () => called || !incarnation.alive() || then());
      return () => void (called = true);
    },
  });
  const starting = startSaves();

  /** As a process that does not come up is started again. */
  async function startSaves(): Promise<void> {
    for (;;) {
      try {
        await saves.start();
        if (saves.count > 0) sightings.saw("a start with saves in the spool");
        return;
      } catch (error) {
        onTrouble(error);
        await pause(100);
      }
    }
  }

  const teams = new TeamSaves({
    saves: {
      append: async (...save) => {
        await starting;
        return saves.append(...save);
      },
      ofUser: async (user) => {
        await starting;
        return saves.ofUser(user);
      },
    },
    hotStore,
    teamStore,
    matches,
    clock,
    fence,
    currentTeamTtlMs: 60_000,
    materialised,
  });
  const joins = new JoinSagas({
    catalog,
    ledger,
    matches,
    clock,
    teamExists: (user, match, team) => teams.exists(user, match, team),
    termsMax: 10,
  });
  const recovery = new JoinRecovery({ catalog, sagas: joins, clock, abandonedAfterMs: 1500, batchSagas: 50 });
  const outbox = new OutboxPublisher({ catalog, eventLog: log, batchEntries: 5 });
  const provider = openRazorpay({
    exchange: (request) => network.call(incarnation, "Provider", request.path, () => world.exchange(request)),
    keyId: "id",
    keySecret: "secret",
    webhookSecret: WEBHOOK_SECRET,
    payoutAccount: "ours",
  });
  const amounts = { amountPaiseMin: paise(100), amountPaiseMax: paise(1_000_000) };
  const deposits = new Deposits({ catalog, ledger, provider, clock, ...amounts });
  const withdrawals = new Withdrawals({ catalog, ledger, provider, clock, ...amounts });
  const feed = new FeedIntake({ log, catalog, hotStore, matches, clock, dedupTtlMs: 60_000 });
  const settlement = new Settlement({ catalog, ledger, clock, chunkPayments: 3, chunksInFlight: 2 });

  /** Everything that was in time is in the log, then the teams are frozen. */
  async function freeze(match: { readonly id: MatchId; readonly startMs: number }): Promise<void> {
    await joinsSettled({ catalog, sagas: joins, recovery, outbox, pause, pollMs: 200 }, match.id);
    await teams.drained(match.id);
    if ((await stores.catalog.openSpools()).length > 0) sightings.saw("a lock that met an open spool");
    await fence.close(match.id);
    for (let partition = 0; partition < TOPICS["team-saves"].partitionCount; partition++) await materialised(partition);
    const entries = await lockEntries({ log, teamStore }, match);
    world.locked.entries ??= entries;
  }

  const lifecycle = new MatchLifecycle({
    catalog,
    clock,
    scoringRules: new Set(["base"]),
    async lock(id) {
      const match = await catalog.match(id);
      if (match === null) return "match_not_found";
      await catalog.moveMatch(id, "upcoming", "locked");
      await freeze(match);
      return "locked";
    },
    closePoints: (match) => feed.close(match),
    pointsSettled: (match) => feed.drained(match),
    settlement,
    async finalScores(contest) {
      const scored = simulatedScore(await scoreRecords(log, contest.matchId), points);
      return finalScores(contest, world.locked.entries ?? new Map(), scored);
    },
    onChange: (match) => matches.forget(match),
  });

  async function repeat(everyMs: number, work: () => Promise<unknown>): Promise<void> {
    while (incarnation.alive()) {
      await work().catch(onTrouble);
      await pause(everyMs);
    }
  }
  void repeat(300, () => outbox.publish());
  void repeat(1000, () => recovery.sweep());
  void repeat(2000, () => withdrawals.sweep(50));
  void repeat(2000, () => lifecycle.resume(50));

  return {
    clock,
    catalog,
    teams,
    joins,
    deposits,
    withdrawals,
    lifecycle,
    feed,
    webhook: (rawBody: string, signature: string) =>
      acceptWebhook({ provider, deposits, withdrawals }, new TextEncoder().encode(rawBody), signature),
  };
}
