import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ClusterNode, LocalProcess } from "../../ops/cluster.ts";
import { haproxyConfig } from "../../ops/haproxy/config.ts";
import { localRunner } from "../../ops/roll/local.ts";
import { isAlive, nameOfProcess } from "../../ops/services/proc.ts";
import { openSandboxServer, type SandboxServer } from "../transaction/payments/sandbox-server.ts";
import { answers, type ClusterStores, createClusterStores } from "./cluster-stores.ts";
import { freePort } from "./free-port.ts";

export interface LocalClusterOptions {
  /** The first letter of a name is the node's group. */
  readonly names: readonly string[];
  /** Added to every node's environment. */
  readonly env?: Readonly<Record<string, string>>;
}

const MAIN = new URL("../main.ts", import.meta.url).pathname;
const POLL_MS = 20;
const HAPROXY = Bun.which("haproxy", { PATH: `${process.env["PATH"]}:/usr/sbin` });
const PAYMENTS = { keyId: "sandbox", keySecret: crypto.randomUUID(), webhookSecret: crypto.randomUUID() };
/** Kills what is left when whoever started it has ended, however: its end of the pipe is closed then. */
const REAPER = `cat > /dev/null; for file in "$0"/*.pid; do kill -9 "$(cut -d' ' -f1 "$file")"; done; rm -rf "$0"`;

/** null where a cluster can have its balancer, else what is missing. */
export const missingBalancer = (): string | null =>
  HAPROXY === null ? "haproxy is not installed: apt-get install haproxy" : null;

/** A node of the cluster, in a process of its own. */
export class LocalNode {
  readonly url: string;
  readonly #ops: string;
  readonly #process: LocalProcess;
  readonly #runner: ReturnType<typeof localRunner>;

  constructor(readonly described: ClusterNode & { readonly how: { readonly local: LocalProcess } }) {
    this.url = `http://${described.address}`;
    this.#ops = described.ops;
    this.#process = described.how.local;
    this.#runner = localRunner(this.#process, described.ops, {
      stopMsMax: 60_000,
      readyMsMax: 60_000,
      pollMs: POLL_MS,
    });
  }

  get name(): string {
    return this.described.name;
  }

  /** Resolves when the node takes traffic. */
  async start(): Promise<void> {
    await this.#runner.start();
    while ((await this.#runner.unready()) !== null) await Bun.sleep(POLL_MS);
  }

  /** For good: its slices go to the others. Resolves when it has drained and ended. */
  async leave(): Promise<void> {
    await endByFile(this.#process.pidFile, "SIGINT");
  }

  /** No word, no drain: as when the power goes. */
  async kill(): Promise<void> {
    await endByFile(this.#process.pidFile, "SIGKILL");
  }

  /** How many slices the node says it has; none where it does not answer. */
  async sliceCount(): Promise<number> {
    const answer = await fetch(`http://${this.#ops}/metrics`).catch(() => null);
    return Number(/^powerplay_slices_owned (\d+)$/m.exec((await answer?.text()) ?? "")?.[1] ?? 0);
  }
}

/**
 * Nodes as they run in life, on this machine: a process each (`serve --dev`), over real servers that they share, a ledger of
 * their own kind, one payment sandbox, and a balancer in front. Ends with the process that started it, also by kill -9.
 */
export class LocalCluster {
  /** Where the balancer listens. */
  readonly url: string;
  /** As ops/roll reads it. */
  readonly file: string;
  readonly nodes: readonly LocalNode[];
  readonly #parts: ClusterParts;

  private constructor(parts: ClusterParts) {
    this.#parts = parts;
    this.url = `http://${parts.listen}`;
    this.file = parts.file;
    this.nodes = parts.nodes;
  }

  /** Nothing but the ledger and the balancer runs yet. */
  static async prepare({ env = {}, names }: LocalClusterOptions): Promise<LocalCluster> {
    const directory = mkdtempSync(join(tmpdir(), "powerplay-cluster-"));
    const reaper = Bun.spawn(["sh", "-c", REAPER, directory], { stdin: "pipe", stdout: "ignore", stderr: "ignore" });
    const stores = await createClusterStores();
    const listen = `127.0.0.1:${await freePort()}`;
    const sandbox = openSandboxServer({
      port: 0,
      ...PAYMENTS,
      webhookUrl: () => `http://${listen}/v1/payments/webhook`,
      seed: 1,
    });
    const ledgerPort = String(await freePort());
    const shared = {
      ...stores.env,
      LEDGER_URL: `powerplay://127.0.0.1:${ledgerPort}`,
      PAYMENT_URL: sandbox.url,
      PAYMENT_KEY_ID: PAYMENTS.keyId,
      PAYMENT_KEY_SECRET: PAYMENTS.keySecret,
      PAYMENT_WEBHOOK_SECRET: PAYMENTS.webhookSecret,
      HOST: "127.0.0.1",
      LOG_FORMAT: "text",
      ...env,
    };
    const nodes: LocalNode[] = [];
    for (const name of names) {
      const [port, ops, peer] = [await freePort(), await freePort(), await freePort()];
      const local = localProcess(directory, name, ["serve", "--dev"], {
        ...shared,
        NODE_ID: name,
        PORT: String(port),
        OPS_PORT: String(ops),
        PEER_PORT: String(peer),
        DATA_DIR: join(directory, name),
        BOARD_DIR: join(directory, `${name}-boards`),
      });
      const address = `127.0.0.1:${port}`;
      nodes.push(new LocalNode({ name, group: name[0]!, address, ops: `127.0.0.1:${ops}`, how: { local } }));
    }
    const file = join(directory, "cluster.json");
    writeFileSync(file, JSON.stringify({ listen, nodes: nodes.map(({ described }) => described) }));

    const ledger = localProcess(directory, "ledger", ["ledger", "--dev"], {
      PEER_PORT: ledgerPort,
      DATA_DIR: join(directory, "ledger"),
    });
    await localRunner(ledger, "").start();
    while (!(await answers("127.0.0.1", Number(ledgerPort)))) await Bun.sleep(POLL_MS);
    const balancer = localProcess(directory, "balancer", [], {});
    const balancerFile = join(directory, "haproxy.cfg");
    const balanced = nodes.map(({ described: { address, name, ops } }) => ({
      name,
      address,
      opsPort: Number(ops.split(":")[1]),
    }));
    const checks = { connectionsMax: 5_000, checkMs: 100, slowStartMs: 0 };
    writeFileSync(balancerFile, haproxyConfig({ listen, nodes: balanced, ...checks }));
    await localRunner({ ...balancer, command: [HAPROXY!, "-db", "-f", balancerFile] }, "").start();
    const others = { ledger, balancer };
    return new LocalCluster({ directory, file, listen, nodes, others, reaper, sandbox, shared, stores });
  }

  /** By one, for those that are first make the stores' tables; resolves when all take traffic. */
  async start(names: readonly string[]): Promise<void> {
    for (const name of names) await this.node(name).start();
  }

  node(name: string): LocalNode {
    return this.nodes.find((node) => node.name === name)!;
  }

  /** What a node's environment says about the stores, for those who look behind the nodes. */
  get env(): Readonly<Record<string, string>> {
    return this.#parts.shared;
  }

  /** Of the process that keeps the nodes' ledger. */
  get ledgerPid(): number {
    return Number(textOf(this.#parts.others.ledger.pidFile).split(" ")[0]);
  }

  get sandboxUrl(): string {
    return this.#parts.sandbox.url;
  }

  /** The ends of everybody's logs, for a test that failed. */
  tails(): string {
    const { ledger, balancer } = this.#parts.others;
    const files = [...this.nodes.map(({ described }) => described.how.local.logFile), ledger.logFile, balancer.logFile];
    return files.map((file) => `== ${file}\n${tailOf(file)}`).join("\n");
  }

  async dispose(): Promise<void> {
    const { directory, others, reaper, sandbox, stores } = this.#parts;
    await Promise.all(this.nodes.map((node) => node.kill()));
    await Promise.all(Object.values(others).map(({ pidFile }) => endByFile(pidFile, "SIGKILL")));
    await sandbox.stop();
    await stores.drop();
    reaper.kill("SIGKILL");
    rmSync(directory, { recursive: true, force: true });
  }
}

interface ClusterParts {
  readonly directory: string;
  readonly file: string;
  readonly listen: string;
  readonly nodes: readonly LocalNode[];
  readonly others: { readonly ledger: LocalProcess; readonly balancer: LocalProcess };
  readonly reaper: Bun.Subprocess;
  readonly sandbox: SandboxServer;
  readonly shared: Readonly<Record<string, string>>;
  readonly stores: ClusterStores;
}

const localProcess = (
  directory: string,
  name: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): LocalProcess => ({
  command: [process.execPath, MAIN, ...args],
  env,
  pidFile: join(directory, `${name}.pid`),
  logFile: join(directory, `${name}.log`),
});

/** Resolves when the process has ended. */
async function endByFile(pidFile: string, signal: "SIGINT" | "SIGKILL"): Promise<void> {
  const pid = Number(textOf(pidFile).split(" ")[0]);
  const named = pid > 0 ? nameOfProcess(pid) : null;
  if (named === null || !isAlive(named)) return;
  process.kill(pid, signal);
  while (isAlive(named)) await Bun.sleep(POLL_MS);
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

const tailOf = (file: string): string => textOf(file).trimEnd().split("\n").slice(-15).join("\n");
