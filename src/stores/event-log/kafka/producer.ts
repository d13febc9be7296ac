import { StoreUnavailable } from "../../unavailable.ts";
import type { LogPosition, Topic } from "../port.ts";
import { type ClientOptions, type KafkaClient, type OpenClient, topicIndexOf } from "./client.ts";
import { ERROR, EVENT, type Handle } from "./library.ts";

export interface ProducerOptions {
  /** Opens the client whose events come to the given functions. */
  readonly openClient: OpenClient;
  /** Appends under way; past either an append is rejected at once. */
  readonly pendingMax: number;
  readonly pendingBytesMax: number;
  readonly onTrouble: ClientOptions["onTrouble"];
}

interface Pending {
  readonly partition: number;
  readonly byteCount: number;
  readonly resolve: (position: LogPosition) => void;
  readonly reject: (error: unknown) => void;
}

const REPORTS = 512;

/**
 * Appends through one idempotent producer: librdkafka numbers the records of a partition, so that whatever it sends again
 * after a lost answer is in the log once and in order. What lasts longer than `message.timeout.ms` is rejected; its number is then
 * missing, so the others under way are numbered anew, and those of them that a broker had already may be in the log twice.
 */
export class Producer {
  readonly #options: ProducerOptions;
  #client: KafkaClient;
  /** By the number that travels with the record. */
  readonly #pending: (Pending | undefined)[] = [];
  readonly #freeIds: number[] = [];
  #pendingCount = 0;
  #pendingBytes = 0;
  #settled: (() => void)[] = [];
  readonly #closing: Promise<void>[] = [];
  readonly #ids = new Uint32Array(REPORTS);
  readonly #offsets = new Float64Array(REPORTS);
  readonly #errors = new Int32Array(REPORTS);

  constructor(options: ProducerOptions) {
    this.#options = options;
    this.#client = this.#open();
  }

  append(topic: Topic, partition: number, key: number, value: Uint8Array): Promise<LogPosition> {
    const { pendingBytesMax, pendingMax } = this.#options;
    if (this.#pendingCount >= pendingMax || this.#pendingBytes + value.length > pendingBytesMax) {
      return Promise.reject(new StoreUnavailable("EventLog", "too many pending operations"));
    }
    return new Promise((resolve, reject) => {
      const id = this.#freeIds.pop() ?? this.#pending.length;
      const client = this.#client;
      const code = client.library.pp_produce(
        client.topic(topicIndexOf(topic)),
        partition,
        key,
        value.length === 0 ? null : value,
        value.length,
        id,
      );
      if (code !== 0) {
        this.#freeIds.push(id);
        reject(this.#failure(code));
        return;
      }
      this.#pending[id] = { partition, byteCount: value.length, resolve, reject };
      this.#pendingCount++;
      this.#pendingBytes += value.length;
    });
  }

  /** Resolves when everything appended so far has its answer. */
  settled(): Promise<void> {
    if (this.#pendingCount === 0) return Promise.resolve();
    return new Promise((resolve) => this.#settled.push(resolve));
  }

  async close(): Promise<void> {
    await this.settled();
    await Promise.all([this.#client.close(), ...this.#closing]);
  }

  #open(): KafkaClient {
    const client: KafkaClient = this.#options.openClient(
      (type, event) => {
        if (type === EVENT.deliveries) this.#deliver(client, event);
      },
      (trouble) => {
        this.#options.onTrouble(trouble);
        if (trouble.isFatal && client === this.#client) this.#renew(trouble.text);
      },
    );
    return client;
  }

  #deliver({ library }: KafkaClient, event: Handle): void {
    for (;;) {
      const count = library.pp_take_deliveries(event, REPORTS, this.#ids, this.#offsets, this.#errors);
      if (count === 0) break;
      for (let index = 0; index < count; index++) {
        this.#settle(this.#ids[index]!, this.#offsets[index]!, this.#errors[index]!);
      }
    }
  }

  #settle(id: number, offset: number, code: number): void {
    const { byteCount, partition, reject, resolve } = this.#take(id);
    if (code !== 0) reject(this.#failure(code));
    // The broker knew the record and not where it lies: it is in the log, and it may be sent again.
    else if (offset < 0) reject(new StoreUnavailable("EventLog", "the record's offset was lost in a retry"));
    else resolve({ partition, offset });
    this.#pendingBytes -= byteCount;
    if (this.#pendingCount === 0) for (const settled of this.#settled.splice(0)) settled();
  }

  #take(id: number): Pending {
    const pending = this.#pending[id]!;
    this.#pending[id] = undefined;
    this.#freeIds.push(id);
    this.#pendingCount--;
    return pending;
  }

  /**
   * A producer that can't tell any more what is in the log (its records were deleted under it, say) refuses to go on. Whoever
   * waits does not know either; a new one begins.
   */
  #renew(text: string): void {
    const failed = this.#client;
    this.#client = this.#open();
    this.#closing.push(failed.close());
    for (const id of this.#pending.keys()) {
      if (this.#pending[id] === undefined) continue;
      const { byteCount, reject } = this.#take(id);
      this.#pendingBytes -= byteCount;
      reject(new StoreUnavailable("EventLog", text));
    }
    for (const settled of this.#settled.splice(0)) settled();
  }

  #failure(code: number): Error {
    const text = String(this.#client.library.rd_kafka_err2str(code));
    if (code === ERROR.messageTooLarge) return new RangeError(`a record is too large for the log: ${text}`);
    return new StoreUnavailable("EventLog", text);
  }
}
