import { workerModule } from "../../worker-module.ts";
import { StoreUnavailable } from "../unavailable.ts";
import type { GroupOutcome } from "./group.ts";
import { ENGINES } from "./engines.ts";
import type { GroupMessage, OpenThread, ThreadRequest } from "./worker.ts";

export type Port = StoreUnavailable["port"];

const WORKER_MODULE = workerModule("stores/sqlite/worker.ts").href;

interface Settle {
  resolve(result: unknown): void;
  reject(error: Error): void;
}

/**
 * The near end of one worker thread. Calls made while the thread is busy with the previous group, and within one turn of
 * the loop, go over as the next group; so groups grow with the load and an idle store answers at once.
 */
export class StoreThread {
  readonly #port: Port;
  readonly #pendingMax: number;
  readonly #worker: Worker;
  readonly #isJson: boolean;
  #packed: unknown[] = [];
  #gathered: Settle[] = [];
  /** Those whose group the thread has now. */
  #underWay: readonly Settle[] = [];
  #flushScheduled = false;
  #gone: string | null = null;
  #ended = false;
  #onIdle: (() => void)[] = [];

  private constructor(port: Port, pendingMax: number, worker: Worker, isJson: boolean) {
    this.#port = port;
    this.#pendingMax = pendingMax;
    this.#worker = worker;
    this.#isJson = isJson;
  }

  /** Rejects with the reason when the file can't be opened: in use, of a newer schema, no such directory. */
  static async open(port: Port, opening: OpenThread, pendingMax: number): Promise<StoreThread> {
    const worker = new Worker(WORKER_MODULE);
    const refusal = await ask<string | null>(worker, opening);
    if (refusal !== null) {
      worker.terminate();
      throw new StoreUnavailable(port, refusal);
    }
    const thread = new StoreThread(port, pendingMax, worker, ENGINES[opening.engine].messages === "json");
    worker.addEventListener("message", ({ data }: MessageEvent<GroupMessage<GroupOutcome>>) =>
      thread.#settle(typeof data === "string" ? (JSON.parse(data) as GroupOutcome) : data),
    );
    worker.addEventListener("error", ({ message }) => thread.#abandon(`its thread failed: ${message}`));
    worker.addEventListener("close", () => thread.#abandon("its thread ended"));
    return thread;
  }

  /** `argument` must not be changed until the promise settles. */
  call(name: string, argument: unknown): Promise<unknown> {
    if (this.#gone !== null) return Promise.reject(new StoreUnavailable(this.#port, this.#gone));
    if (this.#gathered.length + this.#underWay.length >= this.#pendingMax) {
      return Promise.reject(new StoreUnavailable(this.#port, "too many pending operations"));
    }
    return new Promise((resolve, reject) => {
      this.#packed.push(name, argument);
      this.#gathered.push({ resolve, reject });
      this.#scheduleFlush();
    });
  }

  /** Answers what is pending, then closes the file and ends the thread. */
  async close(): Promise<void> {
    if (this.#gone !== null) return;
    this.#gone = "it is closed";
    if (this.#gathered.length + this.#underWay.length > 0) {
      await new Promise<void>((resolve) => this.#onIdle.push(resolve));
    }
    // A thread that ended by itself meanwhile has nothing left to close.
    if (!this.#ended) await ask<null>(this.#worker, null).catch(() => null);
    this.#worker.terminate();
  }

  #scheduleFlush(): void {
    if (this.#flushScheduled || this.#underWay.length > 0) return;
    this.#flushScheduled = true;
    setImmediate(() => {
      this.#flushScheduled = false;
      if (this.#gathered.length === 0) return;
      this.#underWay = this.#gathered;
      const packed = this.#packed;
      this.#gathered = [];
      this.#packed = [];
      this.#worker.postMessage((this.#isJson ? JSON.stringify(packed) : packed) satisfies ThreadRequest);
    });
  }

  #settle(outcome: GroupOutcome | null): void {
    // The answer to closing is not a group's.
    if (outcome === null) return;
    const settled = this.#underWay;
    this.#underWay = [];
    for (const { index, kind, message } of outcome.failures) {
      settled[index]!.reject(
        kind === "unavailable" ? new StoreUnavailable(this.#port, message) : new Error(`${this.#port}: ${message}`),
      );
    }
    // Resolving a promise that was just rejected does nothing.
    for (let index = 0; index < settled.length; index++) settled[index]!.resolve(outcome.results[index]);
    if (this.#gathered.length > 0) this.#scheduleFlush();
    else for (const resolve of this.#onIdle.splice(0)) resolve();
  }

  #abandon(reason: string): void {
    this.#gone ??= reason;
    this.#ended = true;
    const lost = [...this.#underWay, ...this.#gathered];
    this.#underWay = [];
    this.#gathered = [];
    this.#packed = [];
    for (const { reject } of lost) reject(new StoreUnavailable(this.#port, reason));
    for (const resolve of this.#onIdle.splice(0)) resolve();
  }
}

function ask<Answer>(worker: Worker, request: ThreadRequest): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const settled = new AbortController();
    const { signal } = settled;
    const settle = (act: () => void) => {
      settled.abort();
      act();
    };
    worker.addEventListener("message", ({ data }: MessageEvent<Answer>) => settle(() => resolve(data)), { signal });
    worker.addEventListener("error", ({ message }) => settle(() => reject(new Error(message))), { signal });
    worker.addEventListener("close", () => settle(() => reject(new Error("the thread ended"))), { signal });
    worker.postMessage(request);
  });
}
