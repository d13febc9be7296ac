import type { EventLog, LogBatch, Topic } from "../stores/event-log/port.ts";
import { StoreUnavailable } from "../stores/unavailable.ts";
import type { ConsumerLags } from "./consumer-lags.ts";

export interface ConsumerOptions {
  readonly log: EventLog;
  readonly topic: Topic;
  readonly partition: number;
  readonly bytesMax: number;
  /** How long one read waits for news; also how long `stop` may take. */
  readonly waitMs: number;
  readonly retryMs: number;
  /** After a batch that was not full, for a `handle` that costs more by the call than by the record. */
  readonly restMs?: number;
  /** Where to go on: the position that is stored with the consumer's own state. */
  readonly position: () => Promise<number>;
  /** Takes effect and stores its position in one commit; thrown errors repeat the batch. */
  readonly handle: (batch: LogBatch) => Promise<void>;
  readonly onTrouble: (error: unknown) => void;
  /** Hears how far this consumer has come. */
  readonly lags?: ConsumerLags;
  /** How to wait before a retry, and how to rest; a simulation hands in its own. */
  readonly pause?: (ms: number) => Promise<void>;
}

/**
 * Follows one partition. Back-pressure is the await: the next read begins when the batch is handled, so a slow consumer
 * grows a lag in the log and no queue in memory.
 */
export class Consumer {
  readonly #options: ConsumerOptions;
  readonly #stopping = new AbortController();
  readonly #done: Promise<void>;
  readonly #waiters: { offset: number; resolve: () => void; reject: (error: Error) => void }[] = [];
  #nextOffset = 0;
  /** Why it does not come on; null when it does. */
  #trouble: StoreUnavailable | null = null;

  #leave = (): void => undefined;

  constructor(options: ConsumerOptions) {
    this.#options = options;
    this.#done = this.#run();
  }

  get topic(): Topic {
    return this.#options.topic;
  }

  get partition(): number {
    return this.#options.partition;
  }

  get nextOffset(): number {
    return this.#nextOffset;
  }

  /**
   * Resolves when every record before `offset` is handled. Rejects with `StoreUnavailable` when it stops before, or a store that
   * it needs is away: who knows for how long.
   */
  reached(offset: number): Promise<void> {
    if (this.#nextOffset >= offset) return Promise.resolve();
    if (this.#stopping.signal.aborted) return Promise.reject(this.#stopped());
    if (this.#trouble !== null) return Promise.reject(this.#trouble);
    return new Promise((resolve, reject) => this.#waiters.push({ offset, resolve, reject }));
  }

  /** Resolves when everything that is in the log now is handled. */
  async caughtUp(): Promise<void> {
    const { log, topic, partition } = this.#options;
    await this.reached(await log.endOffset(topic, partition));
  }

  /** Resolves when nothing is handled any more. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    for (const { reject } of this.#waiters.splice(0)) reject(this.#stopped());
    await this.#done;
    this.#leave();
  }

  #stopped(): StoreUnavailable {
    const { topic, partition } = this.#options;
    return new StoreUnavailable("EventLog", `${topic} ${partition} is no longer followed here`);
  }

  async #run(): Promise<void> {
    const { log, topic, partition, bytesMax, waitMs, restMs = 0, pause = Bun.sleep } = this.#options;
    let positioned = false;
    while (!this.#stopping.signal.aborted) {
      try {
        if (!positioned) {
          this.#advance(await this.#options.position());
          positioned = true;
          // Before its first position nobody knows how far behind it is.
          this.#leave = this.#options.lags?.enter(this) ?? this.#leave;
        }
        const batch = await log.read(topic, partition, this.#nextOffset, bytesMax, waitMs);
        // What comes after the stop is for whoever follows the partition next.
        if (this.#stopping.signal.aborted) continue;
        if (batch.ends.length === 0) {
          // Later than asked for where older records are gone and none has come since.
          this.#advance(batch.firstOffset);
          continue;
        }
        await this.#options.handle(batch);
        this.#advance(batch.firstOffset + batch.ends.length);
        if (restMs > 0 && batch.bytes.length < bytesMax) await pause(restMs);
      } catch (error) {
        if (this.#stopping.signal.aborted) return;
        // Anything else than a store that is away is a bug of ours; the batch is repeated, never skipped.
        if (error instanceof StoreUnavailable) this.#hold(error);
        else positioned = false;
        this.#options.onTrouble(error);
        await pause(this.#options.retryMs);
      }
    }
  }

  #hold(trouble: StoreUnavailable): void {
    this.#trouble = trouble;
    for (const { reject } of this.#waiters.splice(0)) reject(trouble);
  }

  #advance(offset: number): void {
    this.#trouble = null;
    this.#nextOffset = offset;
    for (let index = this.#waiters.length - 1; index >= 0; index--) {
      const waiter = this.#waiters[index]!;
      if (waiter.offset > offset) continue;
      this.#waiters.splice(index, 1);
      waiter.resolve();
    }
  }
}
