import { join } from "node:path";
import { parseArgs } from "node:util";
import { PeerServer } from "./cluster/peers.ts";
import { type Config, limits, loadConfig } from "./config.ts";
import { playDemo } from "./demo/demo.ts";
import { INVITE_CODE } from "./demo/plan.ts";
import { ballPauseMs, postFeedEvent, readCricsheetFile } from "./demo/replay.ts";
import { startNode } from "./main.ts";
import { VERSION } from "./version.ts";
import { openEmbeddedLedger } from "./stores/ledger/embedded.ts";
import { ledgerHandlers } from "./stores/ledger/served.ts";
import { openStores } from "./stores/open.ts";
import { announcedEntries } from "./transaction/announced-entries.ts";
import { httpExchange } from "./transaction/payments/http.ts";
import { openRazorpay, PAYOUT_ACCOUNT } from "./transaction/payments/razorpay.ts";
import { readSettlementFile } from "./transaction/payments/settlement-file.ts";
import { exitStatus, reconcile } from "./transaction/reconcile.ts";
import { verifyLedger } from "./transaction/verify.ts";

const USAGE = `powerplay <command>

  serve [--dev]                          run a node; --dev allows development secrets and the payment sandbox
  demo                                   play a whole match; USERS=, SEED=, MATCH=file, SPEED= (times real time)
  replay FILE --match ID [--speed 60] [--url http://localhost:3000] [--dev]
                                         post a Cricsheet file's balls to a running node, signed as a provider would
  admin NAME                             create an administrator; the password is read from ADMIN_PASSWORD
  verify                                 re-derive every balance from the ledger of a stopped node
  reconcile [--settlement FILE]          compare all books of a stopped node, and the payments with the provider's settlement
                                         file (asked for, or FILE); exit status 1 on any difference
  ledger [--dev]                         keep the ledger of several nodes and serve it at PEER_HOST:PEER_PORT, for development and
                                         tests without Aerospike; the nodes have LEDGER_URL=powerplay://host:port
  spool list                             which nodes hold acknowledged saves that are not in the log yet
  spool abandon NODE                     give up the spooled saves of a node whose disk is lost, so that matches can be locked

Configuration comes from the environment: PORT, HOST, OPS_PORT, OPS_HOST, LOG_FORMAT, DATA_DIR, BOARD_DIR, JWT_SECRET, FEED_SECRET, SOCKET_ORIGINS, TICK_MS,
DRAIN_MS, PAYMENT_URL, PAYMENT_KEY_ID, PAYMENT_KEY_SECRET, PAYMENT_WEBHOOK_SECRET, NODE_ID, PEER_HOST, PEER_PORT, PEER_URL,
CLUSTER_SECRET, EVENT_LOG_URL, HOT_STORE_URL, CATALOG_URL, CATALOG_USER_URLS, CATALOG_REPLICA_URLS, TEAM_STORE_URL, LEDGER_URL.`;

class UsageError extends Error {}

/** Answers the exit status. */
export async function runCommand(args: readonly string[]): Promise<number> {
  const [command = "help", ...rest] = args;
  try {
    const known = COMMANDS[command];
    if (known) return await known(rest);
    console.log(USAGE);
    return command === "help" || command === "--help" ? 0 : 2;
  } catch (error) {
    if (error instanceof UsageError || isOfParseArgs(error)) {
      console.error(`powerplay: ${error.message}\n\n${USAGE}`);
      return 2;
    }
    console.error(`powerplay: ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  }
}

/** What it throws for an option that does not exist; other TypeErrors have codes as well. */
const isOfParseArgs = (error: unknown): error is TypeError =>
  error instanceof TypeError && "code" in error && String(error.code).startsWith("ERR_PARSE_ARGS");

const COMMANDS: Readonly<Record<string, (args: readonly string[]) => Promise<number>>> = {
  serve,
  demo,
  replay,
  admin,
  verify,
  reconcile: reconcileBooks,
  ledger: serveLedger,
  spool,
  "--version": async () => {
    console.log(VERSION);
    return 0;
  },
};

function configOf(dev: boolean): Config {
  const loaded = loadConfig(process.env, dev);
  if (loaded.ok) return loaded.config;
  throw new Error(`the configuration is not complete\n${loaded.faults.map((fault) => `  ${fault}`).join("\n")}`);
}

const options = (args: readonly string[]) =>
  parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      dev: { type: "boolean", default: false },
      speed: { type: "string", default: "60" },
      url: { type: "string", default: "http://localhost:3000" },
      match: { type: "string" },
      settlement: { type: "string" },
    },
  });

function numberOf(name: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (text.trim() !== "" && value >= min && value <= max) return value;
  throw new UsageError(`${name}: "${text}" is not a number between ${min} and ${max}`);
}

function wholeNumberOf(name: string, text: string, min: number, max: number): number {
  const value = numberOf(name, text, min, max);
  if (Number.isInteger(value)) return value;
  throw new UsageError(`${name}: "${text}" is not a whole number`);
}

async function serve(args: readonly string[]): Promise<number> {
  const { values } = options(args);
  const node = await startNode(configOf(values.dev));
  console.log(`powerplay: listening on ${node.url} · kernel ${node.kernelName} · for operators ${node.opsUrl}`);
  const signal = await untilTerminated();
  await node.stop({ leave: signal === "SIGINT" });
  return 0;
}

/** One process that all nodes need: as good as the machine it is on, which is enough to develop and to test. */
async function serveLedger(args: readonly string[]): Promise<number> {
  const { values } = options(args);
  const { clusterSecret, dataDir, peerHost, peerPort, peerUrl, stores } = configOf(true);
  if (stores.ledger !== null)
    throw new UsageError("ledger: LEDGER_URL: is of nodes; what is served here is in DATA_DIR");
  if (!values.dev && !process.env["CLUSTER_SECRET"]) {
    throw new UsageError("ledger: CLUSTER_SECRET: is not set; or say --dev");
  }
  const ledger = await openEmbeddedLedger({
    file: join(dataDir, "ledger.sqlite"),
    pendingMax: limits.storePendingMax,
  });
  const server = PeerServer.start({
    host: peerHost,
    port: peerPort,
    url: peerUrl,
    secret: clusterSecret,
    bodyBytesMax: limits.remoteLedger.bodyBytesMax,
    handlers: ledgerHandlers(ledger),
    onTrouble: console.error,
  });
  console.log(`powerplay: the ledger is at ${server.url.replace(/^http/, "powerplay")}`);
  await untilTerminated();
  await server.stop();
  await ledger.close();
  return 0;
}

/** A match in half a minute. */
const DEMO_SPEED = 300;

async function demo(): Promise<number> {
  const { USERS = "5000", SEED = "2026", MATCH, SPEED } = process.env;
  const speedOf = (fallback: number) => numberOf("SPEED", SPEED ?? String(fallback), 0.1, 1_000_000);
  const result = await playDemo({
    config: configOf(true),
    botCount: wholeNumberOf("USERS", USERS, 3, 20_000),
    seed: wholeNumberOf("SEED", SEED, 0, 2 ** 31 - 1),
    matchFile: MATCH ?? null,
    speed: speedOf(DEMO_SPEED),
    visitorWindowMs: limits.demo.visitorWindowMs,
    visitorSpeed: speedOf(ballPauseMs(1) / limits.demo.visitorBallMs),
  });
  console.log(`
Still serving on ${result.url} (API: ${result.url}/openapi.json); stop it with Ctrl-C.
Open it in a browser: a new match starts for whoever is there (the private contest's code is ${INVITE_CODE}).`);
  const stopping = new AbortController();
  const along = result.playAlong(stopping.signal).catch((error: unknown) => console.error(error));
  await untilTerminated();
  stopping.abort();
  await result.node.stop();
  await along;
  return 0;
}

async function replay(args: readonly string[]): Promise<number> {
  const { values, positionals } = options(args);
  const [file] = positionals;
  if (file === undefined) throw new UsageError("replay: which file?");
  if (values.match === undefined) throw new UsageError("replay: --match: the id of which match?");
  const matchId = wholeNumberOf("--match", values.match, 1, 2 ** 31 - 1);
  const pauseMs = ballPauseMs(numberOf("--speed", values.speed, 0.1, 1_000_000));
  const { events } = await readCricsheetFile(file);
  // A provider knows the shared feed secret and nothing else of the node's configuration.
  const feedSecret = process.env["FEED_SECRET"] ?? (values.dev ? configOf(true).secrets.feed : undefined);
  if (feedSecret === undefined) throw new UsageError("replay: FEED_SECRET: is not set; or say --dev");
  for (const event of events) {
    await postFeedEvent({ baseUrl: values.url, matchId, feedSecret, nowMs: Date.now }, event);
    await Bun.sleep(pauseMs);
  }
  console.log(`powerplay: ${events.length} events posted`);
  return 0;
}

async function admin(args: readonly string[]): Promise<number> {
  const [name] = options(args).positionals;
  const password = process.env["ADMIN_PASSWORD"];
  if (name === undefined) throw new UsageError("admin: which name?");
  if (password === undefined || password.length < 12) {
    throw new UsageError("admin: ADMIN_PASSWORD: set at least 12 characters");
  }
  const stores = await openStores(configOf(true));
  try {
    const passwordHash = await Bun.password.hash(password);
    const made = await stores.catalog.createUser({ name, role: "admin", passwordHash, createdAtMs: Date.now() });
    if (!made.ok) throw new Error(`there is a user "${name}" already`);
    console.log(`powerplay: administrator "${name}" has id ${made.user.id}`);
    return 0;
  } finally {
    await stores.close();
  }
}

async function verify(): Promise<number> {
  const stores = await openStores(configOf(true));
  try {
    const { audit, differences } = await verifyLedger(stores.ledger);
    console.log(
      `powerplay: ${audit.transferCount} transfers, ${audit.accountCount} accounts, sum ${audit.sumPaise} paise`,
    );
    for (const difference of differences) console.log(JSON.stringify(difference));
    return differences.length === 0 ? 0 : 1;
  } finally {
    await stores.close();
  }
}

async function reconcileBooks(args: readonly string[]): Promise<number> {
  const config = configOf(true);
  const settlementRows = await settlementRowsOf(config, options(args).values.settlement);
  const stores = await openStores(config);
  try {
    const report = await reconcile({
      catalog: stores.catalog,
      ledger: stores.ledger,
      boardCounts: async (match) => (match.state === "upcoming" ? null : announcedEntries(stores.log, match)),
      settlementRows,
      ...limits.reconcile,
    });
    console.log(JSON.stringify(report.checked));
    for (const difference of report.differences) console.log(JSON.stringify(difference));
    if (settlementRows === null)
      console.log("powerplay: no provider and no --settlement file, so payments were not compared");
    return exitStatus(report);
  } finally {
    await stores.close();
  }
}

async function spool(args: readonly string[]): Promise<number> {
  const [action, nodeId] = options(args).positionals;
  if (action !== "list" && (action !== "abandon" || nodeId === undefined))
    throw new UsageError("spool: list, or abandon NODE");
  const stores = await openStores(configOf(true));
  try {
    const nodes = await stores.catalog.openSpools();
    if (nodeId === undefined) {
      console.log(`powerplay: ${nodes.length === 0 ? "no node holds spooled saves" : nodes.join(" ")}`);
      return 0;
    }
    if (!nodes.includes(nodeId)) throw new Error(`the catalog knows of no spool of a node "${nodeId}"`);
    const { opening } = await stores.catalog.openSpool(nodeId, 0);
    await stores.catalog.closeSpool(nodeId, opening);
    console.log(`powerplay: the spool of node "${nodeId}" is given up and matches no longer wait for it.
Team saves that it had acknowledged and not forwarded are lost: those users play with their team before that, or without one.
If the node comes back with its disk, it forwards them still; they count for matches that are not locked by then.`);
    return 0;
  } finally {
    await stores.close();
  }
}

/** From a file, else from the provider; null where there is neither. */
async function settlementRowsOf({ payments, secrets }: Config, file: string | undefined) {
  if (file !== undefined) {
    const rows = readSettlementFile(await Bun.file(file).text());
    if (rows === null) throw new Error(`${file} is not a settlement file`);
    return rows;
  }
  if (payments === null) return null;
  const exchange = httpExchange(payments.baseUrl, limits.payments.timeoutMs);
  const answer = await openRazorpay({
    exchange,
    ...payments,
    webhookSecret: secrets.webhook,
    payoutAccount: PAYOUT_ACCOUNT,
  }).settlementFile();
  if (!answer.ok) throw new Error(`the provider's settlement file can't be had: ${answer.reason}`);
  return answer.value;
}

/** SIGTERM is a restart, as a supervisor's: of a cluster's node the slices stay its own for a while. SIGINT leaves for good. */
const untilTerminated = (): Promise<"SIGINT" | "SIGTERM"> =>
  new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve(signal));
  });
