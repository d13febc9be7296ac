import { StoreUnavailable } from "../../unavailable.ts";
import { type Topic, TOPICS } from "../port.ts";
import { type ClientOptions, type KafkaClient, type OpenClient, topicName } from "./client.ts";
import { cSettings, cString, EVENT, type Handle, textOfC } from "./library.ts";

export interface AdminOptions {
  readonly openClient: OpenClient;
  readonly prefix: string;
  readonly timeoutMs: number;
  /** As `timeoutMs`, for offsets. */
  readonly questionMs: number;
  readonly onTrouble: ClientOptions["onTrouble"];
}

/** `code` 0: there was no such topic, and now there is. */
export interface Created {
  readonly code: number;
  readonly text: string;
}

export interface FoundOffset {
  readonly topicIndex: number;
  readonly partition: number;
  readonly offset: number;
  /** 0, or why the partition's leader did not answer. */
  readonly code: number;
}

interface Asked {
  readonly take: (event: Handle) => void;
  readonly reject: (error: unknown) => void;
}

/** Questions to the cluster that librdkafka answers by events; each is answered or rejected in its time. */
export class Admin {
  readonly #options: AdminOptions;
  readonly #client: KafkaClient;
  readonly #queue: Handle;
  readonly #asked = new Map<number, Asked>();
  #lastId = 0;

  constructor(options: AdminOptions) {
    this.#options = options;
    const onEvent = (type: number, event: Handle): void => {
      if (type === EVENT.deliveries || type === EVENT.rebalance) return;
      const id = this.#client.library.pp_event_id(event);
      const asked = this.#asked.get(id);
      this.#asked.delete(id);
      asked?.take(event);
    };
    this.#client = options.openClient(onEvent, options.onTrouble);
    this.#queue = this.#client.newQueue();
  }

  /** Its name in the cluster has the prefix. */
  createTopic(topic: Topic, replication: number, settings: Readonly<Record<string, string>>): Promise<Created> {
    const { handle, library } = this.#client;
    const { prefix, timeoutMs } = this.#options;
    const error = new Uint8Array(512);
    return this.#ask(
      (id) => {
        const status = library.pp_ask_create_topic(
          handle,
          this.#queue,
          id,
          cString(topicName(prefix, topic)),
          TOPICS[topic].partitionCount,
          replication,
          cSettings(settings),
          timeoutMs,
          error,
          error.length,
        );
        if (status !== 0) throw new Error(`the topic ${topicName(prefix, topic)} can't be created: ${textOfC(error)}`);
      },
      (event) => ({ code: library.pp_take_created(event, error, error.length), text: textOfC(error) }),
    );
  }

  /** How many partitions it has; <= 0 where the cluster does not know it (yet). */
  partitionCount(topic: Topic): Promise<number> {
    const { handle, library } = this.#client;
    const { prefix, timeoutMs } = this.#options;
    return this.#ask(
      (id) => library.pp_ask_describe_topic(handle, this.#queue, id, cString(topicName(prefix, topic)), timeoutMs),
      (event) => library.pp_take_described(event),
    );
  }

  /** One question for all the partitions; each leader answers for its own. */
  offsets(
    of: readonly { readonly topicIndex: number; readonly partition: number }[],
    which: "start" | "end",
  ): Promise<FoundOffset[]> {
    const { handle, library, topics } = this.#client;
    const indices = new Uint32Array(of.map(({ topicIndex }) => topicIndex));
    const partitions = new Int32Array(of.map(({ partition }) => partition));
    const offsets = new Float64Array(of.length);
    const errors = new Int32Array(of.length);
    return this.#ask(
      (id) =>
        library.pp_ask_offsets(
          handle,
          this.#queue,
          id,
          topics,
          indices,
          partitions,
          of.length,
          which === "end" ? -1 : -2,
          this.#options.questionMs,
        ),
      (event) => {
        const count = library.pp_take_offsets(
          event,
          topics,
          topics.length,
          of.length,
          indices,
          partitions,
          offsets,
          errors,
        );
        return Array.from({ length: count }, (_, index) => ({
          topicIndex: indices[index]!,
          partition: partitions[index]!,
          offset: offsets[index]!,
          code: errors[index]!,
        }));
      },
    );
  }

  async close(): Promise<void> {
    for (const { reject } of this.#asked.values()) reject(new StoreUnavailable("EventLog", "it is closed"));
    this.#asked.clear();
    await this.#client.close();
  }

  #ask<Answer>(ask: (id: number) => void, take: (event: Handle) => Answer): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const id = ++this.#lastId;
      this.#asked.set(id, {
        take: (event) => {
          if (this.#client.library.rd_kafka_event_error(event) === 0) resolve(take(event));
          else reject(new StoreUnavailable("EventLog", this.#client.errorText(event)));
        },
        reject,
      });
      try {
        ask(id);
      } catch (error) {
        this.#asked.delete(id);
        reject(error as Error);
      }
    });
  }
}
