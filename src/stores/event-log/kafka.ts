import { nativeLibraries } from "../../native-libraries.ts";
import { StoreUnavailable } from "../unavailable.ts";
import { Admin } from "./kafka/admin.ts";
import { type KafkaAddress, parseKafkaUrl } from "./kafka/address.ts";
import { type ClientOptions, KafkaClient, type KafkaTrouble, type OpenClient } from "./kafka/client.ts";
import { Cursors } from "./kafka/cursors.ts";
import { ERROR, type KafkaLibrary, openKafkaLibrary } from "./kafka/library.ts";
import { Membership } from "./kafka/membership.ts";
import { Offsets } from "./kafka/offsets.ts";
import { Producer } from "./kafka/producer.ts";
import { ensureTopics } from "./kafka/topics.ts";
import { Wake } from "./kafka/wake.ts";
import { type EventLog, partitionOf } from "./port.ts";

export interface KafkaLogOptions {
  /** EVENT_LOG_URL; its form is described in kafka/address.ts. */
  readonly url: string;
  /** The node's name in its groups; the same after a restart, and no two nodes' at one time. */
  readonly memberId: string;
  /** Appends under way, and their bytes; past either an append is rejected at once. */
  readonly pendingMax: number;
  readonly pendingBytesMax: number;
  /** What can't be made durable within this is rejected; librdkafka looks once a second. So is a read of records that are there. */
  readonly timeoutMs: number;
  /** As long may the cluster take to say where a partition ends. Short, for somebody waits for it who wants to read. */
  readonly questionMs: number;
  /** Readers of one partition that each go on where they were; more are served by moving. A client of librdkafka each. */
  readonly readersMax: number;
  /** What a client fetches ahead in each partition that it reads. */
  readonly aheadBytesMax: number;
  /** A member that is silent for so long is dead. Brokers allow 6 s or more unless told otherwise. */
  readonly sessionMs: number;
  /** The shared library; by default the one that `make build` leaves in build/. */
  readonly libraryPath?: string;
  /** Receives one line for the operator. */
  readonly log?: (line: string) => void;
}

/**
 * How long a broker may keep a question for news that there is none of. Also how long a client's new cursor may wait for the
 * question that is under way; a question costs little.
 */
const FETCH_WAIT_MS = 100;

/** The log in a Kafka cluster. Throws where the address is wrong, nobody answers there, or the topics are not ours. */
export async function openKafkaEventLog(options: KafkaLogOptions): Promise<EventLog> {
  const parsed = parseKafkaUrl(options.url);
  if (!parsed.ok) throw new Error(`EVENT_LOG_URL: ${parsed.fault}`);
  const opening = openKafkaLibrary(options.libraryPath ?? nativeLibraries.kafka);
  if (!opening.ok) throw new Error(`EVENT_LOG_URL: Kafka needs librdkafka: ${opening.reason}`);
  const wake = await Wake.open(opening.library);
  let log: KafkaLog;
  try {
    log = new KafkaLog(opening.library, wake, parsed.address, options);
  } catch (error) {
    wake.close();
    throw new Error(`EVENT_LOG_URL: ${(error as Error).message}`, { cause: error });
  }
  try {
    await log.start();
    return log;
  } catch (error) {
    await log.close();
    throw error;
  }
}

class KafkaLog implements EventLog {
  readonly #library: KafkaLibrary;
  readonly #wake: Wake;
  readonly #address: KafkaAddress;
  readonly #options: KafkaLogOptions;
  readonly #producer: Producer;
  readonly #admin: Admin;
  readonly #ends: Offsets;
  readonly #cursors: Cursors;
  readonly #memberships = new Set<Membership>();
  #lastTrouble = "";
  /** Why a broker can't be reached; that all can't be says less. */
  #lastReason = "";
  #isClosed = false;

  constructor(library: KafkaLibrary, wake: Wake, address: KafkaAddress, options: KafkaLogOptions) {
    this.#library = library;
    this.#wake = wake;
    this.#address = address;
    this.#options = options;
    const { pendingBytesMax, pendingMax, questionMs, readersMax, timeoutMs } = options;
    const onTrouble = (trouble: KafkaTrouble) => this.#say(trouble);
    this.#producer = new Producer({
      openClient: (...heard) => this.#client("producer", this.#producerSettings(), ...heard),
      pendingMax,
      pendingBytesMax,
      onTrouble,
    });
    this.#admin = new Admin({
      openClient: (...heard) => this.#client("producer", ADMIN_SETTINGS, ...heard),
      prefix: address.prefix,
      timeoutMs,
      questionMs,
      onTrouble,
    });
    this.#ends = new Offsets(this.#admin, "end", questionMs);
    this.#cursors = new Cursors({
      wake,
      openClient: () => this.#client("reader", this.#readerSettings(), () => undefined, onTrouble),
      starts: new Offsets(this.#admin, "start", questionMs),
      ends: this.#ends,
      readersMax,
      timeoutMs,
    });
  }

  async start(): Promise<void> {
    const { timeoutMs } = this.#options;
    try {
      await ensureTopics(this.#admin, this.#address, timeoutMs);
    } catch (error) {
      const { brokers } = this.#address;
      const fault =
        error instanceof StoreUnavailable
          ? `no Kafka broker answers at ${brokers} within ${timeoutMs} ms (${this.#lastReason || error.reason}); ` +
            remedyOf(this.#lastReason)
          : (error as Error).message;
      throw new Error(`EVENT_LOG_URL: ${fault}`, { cause: error });
    }
  }

  async append(...[topic, key, value]: Parameters<EventLog["append"]>) {
    if (this.#isClosed) throw new StoreUnavailable("EventLog", "it is closed");
    return this.#producer.append(topic, partitionOf(topic, key), key, value);
  }

  read(...[topic, partition, fromOffset, bytesMax, waitMs]: Parameters<EventLog["read"]>) {
    return this.#cursors.read(topic, partition, fromOffset, bytesMax, waitMs);
  }

  endOffset(...[topic, partition]: Parameters<EventLog["endOffset"]>) {
    return this.#ends.of(topic, partition);
  }

  async share(...[topic, group, onOwned]: Parameters<EventLog["share"]>) {
    const { prefix } = this.#address;
    const { memberId, sessionMs } = this.#options;
    const membership = new Membership({
      openClient: (...heard) =>
        this.#client("member", memberSettings(`${prefix}.${group}`, memberId, sessionMs), ...heard),
      wake: this.#wake,
      prefix,
      topic,
      onOwned,
      onTrouble: (trouble) => this.#say(trouble),
      pollMs: sessionMs / 4,
    });
    this.#memberships.add(membership);
    return async () => {
      if (this.#memberships.delete(membership)) await membership.leave();
    };
  }

  /** Its partitions stay this node's until the session ends: a node that restarts at once finds them so. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#producer.close();
    const memberships = [...this.#memberships];
    this.#memberships.clear();
    await Promise.all([...memberships.map((one) => one.close()), this.#cursors.close()]);
    await this.#admin.close();
    this.#wake.close();
  }

  #client(
    kind: ClientOptions["kind"],
    settings: Readonly<Record<string, string>>,
    ...[onEvent, onTrouble]: Parameters<OpenClient>
  ): KafkaClient {
    const { brokers, prefix, settings: own } = this.#address;
    return new KafkaClient({
      library: this.#library,
      wake: this.#wake,
      kind,
      prefix,
      settings: { ...SETTINGS, "bootstrap.servers": brokers, ...settings, ...own },
      onEvent,
      onTrouble,
    });
  }

  #producerSettings(): Record<string, string> {
    const { pendingBytesMax, pendingMax, timeoutMs } = this.#options;
    return {
      acks: "all",
      "enable.idempotence": "true",
      "message.timeout.ms": String(timeoutMs),
      "queue.buffering.max.messages": String(pendingMax),
      // A record takes its bytes and what librdkafka keeps of it.
      "queue.buffering.max.kbytes": String(Math.ceil((pendingBytesMax + pendingMax * 256) / 1024)),
      "linger.ms": "0",
    };
  }

  #readerSettings(): Record<string, string> {
    const { aheadBytesMax } = this.#options;
    return {
      "check.crcs": "true",
      "auto.commit.enable": "false",
      "enable.auto.commit": "false",
      "auto.offset.reset": "error",
      "fetch.wait.max.ms": String(FETCH_WAIT_MS),
      "fetch.message.max.bytes": String(aheadBytesMax),
      "queued.max.messages.kbytes": String(Math.ceil(aheadBytesMax / 1024)),
      "fetch.queue.backoff.ms": "2",
    };
  }

  #say({ code, text }: KafkaTrouble): void {
    if (code !== ERROR.allBrokersDown) this.#lastReason = text;
    const line = `EventLog: Kafka: ${text} (${code})`;
    if (line === this.#lastTrouble) return;
    this.#lastTrouble = line;
    this.#options.log?.(line);
  }
}

function remedyOf(reason: string): string {
  if (/authentication/i.test(reason)) return "check the user and the password, and sasl.mechanism";
  if (/ssl|certificate/i.test(reason)) {
    return "let ssl.ca.location name the file of the authority that signed the brokers' certificates, which must be for these names";
  }
  return "check the address and that the broker is up, and whether it wants TLS (security.protocol) or a password";
}

/** A broker that came back is found within a second; one that hangs is given up after some. */
const SETTINGS = {
  "reconnect.backoff.ms": "50",
  "reconnect.backoff.max.ms": "1000",
  "socket.timeout.ms": "10000",
  "socket.nagle.disable": "true",
  log_level: "0",
} as const;

/**
 * The leader of a partition answers only those who know that it leads; other clients hear of a new one when they are refused,
 * this one by asking again and again.
 */
const ADMIN_SETTINGS = { "topic.metadata.refresh.interval.ms": "1000" } as const;

const memberSettings = (group: string, memberId: string, sessionMs: number): Record<string, string> => ({
  "group.id": group,
  "group.instance.id": memberId,
  "partition.assignment.strategy": "cooperative-sticky",
  "session.timeout.ms": String(sessionMs),
  "heartbeat.interval.ms": String(Math.floor(sessionMs / 4)),
  // An event loop that stands still as long owns nothing any more.
  "max.poll.interval.ms": String(sessionMs * 2),
  "enable.auto.commit": "false",
  "enable.auto.offset.store": "false",
});
