import { assert } from "../../../domain/assert.ts";
import { type Topic, TOPICS } from "../port.ts";
import { cSettings, cString, EVENT, type Handle, type KafkaLibrary, textOfC } from "./library.ts";
import type { Wake } from "./wake.ts";

/** Topics are known to C by their place here. */
export const TOPIC_NAMES = Object.keys(TOPICS) as Topic[];
export const topicIndexOf = (topic: Topic): number => TOPIC_NAMES.indexOf(topic);

export interface ClientOptions {
  readonly library: KafkaLibrary;
  readonly wake: Wake;
  readonly kind: "producer" | "reader" | "member";
  readonly prefix: string;
  readonly settings: Readonly<Record<string, string>>;
  /** An event of another type than an error; it is destroyed afterwards. */
  readonly onEvent: (type: number, event: Handle) => void;
  readonly onTrouble: (trouble: KafkaTrouble) => void;
}

/** With a broker, which librdkafka keeps trying to reach, or with the client itself. */
export interface KafkaTrouble {
  readonly code: number;
  readonly text: string;
  /** The client does nothing more. */
  readonly isFatal: boolean;
}

export type OpenClient = (onEvent: ClientOptions["onEvent"], onTrouble: ClientOptions["onTrouble"]) => KafkaClient;

const QUEUES_MAX = 4;

/** One connection of librdkafka to the cluster, and its events. */
export class KafkaClient {
  readonly handle: Handle;
  readonly library: KafkaLibrary;
  /** By the place of the topic's name; pointers, as C takes them. */
  readonly topics: BigUint64Array;
  readonly #options: ClientOptions;
  readonly #queues: Handle[] = [];
  readonly #stopListening: () => void;
  #isClosing = false;
  /** What of this client waits to be stopped first. */
  readonly cursors: Handle[] = [];

  constructor(options: ClientOptions) {
    const { kind, library, prefix, settings, wake } = options;
    this.#options = options;
    this.library = library;
    const error = new Uint8Array(512);
    const handle = library.pp_client_open(kind === "producer" ? 1 : 0, cSettings(settings), error, error.length);
    if (handle === null) throw new Error(`librdkafka refuses its settings: ${textOfC(error)}`);
    this.handle = handle;
    this.topics = new BigUint64Array(
      TOPIC_NAMES.map((topic) => {
        const made = library.rd_kafka_topic_new(handle, cString(topicName(prefix, topic)), null);
        assert(made !== null, `librdkafka refuses the topic ${topic}`);
        return BigInt(made);
      }),
    );
    if (kind === "member") library.rd_kafka_poll_set_consumer(handle);
    this.#listen(
      kind === "member" ? library.rd_kafka_queue_get_consumer(handle) : library.rd_kafka_queue_get_main(handle),
    );
    this.#stopListening = wake.on(() => this.poll());
  }

  topic(index: number): Handle {
    return Number(this.topics[index]!) as Handle;
  }

  /** A queue of its own for answers. */
  newQueue(): Handle {
    return this.#listen(this.library.rd_kafka_queue_new(this.handle));
  }

  /** Takes what has happened. A member that does not for `max.poll.interval.ms` is put out of its group. */
  poll(): void {
    const { library } = this;
    for (const queue of this.#queues) {
      while (!this.#isClosing) {
        const event = library.rd_kafka_queue_poll(queue, 0);
        if (event === null) break;
        const type = library.rd_kafka_event_type(event);
        try {
          if (type === EVENT.error) this.#options.onTrouble(this.#troubleOf(event));
          else this.#options.onEvent(type, event);
        } finally {
          library.rd_kafka_event_destroy(event);
        }
      }
    }
  }

  #troubleOf(event: Handle): KafkaTrouble {
    const { handle, library } = this;
    // The event's own code of a fatal error is this one or another, by the client's kind.
    const fatal = library.rd_kafka_fatal_error(handle, null, 0);
    const code = fatal === 0 ? library.rd_kafka_event_error(event) : fatal;
    return { code, text: this.errorText(event), isFatal: fatal !== 0 };
  }

  errorText(event: Handle): string {
    return String(this.library.rd_kafka_event_error_string(event));
  }

  /** Resolves when its threads have ended. What is under way is forgotten. */
  async close(): Promise<void> {
    this.#isClosing = true;
    this.#stopListening();
    // Whoever closes it because of an event has that event still in hand.
    await Promise.resolve();
    const queues = new BigUint64Array(QUEUES_MAX);
    for (const [index, queue] of this.#queues.entries()) queues[index] = BigInt(queue);
    const cursors = new BigUint64Array(Math.max(1, this.cursors.length));
    for (const [index, cursor] of this.cursors.entries()) cursors[index] = BigInt(cursor);
    // A small array's memory moves when its buffer is asked for; that of a buffer of its own stays.
    const done = new Int32Array(new ArrayBuffer(4));
    const { promise, resolve } = Promise.withResolvers<void>();
    const { wake } = this.#options;
    const forget = wake.on(() => {
      if (Atomics.load(done, 0) === 1) resolve();
    });
    const status = this.library.pp_client_close(
      this.handle,
      queues,
      this.topics,
      this.topics.length,
      cursors,
      this.cursors.length,
      wake.fd,
      done,
    );
    assert(status === 0, "no memory to close a Kafka client");
    await promise;
    forget();
  }

  #listen(queue: Handle | null): Handle {
    assert(queue !== null && this.#queues.length < QUEUES_MAX, "a client has few queues");
    this.library.pp_wake_on(queue, this.#options.wake.fd);
    this.#queues.push(queue);
    return queue;
  }
}

export const topicName = (prefix: string, topic: Topic): string => `${prefix}.${topic}`;
