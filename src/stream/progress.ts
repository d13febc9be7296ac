import { StoreUnavailable } from "../stores/unavailable.ts";

export interface ProgressOptions {
  /** How far it has come; read again and again while somebody waits, by one reader however many do. */
  readonly read: () => Promise<number>;
  readonly pollMs: number;
  /** How to wait; a simulation hands in its own. */
  readonly pause?: (ms: number) => Promise<void>;
}

/** Waits for work of another node, which shows only in a store. */
export class Progress {
  readonly #options: ProgressOptions;
  readonly #waiters = new Set<{ readonly goal: number; readonly waiting: PromiseWithResolvers<void> }>();
  #isPolling = false;
  #isStopped = false;

  constructor(options: ProgressOptions) {
    this.#options = options;
  }

  /** Rejects with what the next read rejects with, and with `StoreUnavailable` when the node stops. */
  reached(goal: number): Promise<void> {
    if (this.#isStopped) return Promise.reject(stopping());
    const waiting = Promise.withResolvers<void>();
    this.#waiters.add({ goal, waiting });
    if (!this.#isPolling) void this.#poll();
    return waiting.promise;
  }

  /** Whoever waits hears that nobody here will know. */
  stop(): void {
    this.#isStopped = true;
    this.#fail(stopping());
  }

  async #poll(): Promise<void> {
    const { read, pollMs, pause = Bun.sleep } = this.#options;
    this.#isPolling = true;
    while (this.#waiters.size > 0) {
      try {
        const reached = await read();
        for (const waiter of this.#waiters) {
          if (waiter.goal > reached) continue;
          this.#waiters.delete(waiter);
          waiter.waiting.resolve();
        }
      } catch (error) {
        this.#fail(error);
      }
      if (this.#waiters.size > 0) await pause(pollMs);
    }
    this.#isPolling = false;
  }

  #fail(error: unknown): void {
    for (const { waiting } of this.#waiters) waiting.reject(error);
    this.#waiters.clear();
  }
}

const stopping = () => new StoreUnavailable("TeamStore", "the node is stopping");
