import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FromParent, ToParent } from "./node-main.ts";

const MAIN = new URL("node-main.ts", import.meta.url).pathname;

/** A node in its own process, with data and an address that outlive it. */
export class NodeProcess {
  readonly #directory = join(tmpdir(), `powerplay-web-${crypto.randomUUID()}`);
  #child: Bun.Subprocess | null = null;
  #aheadMs = 0;
  #heard: (message: ToParent) => void = () => undefined;
  #url = "";

  static async start(): Promise<NodeProcess> {
    const node = new NodeProcess();
    await node.start();
    return node;
  }

  get url(): string {
    return this.#url;
  }

  nowMs(): number {
    return Date.now() + this.#aheadMs;
  }

  /** Where it was before, if it was. */
  async start(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<ToParent>();
    this.#heard = resolve;
    this.#child = Bun.spawn([process.execPath, MAIN, String(this.#aheadMs)], {
      env: {
        ...process.env,
        HOST: "127.0.0.1",
        PORT: this.#url === "" ? "0" : new URL(this.#url).port,
        DATA_DIR: join(this.#directory, "data"),
        BOARD_DIR: join(this.#directory, "boards"),
        TICK_MS: "50",
      },
      stdio: ["ignore", "inherit", "inherit"],
      ipc: (message: ToParent) => this.#heard(message),
      onExit: (_child, code) => reject(new Error(`the node ended with ${code}`)),
    });
    const message = await promise;
    if ("url" in message) this.#url = message.url;
  }

  /** Resolves when the node lives at that time. */
  async advanceTo(atMs: number): Promise<void> {
    this.#aheadMs += Math.max(0, atMs - this.nowMs());
    const { promise, resolve } = Promise.withResolvers<ToParent>();
    this.#heard = resolve;
    this.#child!.send({ aheadMs: this.#aheadMs } satisfies FromParent);
    await promise;
  }

  /** No word, no drain: as when the power goes. */
  async kill(): Promise<void> {
    this.#child!.kill("SIGKILL");
    await this.#child!.exited;
  }

  async remove(): Promise<void> {
    await this.kill();
    await rm(this.#directory, { recursive: true, force: true });
  }
}
