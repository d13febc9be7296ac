#!/usr/bin/env bun
import { join } from "node:path";
import { type Config, limits } from "./config.ts";
import { type Clock, systemClock } from "./domain/clock.ts";
import { SCORING_RULES } from "./domain/scoring/rule-sets.ts";
import { catalogAccounts } from "./edge/accounts.ts";
import { Tokens } from "./edge/auth.ts";
import { browseCatalog } from "./edge/browse.ts";
import type { Game } from "./edge/game.ts";
import { openGuest } from "./edge/guests.ts";
import { FrontDesk } from "./edge/front-desk.ts";
import { SOCKET_PATH, startHttp } from "./edge/http-server.ts";
import { edgeLimits } from "./edge/limits.ts";
import { SocketServer } from "./edge/socket/socket-server.ts";
import { BoardEngine } from "./realtime/board/engine.ts";
import { BoardRoom } from "./realtime/board-room.ts";
import { epochOf, Gateway } from "./realtime/gateway/gateway.ts";
import { BoardLeaderboards } from "./realtime/leaderboards.ts";
import { boardDirectory, dataIdentity, MatchBoards } from "./realtime/match-boards.ts";
import { repeat } from "./repeat.ts";
import { openEmbeddedCatalog } from "./stores/catalog/embedded.ts";
import type { Catalog } from "./stores/catalog/port.ts";
import { openEmbeddedEventLog } from "./stores/event-log/embedded.ts";
import { openEmbeddedHotStore } from "./stores/hot-store/embedded.ts";
import { openEmbeddedLedger } from "./stores/ledger/embedded.ts";
import type { Ledger } from "./stores/ledger/port.ts";
import { openEmbeddedTeamStore } from "./stores/team-store/embedded.ts";
import { FeedIntake } from "./stream/feed-intake.ts";
import { MatchCache } from "./stream/match-cache.ts";
import { Materialiser } from "./stream/materialiser.ts";
import { RosterLock } from "./stream/roster-lock.ts";
import { Scorer } from "./stream/scorer.ts";
import { TeamSaves } from "./stream/team-saves.ts";
import { joinsSettled } from "./transaction/join-barrier.ts";
import { JoinSagas } from "./transaction/join-saga.ts";
import { MatchLifecycle } from "./transaction/match-lifecycle.ts";
import { OutboxPublisher } from "./transaction/outbox.ts";
import { Deposits } from "./transaction/payments/deposits.ts";
import { httpExchange } from "./transaction/payments/http.ts";
import type { PaymentProvider } from "./transaction/payments/provider.ts";
import { openRazorpay } from "./transaction/payments/razorpay.ts";
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
  /** One line for the operator. */
  readonly log?: (line: string) => void;
}

export interface Node {
  readonly url: string;
  readonly socketUrl: string;
  readonly clock: Clock;
  readonly tokens: Tokens;
  readonly catalog: Catalog;
  readonly ledger: Ledger;
  readonly game: Game;
  readonly provider: PaymentProvider;
  readonly kernelName: string;
  /** Sockets that are open now. */
  socketCount(): number;
  /** Resolves when every update of points that the log holds now is on the boards. */
  boardsSettled(): Promise<void>;
  /** Where a user pays in the sandbox; null with a real provider. */
  readonly sandboxUrl: string | null;
  /** Drains requests, stops consumers, closes stores. */
  stop(): Promise<void>;
}

export async function openStores(config: Config) {
  const at = (name: string) => ({
    file: join(config.dataDir, `${name}.sqlite`),
    pendingMax: limits.storePendingMax,
  });
  const [catalog, ledger, log, teamStore] = await Promise.all([
    openEmbeddedCatalog(at("catalog")),
    openEmbeddedLedger(at("ledger")),
    openEmbeddedEventLog(at("log")),
    openEmbeddedTeamStore(at("teams")),
  ]);
  const close = async () => {
    await Promise.all([catalog.close(), ledger.close(), log.close(), teamStore.close()]);
  };
  return { catalog, ledger, log, teamStore, close };
}

/** The whole object graph of one node, bottom up. */
export async function startNode(config: Config, options: NodeOptions = {}): Promise<Node> {
  const { clock = systemClock, sampleEveryMs = limits.boards.sampleEveryMs, log: say = console.error } = options;
  const onTrouble = (error: unknown) => say(error instanceof Error ? (error.stack ?? error.message) : String(error));

  const stores = await openStores(config);
  const { catalog, ledger, log, teamStore } = stores;
  const hotStore = openEmbeddedHotStore({ clock, ...limits.hotStore });
  const directory = boardDirectory(config.boardDir, config.dataDir);
  const engine = await BoardEngine.start({ directory, log: say });
  const matches = new MatchCache(catalog, limits.matchCache);
  const consumer = { ...limits.consumer, onTrouble };

  // Stream plane.
  const materialiser = new Materialiser({ log, teamStore, matches, consumer });
  const teams = new TeamSaves({
    log,
    hotStore,
    teamStore,
    matches,
    clock,
    currentTeamTtlMs: limits.currentTeamTtlMs,
    materialised: (partition) => materialiser.materialised(partition),
  });
  const feed = new FeedIntake({ log, hotStore, matches, clock, dedupTtlMs: limits.eventDedupTtlMs });
  const scorer = new Scorer({ log, catalog, teamStore, matches, consumer });

  // Realtime plane.
  const boards = new MatchBoards({ log, catalog, teamStore, engine, directory, clock, sampleEveryMs, consumer });
  const room = new BoardRoom({ catalog, directory, warn: say });

  // Transaction plane.
  const joins = new JoinSagas({
    catalog,
    ledger,
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
    checkEveryMs: limits.lock.checkEveryMs,
    savesDrained: (match) => teams.drained(match),
    joinsSettled: (match) =>
      joinsSettled({ catalog, sagas: joins, recovery, outbox, pause: Bun.sleep, pollMs: limits.lock.pollMs }, match),
    boards,
    onTrouble,
  });

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
    payoutAccount: "powerplay",
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
  const pointsSettled = async (match: Parameters<typeof scorer.settled>[0]) => {
    await feed.drained(match);
    await scorer.settled(match);
    await boards.settled();
  };
  const game: Game = {
    browse: browseCatalog(catalog),
    teams,
    joins,
    feed,
    boards: new BoardLeaderboards({ catalog, matches, boards, scorer }),
    wallet: userWallet({ provider, deposits, withdrawals, catalog, reads: new WalletReads(ledger) }),
    admin: new MatchLifecycle({
      catalog,
      clock,
      settlement,
      pointsSettled,
      scoringRules: new Set(Object.keys(SCORING_RULES)),
      lock: (match) => lock.lock(match),
      finalBoard: async (contest) => {
        // After a restart the board of a settled match may not be open yet.
        if (!boards.has(contest.matchId)) await lock.lock(contest.matchId);
        return boards.final(contest.matchId, contest.id);
      },
      onChange: (match) => matches.forget(match),
    }),
  };
  const tokens = new Tokens(config.secrets.jwt, clock, edgeLimits);
  let isReady = true;
  const ready = () => isReady;
  const desk = new FrontDesk({
    game,
    accounts: await catalogAccounts(catalog, clock),
    tokens,
    clock,
    limits: edgeLimits,
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
    onTrouble,
  });
  const gateway = new Gateway({
    boards,
    namesOf: (users) => catalog.userNames(users),
    matchNow: async (match) => (await matches.get(match))?.match ?? null,
    updatesOf: (match) => scorer.scored(match)?.updates ?? [],
    epoch: epochOf(dataIdentity(config.dataDir)),
    limits: {
      ...limits.gateway,
      tickMs: config.tickMs,
      spreadMs: Math.min(limits.gateway.spreadMs, config.tickMs / 2),
    },
    onTrouble,
  });
  const socket = new SocketServer({
    desk,
    gateway,
    context: { squadOf: async (match) => (await matches.get(match))?.squad ?? null },
    limits: limits.sockets,
    origins: config.socketOrigins,
    ready,
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
    limits: edgeLimits,
    socketLimits: limits.sockets,
    host,
    port,
    onTrouble,
  });
  gateway.publishTo(http.publish);
  boards.onPublished((match) => gateway.published(match));
  webhookUrl = `${http.url}/v1/payments/webhook`;

  // Background work begins when everything that it calls exists.
  const workers = [
    repeat(() => outbox.publish(), limits.joins.outboxEveryMs, onTrouble),
    repeat(() => recovery.sweep(), limits.joins.recoverEveryMs, onTrouble),
    repeat(() => room.check(), limits.boards.roomCheckEveryMs, onTrouble),
  ];
  lock.start();

  return {
    url: http.url,
    socketUrl: http.url.replace("http", "ws") + SOCKET_PATH,
    clock,
    tokens,
    catalog,
    ledger,
    game,
    provider,
    kernelName: engine.kernelName,
    socketCount: () => socket.socketCount,
    boardsSettled: () => boards.settled(),
    sandboxUrl: sandbox?.url ?? null,
    async stop() {
      isReady = false;
      await socket.drain(config.drainMs, edgeLimits.drainMs);
      gateway.stop();
      await http.stop();
      await lock.stop();
      await Promise.all([...workers.map((worker) => worker.stop()), sandbox?.stop()]);
      await Promise.all([materialiser.stop(), scorer.stop(), boards.stop()]);
      engine.stop();
      await hotStore.close();
      await stores.close();
    },
  };
}

if (import.meta.main) {
  const { runCommand } = await import("./cli.ts");
  process.exitCode = await runCommand(process.argv.slice(2));
}
