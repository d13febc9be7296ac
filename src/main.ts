#!/usr/bin/env bun
import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Config, limits } from "./config.ts";
import { type Clock, systemClock } from "./domain/clock.ts";
import { SCORING_RULES } from "./domain/scoring/rule-sets.ts";
import type { MatchId } from "./domain/ids.ts";
import { isLocked } from "./domain/match.ts";
import { DailyDuty } from "./cluster/daily-duty.ts";
import { type Duty, hasDuty, onDuty } from "./cluster/duty.ts";
import { Slices } from "./cluster/slices.ts";
import { catalogAccounts } from "./edge/accounts.ts";
import { Tokens } from "./edge/auth.ts";
import { browseCatalog } from "./edge/browse.ts";
import type { Game } from "./edge/game.ts";
import { openGuest } from "./edge/guests.ts";
import { FrontDesk } from "./edge/front-desk.ts";
import { RequestTimes } from "./edge/request-times.ts";
import { SOCKET_PATH, startHttp } from "./edge/http-server.ts";
import { type EdgeLimits, edgeLimits } from "./edge/limits.ts";
import { type SocketLimits, SocketServer } from "./edge/socket/socket-server.ts";
import { BoardEngine } from "./realtime/board/engine.ts";
import { BoardRoom } from "./realtime/board-room.ts";
import { epochOf, Gateway } from "./realtime/gateway/gateway.ts";
import type { Told } from "./realtime/gateway/match-hall.ts";
import { BoardLeaderboards } from "./realtime/leaderboards.ts";
import { BoardMirror, showLag } from "./realtime/mirror/board-mirror.ts";
import { BoardTotals } from "./realtime/mirror/board-totals.ts";
import { MirroredPages } from "./realtime/mirror/mirrored-pages.ts";
import { LocalSlices } from "./realtime/slices/local-slices.ts";
import { joinPeers } from "./realtime/slices/peers.ts";
import { sliceAsker } from "./realtime/slices/ask-slice.ts";
import { StandingExchange } from "./realtime/slices/standing-exchange.ts";
import { wholeStandings } from "./realtime/slices/whole-contest.ts";
import { WholeBoards } from "./realtime/whole-boards.ts";
import { knownNames } from "./realtime/known-names.ts";
import { boardDirectory, MatchBoards } from "./realtime/match-boards.ts";
import { watchEventLoop } from "./event-loop-lag.ts";
import { Instruments } from "./instruments.ts";
import { Log, logFormat } from "./log.ts";
import { Metrics } from "./metrics.ts";
import { startOps } from "./ops-server.ts";
import { afterMs, repeat } from "./repeat.ts";
import type { Catalog } from "./stores/catalog/port.ts";
import { openSpoolStore } from "./stores/event-log/spool-store.ts";
import type { Ledger } from "./stores/ledger/port.ts";
import { openHotStore, openStores } from "./stores/open.ts";
import { ConsumerLags } from "./stream/consumer-lags.ts";
import { FeedIntake } from "./stream/feed-intake.ts";
import { MatchCache } from "./stream/match-cache.ts";
import { Materialiser } from "./stream/materialiser.ts";
import { SaveFence } from "./stream/save-fence.ts";
import { RosterLock } from "./stream/roster-lock.ts";
import { Scorer } from "./stream/scorer.ts";
import { asSpooled } from "./stream/records.ts";
import { SaveSpool } from "./stream/save-spool.ts";
import { TeamSaves } from "./stream/team-saves.ts";
import { joinsSettled } from "./transaction/join-barrier.ts";
import { JoinSagas } from "./transaction/join-saga.ts";
import { MatchLifecycle } from "./transaction/match-lifecycle.ts";
import { announcedEntries } from "./transaction/announced-entries.ts";
import { NightlyReconciliation } from "./transaction/nightly-reconciliation.ts";
import type { ReconcileReport } from "./transaction/reconcile.ts";
import { OutboxPublisher } from "./transaction/outbox.ts";
import { Deposits } from "./transaction/payments/deposits.ts";
import { httpExchange } from "./transaction/payments/http.ts";
import type { PaymentProvider } from "./transaction/payments/provider.ts";
import { openRazorpay, PAYOUT_ACCOUNT } from "./transaction/payments/razorpay.ts";
import { openSandboxServer } from "./transaction/payments/sandbox-server.ts";
import { userWallet } from "./transaction/payments/wallet.ts";
import { Withdrawals } from "./transaction/payments/withdrawals.ts";
import { JoinRecovery } from "./transaction/recovery.ts";
import { Settlement } from "./transaction/settlement.ts";
import { WalletReads } from "./transaction/wallet.ts";
import { builtAssets, WebApp } from "./web/serve.ts";

export interface NodeOptions {
  readonly clock?: Clock;
  readonly sampleEveryMs?: number;
  /** Other limits than a node's own: for benchmarks, where a few sockets stand for many users, and for tests. */
  readonly edge?: Partial<EdgeLimits>;
  readonly sockets?: Partial<SocketLimits>;
  /** One line for the operator. */
  readonly log?: (line: string) => void;
}

export interface Node {
  readonly url: string;
  /** Where those who run it find /metrics, /healthz and /readyz. */
  readonly opsUrl: string;
  readonly socketUrl: string;
  readonly clock: Clock;
  readonly tokens: Tokens;
  readonly catalog: Catalog;
  readonly ledger: Ledger;
  readonly game: Game;
  readonly provider: PaymentProvider;
  readonly kernelName: string;
  readonly sockets: { readonly openCount: number; readonly told: Readonly<Told> };
  /** Resolves when every event of the match that was accepted is in its points and on its boards. */
  pointsSettled(match: MatchId): Promise<void>;
  readonly metrics: Metrics;
  /** What every night does, at once. */
  reconcile(): Promise<ReconcileReport>;
  /** Where a user pays in the sandbox; null with a real provider. */
  readonly sandboxUrl: string | null;
  /**
   * Drains requests, stops consumers, closes stores. A node that is back within seconds finds its slices and boards as they
   * were; one that leaves its cluster gives its slices to the others at once.
   */
  stop(how?: { readonly leave: boolean }): Promise<void>;
}

/** The whole object graph of one node, bottom up. */
export async function startNode(config: Config, options: NodeOptions = {}): Promise<Node> {
  const { clock = systemClock, sampleEveryMs = limits.boards.sampleEveryMs } = options;
  const format = logFormat(config.logFormat, process.stderr.isTTY);
  const told = new Log({ format, write: options.log ?? console.error, nowMs: Date.now });
  const say = (line: string) => told.warn(line);
  const onTrouble = (error: unknown) => told.error(error);

  // First, so that a node which waits for its stores is seen to be alive and not ready.
  const metrics = new Metrics();
  const instruments = new Instruments(metrics);
  const eventLoop = watchEventLoop(instruments.eventLoopLagSeconds);
  let isOpen = true;
  let hasBoards = false;
  const ready = () => isOpen && hasBoards;
  const ops = startOps({ host: config.opsHost, port: config.opsPort, metrics, ready });

  const stores = await openStores(config);
  const { catalog, ledger, log, teamStore } = stores;
  const hotStore = await openHotStore(config, {
    clock,
    awayGauge: metrics.gauge(
      "powerplay_hot_store_away",
      "1 while the shared hot store is away and this node's memory answers.",
    ),
    log: say,
  });
  const identity = await catalog.identity();
  const directory = boardDirectory(config.boardDir, config.dataDir, identity);
  const engine = await BoardEngine.start({ directory, log: say });
  const matches = new MatchCache(catalog, limits.matchCache);
  const lags = new ConsumerLags();
  const lagHelp = "Records of the log that are not handled yet, by topic and partition.";
  metrics.gaugeRead("powerplay_consumer_lag_records", lagHelp, () => lags.read(log));
  const consumer = { ...limits.consumer, onTrouble, lags };
  const slices = config.isLogShared ? await Slices.join({ log, group: "slices", onTrouble }) : Slices.single();
  const slicesHelp = "Slices of the users that this node has; a node that is alone has one of all.";
  metrics.gaugeRead("powerplay_slices_owned", slicesHelp, () => slices.owned.size);
  const { pollMs } = limits.cluster;

  // Stream plane.
  const fence = new SaveFence({
    catalog,
    log,
    clock,
    clockSkewMsMax: limits.clockSkewMsMax,
    matchesMax: limits.matchCache.matchesMax,
  });
  const restMs = config.stores.teamStore === null ? 0 : limits.materialiser.gatherMs;
  const materialiser = new Materialiser({
    log,
    teamStore,
    matches,
    fence,
    slices,
    pollMs,
    consumer: { ...consumer, restMs },
  });
  const spoolFile = join(config.dataDir, "spool.sqlite");
  const saves = new SaveSpool({
    log,
    catalog,
    fence,
    nodeId: config.nodeId,
    store: {
      exists: existsSync(spoolFile),
      open: () => openSpoolStore({ file: spoolFile, pendingMax: limits.storePendingMax }),
    },
    // What takes an embedded log away takes a spool on the same disk away too.
    ...(config.isLogShared ? limits.spool : limits.noSpool),
    marked: asSpooled,
    onTrouble,
    onCount: (count) => instruments.spoolRecords.set(count),
    after: afterMs,
  });
  await saves.start();
  const teams = new TeamSaves({
    saves,
    hotStore,
    teamStore,
    matches,
    clock,
    fence,
    currentTeamTtlMs: limits.currentTeamTtlMs,
    materialised: (partition) => materialiser.materialised(partition),
  });
  const feed = new FeedIntake({
    log,
    catalog,
    hotStore,
    matches,
    clock,
    dedupTtlMs: limits.eventDedupTtlMs,
    patienceMs: limits.matchCache.patienceMs,
  });
  const scorer = new Scorer({ log, catalog, teamStore, matches, slices, pollMs, consumer });

  // Realtime plane.
  const boards = new MatchBoards({
    log,
    catalog,
    teamStore,
    slices,
    engine,
    fence,
    directory,
    clock,
    sampleEveryMs,
    lookEveryMs: limits.boards.lookEveryMs,
    releasedIdleMs: limits.boards.releasedIdleMs,
    mayForget: (match) => totals.isComplete(match),
    inLogMs: limits.boards.inLogMs,
    times: instruments,
    consumer,
  });
  const room = new BoardRoom({ catalog, directory, warn: say });

  // Transaction plane.
  const joins = new JoinSagas({
    catalog,
    ledger,
    matches,
    clock,
    teamExists: (user, match, team) => teams.exists(user, match, team),
    termsMax: limits.joins.termsMax,
  });
  const outbox = new OutboxPublisher({ catalog, eventLog: log, batchEntries: limits.joins.outboxBatchEntries });
  const recovery = new JoinRecovery({
    catalog,
    sagas: joins,
    clock,
    abandonedAfterMs: limits.lock.joinStaleMs,
    batchSagas: limits.joins.recoveryBatchSagas,
  });
  const settlement = new Settlement({ catalog, ledger, clock, ...limits.settlement });
  const lock = new RosterLock({
    catalog,
    matches,
    clock,
    ...limits.lock,
    savesDrained: (match) => teams.drained(match),
    joinsSettled: (match) =>
      joinsSettled({ catalog, sagas: joins, recovery, outbox, pause: Bun.sleep, pollMs: limits.lock.pollMs }, match),
    boards,
    onTrouble,
  });

  // A slice that is asked for may be one of a match that is over, whose board gave its memory back.
  const missing = (match: MatchId) => void lock.lock(match).catch(onTrouble);
  const local = new LocalSlices({ boards, engine, missing });
  const peers = config.isLogShared
    ? joinPeers({ config, log, slices, local, clock, consumer, limits: limits.cluster, onTrouble })
    : null;
  const ask = sliceAsker(slices, local, (slice) => peers?.ownerOf(slice) ?? null);
  const exchange =
    peers === null
      ? null
      : new StandingExchange({
          hotStore,
          boards,
          nodeId: config.nodeId,
          fetch: (match, contests, at) => wholeStandings(ask, slices.count, match, contests, at),
          isLocked: async (match) => isLocked((await matches.get(match))?.match.state ?? "upcoming"),
          onStanding: (match) => gateway.published(match),
          limits: {
            announceEveryMs: limits.cluster.watchEveryMs,
            wantedForMs: limits.cluster.wantedForMs,
            lagMs: limits.cluster.standingLagMs,
          },
          onTrouble,
        });
  const whole = new WholeBoards({
    slices,
    boards,
    engine,
    ask,
    exchange,
    teamStore,
    missing,
    sampleEveryMs,
    limits: {
      rostersMax: limits.cluster.rostersMax,
      standingsMax: limits.cluster.standingsMax,
      patienceMs: limits.cluster.slicePatienceMs,
      retryMs: limits.cluster.sliceRetryMs,
    },
  });

  // A hot store of the node's own would lose its copies with the boards.
  const mirror =
    config.stores.hotStore === null
      ? null
      : new BoardMirror({
          hotStore,
          boards,
          engine,
          entryCounts: (match) => whole.entryCounts(match),
          followed: (match) => exchange?.followed(match) ?? [],
          limits: limits.mirror,
          metrics,
          onTrouble,
        });
  showLag(metrics, mirror);
  const { staleMsMax, topCount, ttlMs, wholeEntriesMax } = limits.mirror;
  const copies = new MirroredPages({ hotStore, teamStore, ttlMs, staleMsMax, nowMs: () => clock.nowMs() });
  const totals: BoardTotals = new BoardTotals({
    teamStore,
    catalog,
    boards,
    scoresNow: (match, contest) => whole.scoresNow(match, contest),
    isOwn: (contest) => slices.owned.has(contest % slices.count),
    clock,
    limits: { ...limits.totals, topCount, wholeEntriesMax },
    metrics,
    onTrouble,
  });
  slices.onChange(() => totals.slicesChanged());

  // The sandbox starts before the address of our own webhook route is known; it asks at each delivery.
  let webhookUrl = "";
  const payments = config.payments ?? { baseUrl: "", keyId: "sandbox", keySecret: crypto.randomUUID() };
  const { keyId, keySecret } = payments;
  const webhookSecret = config.secrets.webhook;
  const sandbox =
    config.payments === null
      ? openSandboxServer({ port: 0, keyId, keySecret, webhookSecret, webhookUrl: () => webhookUrl, seed: 1 })
      : null;
  const provider = openRazorpay({
    exchange: httpExchange(sandbox?.url ?? payments.baseUrl, limits.payments.timeoutMs),
    keyId,
    keySecret,
    webhookSecret,
    payoutAccount: PAYOUT_ACCOUNT,
  });
  const { depositMinPaise, depositMaxPaise, withdrawalMinPaise, withdrawalMaxPaise } = limits.wallet;
  const money = { catalog, ledger, provider, clock };
  const deposits = new Deposits({ ...money, amountPaiseMin: depositMinPaise, amountPaiseMax: depositMaxPaise });
  const withdrawals = new Withdrawals({
    ...money,
    amountPaiseMin: withdrawalMinPaise,
    amountPaiseMax: withdrawalMaxPaise,
  });

  // Edge.
  const pointsSettled = async (match: MatchId) => {
    await feed.drained(match);
    await scorer.settled(match);
    await boards.settled();
  };
  const lifecycle = new MatchLifecycle({
    catalog,
    clock,
    settlement,
    closePoints: (match) => feed.close(match),
    pointsSettled,
    scoringRules: new Set(Object.keys(SCORING_RULES)),
    lock: (match) => lock.lock(match),
    finalScores: async ({ id, matchId }) => {
      // After a restart the board of a released match may not be open yet.
      if (!boards.has(matchId)) await lock.lock(matchId);
      await pointsSettled(matchId);
      return whole.finalScores(matchId, id);
    },
    onChange: (match) => matches.forget(match),
  });
  const namesOf = knownNames((users) => catalog.userNames(users), limits.boards.namesMax);
  const game: Game = {
    browse: browseCatalog(catalog, stores.browsing),
    teams,
    joins,
    feed,
    boards: new BoardLeaderboards({
      catalog,
      namesOf,
      termsMax: limits.joins.termsMax,
      matches,
      boards: whole,
      pointsOf: (match) => boards.points(match),
      scorer,
      copies,
      onAsked: (contest) => mirror?.asked(contest),
    }),
    wallet: userWallet({ provider, deposits, withdrawals, catalog, reads: new WalletReads(ledger) }),
    admin: lifecycle,
  };
  const httpLimits = { ...edgeLimits, ...options.edge };
  const tokens = new Tokens(config.secrets.jwt, clock, httpLimits);
  const startedMs = clock.nowMs();
  const times = new RequestTimes(metrics, {
    "POST /v1/teams": instruments.saveSeconds.of({}),
    "POST /v1/contests/{contest}/join": instruments.joinSeconds.of({}),
  });
  const desk = new FrontDesk({
    game,
    accounts: await catalogAccounts(catalog, clock),
    tokens,
    clock,
    limits: httpLimits,
    feedSecret: config.secrets.feed,
    ready,
    sandbox:
      sandbox === null
        ? null
        : {
            openGuest: (role) => openGuest(catalog, role, clock.nowMs()),
            pay: (providerOrderId) => sandbox.provider.checkOut(providerOrderId, true),
          },
    hotStore,
    times,
    onTrouble,
  });
  const gateway: Gateway = new Gateway({
    boards: whole,
    namesOf,
    matchNow: async (match) => (await matches.get(match))?.match ?? null,
    updatesOf: (match) => scorer.scored(match)?.updates ?? [],
    epoch: epochOf(identity),
    limits: {
      ...limits.gateway,
      tickMs: config.tickMs,
      spreadMs: Math.min(limits.gateway.spreadMs, config.tickMs / 2),
    },
    onBallsTold: (balls) => {
      const nowMs = clock.nowMs();
      // Those from before this node started were told by others, when they came.
      for (const { atMs } of balls) if (atMs >= startedMs) instruments.ballPushed(nowMs - atMs);
    },
    onTrouble,
  });
  const socketLimits = { ...limits.sockets, ...options.sockets };
  const socket = new SocketServer({
    desk,
    gateway,
    context: { squadOf: async (match) => (await matches.get(match))?.squad ?? null },
    limits: socketLimits,
    origins: config.socketOrigins,
    metrics,
    ready: () => isOpen,
    nowMs: () => clock.nowMs(),
    sandbox: sandbox !== null,
    onTrouble,
  });
  const { host, port } = config;
  const web = new WebApp(await builtAssets());
  const http = startHttp({
    desk,
    socket,
    web: (request) => web.answer(request),
    limits: httpLimits,
    socketLimits,
    times,
    host,
    port,
    onTrouble,
  });
  gateway.publishTo(http.publish);
  boards.onPublished((match) => {
    exchange?.published(match);
    gateway.published(match);
    mirror?.published(match);
    totals.published(match);
    copies.seen(match, boards.points(match).pointsVersion);
  });
  webhookUrl = `${http.url}/v1/payments/webhook`;

  const nightly = new NightlyReconciliation({
    catalog,
    ledger,
    provider,
    clock,
    metrics,
    boardCounts: async (match) => {
      if (!boards.has(match.id)) return match.state === "upcoming" ? null : announcedEntries(log, match);
      const [contests, counts] = await Promise.all([catalog.contests(match.id), whole.entryCounts(match.id)]);
      return new Map(contests.map(({ id }) => [id, counts.get(id) ?? 0]));
    },
    directory: join(config.dataDir, "reports"),
    pause: Bun.sleep,
    log: say,
    ...limits.reconcile,
  });

  const nightlyDuty = new DailyDuty({
    name: "reconciliation",
    atUtcMinute: limits.reconcile.atUtcMinute,
    clock,
    isOurs: () => hasDuty(slices, "reconciliation"),
    work: () => nightly.run(),
    hotStore,
  });

  // Background work begins when everything that it calls exists.
  const duty = (name: Duty, work: () => Promise<unknown>, everyMs: number) =>
    repeat(onDuty(slices, name, work), everyMs, onTrouble);
  const workers = [
    duty("outbox", () => outbox.publish(), limits.joins.outboxEveryMs),
    duty("joinRecovery", () => recovery.sweep(), limits.joins.recoverEveryMs),
    duty("withdrawals", () => withdrawals.sweep(limits.payments.sweepWithdrawals), limits.payments.sweepEveryMs),
    duty("lifecycle", () => lifecycle.resume(limits.settlement.resumeContests), limits.settlement.resumeEveryMs),
    repeat(() => nightlyDuty.look(), limits.reconcile.lookEveryMs, onTrouble),
    repeat(() => room.check(), limits.boards.roomCheckEveryMs, onTrouble),
  ];
  lock.start();
  const attaching = setTimeout(() => (hasBoards = true), limits.attachMs);
  void lock.opened().then(() => (hasBoards = true));
  void lock
    .opened()
    .then(() => totals.resume((match) => lock.lock(match)))
    .catch(onTrouble);

  return {
    url: http.url,
    opsUrl: ops.url,
    socketUrl: http.url.replace("http", "ws") + SOCKET_PATH,
    clock,
    tokens,
    catalog,
    ledger,
    game,
    provider,
    kernelName: engine.kernelName,
    sockets: {
      get openCount() {
        return socket.socketCount;
      },
      told: gateway.told,
    },
    pointsSettled,
    metrics,
    reconcile: () => nightly.run(),
    sandboxUrl: sandbox?.url ?? null,
    async stop({ leave } = { leave: false }) {
      isOpen = false;
      clearTimeout(attaching);
      http.drain();
      // However few sockets there are, a balancer needs the time to see, and clients to leave.
      const leavingMs = config.isLogShared ? config.drainMs : 0;
      await Promise.all([socket.drain(config.drainMs, httpLimits.drainMs), Bun.sleep(leavingMs)]);
      gateway.stop();
      await http.stop();
      await lock.stop();
      await Promise.all([...workers.map((worker) => worker.stop()), sandbox?.stop()]);
      if (leave) await slices.leave();
      await Promise.all([exchange?.stop(), mirror?.stop(), totals.stop(), peers?.stop()]);
      await Promise.all([saves.stop(), materialiser.stop(), scorer.stop(), boards.stop()]);
      engine.stop();
      await hotStore.close();
      await stores.close();
      eventLoop.stop();
      await ops.stop();
    },
  };
}

if (import.meta.main) {
  const { runCommand } = await import("./cli.ts");
  const status = await runCommand(process.argv.slice(2));
  // A start that failed half-way leaves threads and listeners behind, which would keep the process.
  if (status !== 0) process.exit(status);
}
