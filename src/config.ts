import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { assert } from "./domain/assert.ts";
import { rupees } from "./domain/money.ts";
import type { LogFormat } from "./log.ts";
import { DEV_SECRETS, type EdgeSecrets, type NodeSecrets, secretFaults } from "./edge/secrets.ts";

/**
 * Every limit of a node in one place, asserted on load; relations between them are asserted too, so that a wrong
 * combination fails before the first request. What an operator sets comes from the environment through `loadConfig`.
 */
export const limits = {
  consumer: {
    /** 1 MiB is 32 K team saves: large enough that a commit is amortised, small enough to repeat after a crash. */
    bytesMax: 1 << 20,
    waitMs: 1_000,
    retryMs: 200,
  },
  materialiser: {
    /**
     * How long saves gather between two writes to a shared team store. A partition of the log goes to 32 of Cassandra's, where a row
     * costs 190 µs in writes of 32 rows, 48 in such of 128 and 20 in such of 512. Who reads a team waits as long at most.
     */
    gatherMs: 250,
  },
  /** A save may take 300 ms. */
  matchCache: { matchesMax: 1_024, ttlMs: 1_000, patienceMs: 100 },
  currentTeamTtlMs: 7 * 24 * 3_600_000,
  boards: {
    topCountMax: 100,
    pageCountMax: 100,
    neighbourRadiusMax: 50,
    sampleEveryMs: 30_000,
    lookEveryMs: 30_000,
    roomCheckEveryMs: 60_000,
    /** The board of a match whose prizes are paid is asked for a lot at first, and hardly ever a day later. */
    releasedIdleMs: 3_600_000,
    /** Of users on boards that somebody looked at: some 100 bytes each. */
    namesMax: 200_000,
    /** The log keeps 7 days, and a match may be open for teams 4 days before it starts. */
    inLogMs: 3 * 24 * 3_600_000,
  },
  /** Calls that may wait for one embedded store in each direction: past it callers hear 503 rather than wait for ever. */
  storePendingMax: 100_000,
  /** The log in Kafka. */
  kafka: {
    /** Appends under way, and their bytes; past either a save goes to the spool. */
    pendingMax: 100_000,
    pendingBytesMax: 64 << 20,
    timeoutMs: 5_000,
    questionMs: 2_000,
    readersMax: 6,
    aheadBytesMax: 1 << 20,
    /** The least that brokers allow unless told otherwise. */
    sessionMs: 6_000,
  },
  /** Team saves while the log is away. */
  spool: {
    /** Within the 300 ms that a save may take; twice LATE_MS of stream/records.ts. */
    spoolAfterMs: 200,
    /** Some 100 MB on disk: half a minute of all of 10 M users' last-minute saves on one of 100 nodes. */
    recordsMax: 1_000_000,
    batchRecords: 2_000,
    retryMs: 250,
  },
  /** A save waits for its log as long as its caller does, or is refused. */
  noSpool: { spoolAfterMs: 60_000, recordsMax: 0, batchRecords: 1, retryMs: 250 },
  /** The ledger where LEDGER_URL names an Aerospike cluster. */
  aerospikeLedger: {
    /** About 130 bytes each in the record of an account that all of them touch; records have 1 MiB. */
    waveTransfersMax: 1_024,
    timeoutMs: 5_000,
    /** About 8 KB each at most. */
    accountsMax: 50_000,
    sweepEveryMs: 1_000,
    /** Longer than any wave takes while the cluster answers. */
    staleMs: 5_000,
    threadCount: 4,
    callTimeoutMs: 1_000,
  },
  /** The ledger where LEDGER_URL names a process that keeps it, and that process. */
  remoteLedger: {
    timeoutMs: 10_000,
    auditTimeoutMs: 120_000,
    /** A settlement's payments come ten thousand at once. */
    bodyBytesMax: 32 << 20,
    waveTransfersMax: 2_000,
  },
  /** Each node has `connectionsMax` connections to each database, and one more a group of joins to that of contests. */
  postgres: {
    calls: { connectionsMax: 8, connectTimeoutMs: 5_000, callTimeoutMs: 8_000, pendingMax: 100_000 },
    joins: { lanes: 2, groupsMax: 2, callsPerGroupMax: 2_000, waitingMax: 100_000 },
  },
  hotStore: { bytesMax: 256 << 20, bucketsMax: 500_000, boardBytesMax: 64 << 20 },
  redis: { timeoutMs: 500, connectTimeoutMs: 3_000, reconnectMsMax: 1_000, callsMax: 20_000, bulkTimeoutMs: 3_000 },
  /** Twenty failures in a row are an outage; with a third of a cluster away that is one chance in three billion. 500 K keys are about 60 MB. */
  hotStoreFallback: { failuresMax: 20, probeEveryMs: 250, localKeysMax: 500_000 },
  /** Copies of boards in a shared hot store. */
  mirror: {
    /** A final's contests up to this size have 10 M entries together: some ten seconds of one Redis, once a ball. */
    wholeEntriesMax: 10_000,
    topCount: 1_000,
    /** A few MB for each write under way. */
    pieceEntries: 131_072,
    writesUnderWay: 3,
    /** Longer than the quiet hours of any match; what goes before is written again. */
    ttlMs: 24 * 3_600_000,
    retryMs: 250,
    checkEveryMs: 2_000,
    checkContests: 500,
    askedForMs: 60_000,
    /** How old what is shown of a slice on its way to another node may be: as long as that takes. */
    staleMsMax: 15_000,
  },
  totals: {
    /** 12 M rows keep a database busy for longer than a ball takes. */
    everyMs: 60_000,
    lookEveryMs: 500,
    writesUnderWay: 2,
    /** A millisecond of the event loop's time; what is committed together with them waits some for them. */
    rowsMax: 1_000,
    /** A node that was down since before has long been replaced. */
    resumeForMs: 48 * 3_600_000,
  },
  cassandra: {
    timeoutMs: 5_000,
    connectTimeoutMs: 20_000,
    /** One server with two cores is as fast with 32 as with 128; more is for more servers. */
    requestsMax: 64,
    waitingMax: 20_000,
    /** Some 30 KB: a batch of one partition is one write to the server. */
    batchRowsMax: 512,
    reconnectMsMax: 2_000,
  },
  eventDedupTtlMs: 24 * 3_600_000,
  joins: {
    termsMax: 20_000,
    recoveryBatchSagas: 500,
    recoverEveryMs: 1_000,
    outboxBatchEntries: 2_000,
    outboxEveryMs: 20,
  },
  settlement: { chunkPayments: 10_000, chunksInFlight: 4, resumeEveryMs: 5_000, resumeContests: 1_000 },
  payments: { timeoutMs: 10_000, sweepEveryMs: 5_000, sweepWithdrawals: 500 },
  reconcile: {
    pageRows: 1_000,
    rowsMax: 100_000,
    /** 03:00 in India, when nobody plays. */
    atUtcMinute: 21 * 60 + 30,
    /** How late it may begin. */
    lookEveryMs: 10_000,
    /** Longer than any join or payment takes to come to rest. */
    pauseMs: 30_000,
  },
  lock: {
    /** How often the scheduler looks for matches whose deadline has passed. */
    checkEveryMs: 250,
    /** A join that has been under way longer than this is finished or refunded by the recovery worker. */
    joinStaleMs: 2_000,
    pollMs: 5,
    /** Nearly all teams are built and joined in the last half hour. */
    followBeforeMs: 30 * 60_000,
    /** What comes after the last look is read at the deadline: at 500 K saves a second, half a second's work. */
    followEveryMs: 1_000,
  },
  wallet: {
    depositMinPaise: rupees(1),
    depositMaxPaise: rupees(1_000_000),
    withdrawalMinPaise: rupees(1),
    withdrawalMaxPaise: rupees(1_000_000),
    historyCountMax: 100,
  },
  /** Between any two nodes; clocks kept by NTP stay within milliseconds. A save asks twice about the lock from so long before the deadline on. */
  clockSkewMsMax: 1_000,
  commentaryCountMax: 400,
  sockets: {
    socketsMax: 100_000,
    /** A mobile carrier puts thousands of people behind one address. */
    perAddressMax: 20_000,
    perUserMax: 10,
    /** As a body over HTTP; a squad of 64 players is 6 KB. */
    frameBytesMax: 64 * 1024,
    framesPerSecondMax: 200,
    callsUnderWayMax: 64,
    /** What one client may leave unread: a list of 10 K contests once. Past it the socket ends. */
    bufferedBytesMax: 4 << 20,
    compressBytesMin: 1_024,
    pingAfterMs: 25_000,
    idleMs: 60_000,
    followsMax: 64,
  },
  gateway: {
    /** How often followers are told of changes, at most; the first change after a quiet tick is told at once. */
    tickMs: 1_000,
    /** Over how long a round of pushes is spread. */
    spreadMs: 250,
    /** About 5 ms of writing. */
    sliceSockets: 512,
    snapshotBalls: 60,
    missedBallsMax: 200,
  },
  /** `powerplay demo`, while somebody has the web app open. */
  demo: {
    /** From a match's appearance to its deadline: long enough to look around, pick eleven and join. */
    visitorWindowMs: 180_000,
    /** Slow enough to read each ball, fast enough that a match takes three minutes. */
    visitorBallMs: 900,
    visitorPollMs: 200,
    /** Bots in the matches after the first: a crowd, and no load on the laptop that hosts it. */
    playAlongBotsMax: 1_000,
  },
  cluster: {
    owners: {
      /** The log keeps notes for days; one that was lost is missed for so long at most. */
      announceEveryMs: 60_000,
      checkEveryMs: 1_000,
      /** About a day's. */
      recordsMax: 10_000,
    },
    peers: {
      timeoutMs: 5_000,
      /** A page of a board is a few KB, the histogram of a great contest some hundred. */
      bodyBytesMax: 32 << 20,
    },
    /** How often a node asks whether another has done what it waits for. */
    pollMs: 20,
    /** How often a node says which contests are followed on it, and how long slices believe that. */
    watchEveryMs: 2_000,
    wantedForMs: 10_000,
    /** How long a standing may be behind the points before its slices are asked for it. */
    standingLagMs: 300,
    /** Rosters of users whose slices other nodes have: 100 K sockets that follow a few contests each. */
    rostersMax: 400_000,
    standingsMax: 2_000,
    /** How long a follower waits for a slice that is moving, and how often it asks. */
    slicePatienceMs: 10_000,
    sliceRetryMs: 100,
  },
  drainMs: 10_000,
  /** A node that starts takes traffic when its boards are attached, or after this long without: saves and joins need none. */
  attachMs: 30_000,
} as const;

assert(limits.boards.topCountMax <= limits.boards.pageCountMax, "the top is a page");
assert(limits.lock.checkEveryMs < limits.lock.joinStaleMs, "the lock waits for joins longer than one check");
assert(limits.consumer.waitMs < limits.drainMs, "a consumer's last read ends within the drain");
assert(limits.boards.topCountMax <= limits.mirror.topCount, "a copy has the whole top");
assert(limits.cluster.watchEveryMs < limits.cluster.wantedForMs, "what is followed is said before it is forgotten");
assert(limits.cluster.owners.announceEveryMs > limits.cluster.owners.checkEveryMs, "a check finds what is due");
assert(limits.gateway.spreadMs < limits.gateway.tickMs, "a round ends before the next begins");
assert(limits.sockets.pingAfterMs * 2 < limits.sockets.idleMs, "a ping has time to be answered");

const SECRET_VARIABLES: Readonly<Record<keyof NodeSecrets, string>> = {
  jwt: "JWT_SECRET",
  feed: "FEED_SECRET",
  webhook: "PAYMENT_WEBHOOK_SECRET",
  cluster: "CLUSTER_SECRET",
};

/** An empty one is none, as an orchestrator's template may leave it. */
const url = z
  .string()
  .optional()
  .transform((text) => text?.trim() || null);
/** With commas; hosts of one URL with commas are those of other variables. */
const urls = z
  .string()
  .default("")
  .transform((text) => text.split(",").flatMap((each) => each.trim() || []));

const environment = z.object({
  PORT: z.coerce.number().int().min(0).max(65_535).default(3_000),
  HOST: z.string().default("0.0.0.0"),
  OPS_PORT: z.coerce.number().int().min(0).max(65_535).optional(),
  OPS_HOST: z.string().default("127.0.0.1"),
  LOG_FORMAT: z.enum(["json", "text"]).optional(),
  DATA_DIR: z.string().default("data"),
  BOARD_DIR: z.string().default("/dev/shm"),
  JWT_SECRET: z.string().optional(),
  FEED_SECRET: z.string().optional(),
  SOCKET_ORIGINS: z.string().default(""),
  TICK_MS: z.coerce.number().int().min(10).max(60_000).default(limits.gateway.tickMs),
  DRAIN_MS: z.coerce.number().int().min(0).max(600_000).default(5_000),
  PAYMENT_URL: z.url().optional(),
  PAYMENT_KEY_ID: z.string().optional(),
  PAYMENT_KEY_SECRET: z.string().optional(),
  PAYMENT_WEBHOOK_SECRET: z.string().optional(),
  EVENT_LOG_URL: url,
  HOT_STORE_URL: url,
  CATALOG_URL: url,
  CATALOG_USER_URLS: urls,
  CATALOG_REPLICA_URLS: urls,
  TEAM_STORE_URL: url,
  LEDGER_URL: url,
  NODE_ID: z
    .string()
    .regex(/^[\w.:-]{1,64}$/, "1 to 64 letters, digits, dots, colons, hyphens")
    .optional(),
  PEER_HOST: z.string().default("127.0.0.1"),
  PEER_PORT: z.coerce.number().int().min(0).max(65_535).default(0),
  PEER_URL: z.url({ protocol: /^https?$/ }).optional(),
  CLUSTER_SECRET: z.string().optional(),
});

/** Which engine each port has; null: the embedded one. The forms are described where each is opened. */
export interface StoreUrls {
  /** Kafka. */
  readonly eventLog: string | null;
  /** Redis. */
  readonly hotStore: string | null;
  /** Postgres. */
  readonly catalog: {
    readonly url: string;
    readonly userUrls: readonly string[];
    readonly replicaUrls: readonly string[];
  } | null;
  /** ScyllaDB or Cassandra. */
  readonly teamStore: string | null;
  /** Aerospike; or, in development, a process that keeps it. */
  readonly ledger: string | null;
}

export interface Config {
  readonly port: number;
  readonly host: string;
  /** Where /metrics, /healthz and /readyz are answered to those who run the node. */
  readonly opsPort: number;
  readonly opsHost: string;
  /** undefined: text where stderr is a terminal. */
  readonly logFormat: LogFormat | undefined;
  /** Holds every embedded store. */
  readonly dataDir: string;
  /** Where board segments live: shared memory, or any directory. */
  readonly boardDir: string;
  /** Default secrets and the sandbox payment provider are allowed. */
  readonly dev: boolean;
  readonly secrets: EdgeSecrets;
  /** Pages of these origins may open sockets, beside the node's own. */
  readonly socketOrigins: readonly string[];
  /** How often followers are told of changes, at most. */
  readonly tickMs: number;
  /** Over how long sockets are told to move at a stop. */
  readonly drainMs: number;
  /** null: the built-in sandbox provider, only with `dev`. */
  readonly payments: { readonly baseUrl: string; readonly keyId: string; readonly keySecret: string } | null;
  /** Names the node among those of its cluster, the same after every restart. */
  readonly nodeId: string;
  readonly stores: StoreUrls;
  /** The log is one that other nodes have too: this node is one of a cluster. */
  readonly isLogShared: boolean;
  /** Where other nodes ask this one. */
  readonly peerHost: string;
  /** 0 takes a free one. */
  readonly peerPort: number;
  /** What other nodes reach it by; null derives it from host and port. */
  readonly peerUrl: string | null;
  /** Nodes of a cluster show it to each other. */
  readonly clusterSecret: string;
}

export type ConfigResult =
  { readonly ok: true; readonly config: Config } | { readonly ok: false; readonly faults: readonly string[] };

/** Reads the environment. Each fault names its variable and the remedy. */
export function loadConfig(env: Readonly<Record<string, string | undefined>>, dev: boolean): ConfigResult {
  const parsed = environment.safeParse(env);
  if (!parsed.success) {
    return { ok: false, faults: parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`) };
  }
  const values = parsed.data;
  const faults: string[] = [];
  const secrets: EdgeSecrets = {
    jwt: values.JWT_SECRET ?? (dev ? DEV_SECRETS.jwt : ""),
    feed: values.FEED_SECRET ?? (dev ? DEV_SECRETS.feed : ""),
    webhook: values.PAYMENT_WEBHOOK_SECRET ?? (dev ? DEV_SECRETS.webhook : ""),
  };
  const isLogShared = values.EVENT_LOG_URL !== null;
  if (values.CATALOG_URL === null && values.CATALOG_USER_URLS.length + values.CATALOG_REPLICA_URLS.length > 0) {
    faults.push("CATALOG_URL: is needed beside CATALOG_USER_URLS or CATALOG_REPLICA_URLS");
  }
  const clusterSecret = values.CLUSTER_SECRET ?? (dev ? DEV_SECRETS.cluster : "");
  if (!dev) {
    for (const { secret, message } of secretFaults(isLogShared ? { ...secrets, cluster: clusterSecret } : secrets)) {
      faults.push(`${SECRET_VARIABLES[secret]}: ${message}; set at least 32 random characters, or start with --dev`);
    }
  }
  const { PAYMENT_URL, PAYMENT_KEY_ID, PAYMENT_KEY_SECRET } = values;
  let payments: Config["payments"] = null;
  if (PAYMENT_URL && PAYMENT_KEY_ID && PAYMENT_KEY_SECRET) {
    payments = { baseUrl: PAYMENT_URL, keyId: PAYMENT_KEY_ID, keySecret: PAYMENT_KEY_SECRET };
  } else if (PAYMENT_URL || PAYMENT_KEY_ID || PAYMENT_KEY_SECRET) {
    faults.push("PAYMENT_URL, PAYMENT_KEY_ID, PAYMENT_KEY_SECRET: set all three or none");
  } else if (!dev) {
    faults.push("PAYMENT_URL: no payment provider is set; set the three PAYMENT_ variables, or start with --dev");
  }
  const opsPort = values.OPS_PORT ?? opsPortOf(values.PORT);
  if (opsPort > 65_535) faults.push(`OPS_PORT: ${OPS_PORT_AFTER} above PORT is no port; set one`);
  if (values.PEER_URL !== undefined && values.PEER_PORT === 0) {
    faults.push("PEER_PORT: PEER_URL leads to a port; set which one");
  }
  if (faults.length > 0) return { ok: false, faults };
  return {
    ok: true,
    config: {
      port: values.PORT,
      host: values.HOST,
      opsPort,
      opsHost: values.OPS_HOST,
      logFormat: values.LOG_FORMAT,
      dataDir: values.DATA_DIR,
      boardDir: values.BOARD_DIR,
      dev,
      secrets,
      socketOrigins: values.SOCKET_ORIGINS.split(",").filter((origin) => origin !== ""),
      tickMs: values.TICK_MS,
      drainMs: values.DRAIN_MS,
      payments,
      nodeId: values.NODE_ID ?? `${hostname()}:${values.PORT}`,
      stores: {
        eventLog: values.EVENT_LOG_URL,
        hotStore: values.HOT_STORE_URL,
        catalog:
          values.CATALOG_URL === null
            ? null
            : {
                url: values.CATALOG_URL,
                userUrls: values.CATALOG_USER_URLS,
                replicaUrls: values.CATALOG_REPLICA_URLS,
              },
        teamStore: values.TEAM_STORE_URL,
        ledger: values.LEDGER_URL,
      },
      isLogShared,
      peerHost: values.PEER_HOST,
      peerPort: values.PEER_PORT,
      peerUrl: values.PEER_URL?.replace(/\/$/, "") ?? null,
      clusterSecret,
    },
  };
}

/** Nodes on one machine have ports of their own already, and so are these. */
const OPS_PORT_AFTER = 10_000;
const opsPortOf = (port: number): number => (port === 0 ? 0 : port + OPS_PORT_AFTER);

/** A throw-away node for tests and benchmarks: free port, its own directories. */
export function testConfig(directory = join(tmpdir(), `powerplay-${crypto.randomUUID()}`)): Config {
  return {
    port: 0,
    host: "127.0.0.1",
    opsPort: 0,
    opsHost: "127.0.0.1",
    logFormat: undefined,
    dataDir: join(directory, "data"),
    boardDir: join(directory, "boards"),
    dev: true,
    secrets: DEV_SECRETS,
    socketOrigins: [],
    tickMs: 50,
    drainMs: 0,
    payments: null,
    nodeId: `test-${crypto.randomUUID()}`,
    stores: { eventLog: null, hotStore: null, catalog: null, teamStore: null, ledger: null },
    isLogShared: false,
    peerHost: "127.0.0.1",
    peerPort: 0,
    peerUrl: null,
    clusterSecret: DEV_SECRETS.cluster,
  };
}
