import { spawn } from "node:child_process";
import { closeSync, existsSync, openSync, readFileSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join, resolve } from "node:path";
import { aerospike } from "./aerospike.ts";
import { cassandra } from "./cassandra.ts";
import type { Engine, ServiceName } from "./engine.ts";
import { kafka } from "./kafka.ts";
import { postgres } from "./postgres.ts";
import { isAlive, isStopped, nameOfProcess, type ProcessName, signalAll, treeOf } from "./proc.ts";
import { redis } from "./redis.ts";

export const ENGINES: Readonly<Record<ServiceName, Engine>> = { redis, postgres, kafka, cassandra, aerospike };

const POLL_MS = 25;
/** Cassandra writes its memtables out first. */
const STOP_MS_MAX = 60_000;

export interface ServiceOptions {
  /** Holds everything of the server; one that has data from before is continued. */
  readonly directory: string;
  /** On 127.0.0.1; some servers take the next one or two as well. Absent: free ones. */
  readonly port?: number;
  /** Settings by the server's own names, over the ones chosen here. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Of a Java program, instead of the one chosen here. */
  readonly heapMiB?: number;
  /** Asks whether it serves clients, where its settings keep the engine's own question out. */
  readonly answers?: (port: number) => Promise<boolean>;
  /** The server goes on when this process has ended. Otherwise it ends with it, however that ends. */
  readonly outlives?: boolean;
}

/** null if this machine can run the server, else the reason and the remedy. */
export const missingService = (name: ServiceName): string | null => ENGINES[name].missing();

/** Starts a server and resolves when it serves clients. One that already runs in the directory is taken as it is. */
export async function startService(name: ServiceName, options: ServiceOptions): Promise<Service> {
  const service = new Service(ENGINES[name], options, await portsOf(ENGINES[name], options.port));
  await service.start();
  return service;
}

/** A server in a directory of its own. */
export class Service {
  readonly name: ServiceName;
  readonly directory: string;
  readonly url: string;
  readonly port: number;
  readonly #engine: Engine;
  readonly #ports: readonly number[];
  readonly #options: ServiceOptions;

  constructor(engine: Engine, options: ServiceOptions, ports: readonly number[]) {
    this.#engine = engine;
    this.#options = options;
    this.#ports = ports;
    this.name = engine.name;
    this.directory = resolve(options.directory);
    this.port = ports[0]!;
    this.url = engine.url(this.port);
  }

  /** Of the server that this directory's pid file names; null when it is not running. */
  get pid(): number | null {
    return this.#process()?.pid ?? null;
  }

  /** Whether it serves clients now. */
  answers(): Promise<boolean> {
    return (this.#options.answers ?? this.#engine.answers)(this.port);
  }

  /** Resolves when it serves clients; does nothing if it does. Throws with the end of its log if it ends before. */
  async start(): Promise<void> {
    let running = this.#process();
    if (running === null) {
      const missing = this.#engine.missing();
      if (missing !== null) throw new Error(`${this.name}: ${missing}`);
      await mkdir(this.directory, { recursive: true });
      running = await this.#launch();
    }
    const deadlineMs = Date.now() + this.#engine.startMsMax;
    while (!(await this.answers())) {
      if (!isAlive(running)) throw new Error(`${this.name} ended while it started\n${this.#logEnd()}`);
      if (Date.now() > deadlineMs) {
        throw new Error(`${this.name} does not answer after ${this.#engine.startMsMax / 1_000} s\n${this.#logEnd()}`);
      }
      await Bun.sleep(POLL_MS);
    }
  }

  /** Asks it to end and resolves when nothing of it is left. The signal is the server's own for an orderly end unless given. */
  async stop(signal: NodeJS.Signals = this.#engine.stopSignal): Promise<void> {
    const root = this.#process();
    if (root !== null) {
      const tree = treeOf(root);
      // A paused one hears nothing but SIGKILL.
      signalAll(tree, "SIGCONT");
      signalAll([root], signal);
      await this.#gone(tree);
    }
    await rm(this.#pidFile, { force: true });
  }

  /** As when the machine loses power, but for what the kernel still writes to disk. */
  async kill(): Promise<void> {
    const root = this.#process();
    if (root !== null) {
      const tree = treeOf(root);
      signalAll(tree, "SIGKILL");
      await this.#gone(tree);
    }
    await rm(this.#pidFile, { force: true });
  }

  /** Kills it and forgets all that it held. */
  async remove(): Promise<void> {
    await this.kill();
    const elsewhere = this.#engine.dataElsewhere?.(this.directory) ?? null;
    for (const folder of [this.directory, elsewhere])
      if (folder !== null) await rm(folder, { recursive: true, force: true });
  }

  /** Connections stay open and nothing answers, until it is resumed. Resolves when the last thread stands still. */
  async pause(): Promise<void> {
    const tree = this.#signalTree("SIGSTOP");
    while (!tree.every(isStopped)) await Bun.sleep(1);
  }

  resume(): void {
    this.#signalTree("SIGCONT");
  }

  #signalTree(signal: NodeJS.Signals): readonly ProcessName[] {
    const root = this.#process();
    if (root === null) throw new Error(`${this.name} is not running in ${this.directory}`);
    const tree = treeOf(root);
    signalAll(tree, signal);
    return tree;
  }

  async #launch(): Promise<ProcessName> {
    const { directory } = this;
    const { heapMiB, settings = {}, outlives = false } = this.#options;
    const place = { directory, ports: this.#ports, settings, ...(heapMiB === undefined ? {} : { heapMiB }) };
    const { command, user } = await this.#engine.prepare(place);
    const log = openSync(join(directory, "log"), "a");
    const full = [...asUser(user, !outlives), ...command];
    const child = spawn(full[0]!, full.slice(1), { cwd: "/", detached: true, stdio: ["ignore", log, log] });
    closeSync(log);
    const failed = new Promise<never>((_, reject) => child.once("error", reject));
    failed.catch(() => undefined);
    child.unref();
    if (child.pid === undefined) return failed;
    const launched = nameOfProcess(child.pid);
    if (launched === null) throw new Error(`${this.name} ended at once\n${this.#logEnd()}`);
    await writeFile(this.#pidFile, `${launched.pid} ${launched.startTicks}\n`);
    return launched;
  }

  async #gone(tree: readonly ProcessName[]): Promise<void> {
    const deadlineMs = Date.now() + STOP_MS_MAX;
    while (tree.some(isAlive)) {
      if (Date.now() > deadlineMs)
        throw new Error(`${this.name} (${tree[0]!.pid}) did not end in ${STOP_MS_MAX / 1_000} s`);
      await Bun.sleep(POLL_MS);
    }
  }

  /** Only what the pid file names, and only if no other process has got its number. */
  #process(): ProcessName | null {
    if (!existsSync(this.#pidFile)) return null;
    const [pid, startTicks] = readFileSync(this.#pidFile, "utf8").trim().split(" ");
    const named = { pid: Number(pid), startTicks: startTicks ?? "" };
    return isAlive(named) ? named : null;
  }

  get #pidFile(): string {
    return join(this.directory, "pid");
  }

  #logEnd(): string {
    const file = join(this.directory, "log");
    return existsSync(file) ? readFileSync(file, "utf8").trimEnd().split("\n").slice(-15).join("\n") : "";
  }
}

/** What must stand before a command so that it runs as a user, or ends with this process. */
function asUser(user: string | undefined, endsWithUs: boolean): readonly string[] {
  const options = [
    ...(user === undefined ? [] : [`--reuid=${user}`, `--regid=${user}`, "--init-groups"]),
    ...(endsWithUs ? ["--pdeathsig=KILL"] : []),
  ];
  return options.length === 0 ? [] : ["setpriv", ...options, "--"];
}

export async function portsOf(engine: Engine, port?: number): Promise<readonly number[]> {
  if (port !== undefined && port > 0) return Array.from({ length: engine.portCount }, (_, index) => port + index);
  return freePorts(engine.portCount);
}

/**
 * Below those that outgoing connections take (32,768 on): a client that tries again and again to reach a server that is down would
 * at some time connect from the very port that it tries, and the server could not come back.
 */
const PORTS_FROM = 20_000;
const PORT_COUNT = 12_000;

/** Nobody listens there now. */
export async function freePorts(count: number): Promise<readonly number[]> {
  // All are held until all are known, so that none comes twice.
  const holders = await Promise.all(Array.from({ length: count }, holdFreePort));
  const ports = holders.map((holder) => (holder.address() as { port: number }).port);
  await Promise.all(holders.map((holder) => new Promise((released) => holder.close(released))));
  return ports;
}

const holdFreePort = () =>
  new Promise<ReturnType<typeof createServer>>((held, failed) => {
    const server = createServer();
    const listen = () => void server.listen(PORTS_FROM + Math.floor(Math.random() * PORT_COUNT), "127.0.0.1");
    server.on("error", (error: NodeJS.ErrnoException) => (error.code === "EADDRINUSE" ? listen() : failed(error)));
    server.once("listening", () => held(server));
    listen();
  });
