/** The log on three brokers, as in production: what one of them takes with it when it dies, and what two do. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startKafkaCluster } from "../../../ops/services/kafka-cluster.ts";
import { missingService, type Service } from "../../../ops/services/service.ts";
import { until } from "../../testing/until.ts";
import { bytesOf } from "../contract.ts";
import { StoreUnavailable } from "../unavailable.ts";
import { openKafkaEventLog, type KafkaLogOptions } from "./kafka.ts";
import { allTexts, AppendLoad, readOn } from "./kafka/append-load.ts";
import { KAFKA_TEST_OPTIONS, ownPrefix } from "./kafka/testing.ts";
import { type EventLog, partitionsOf } from "./port.ts";
import { nativeLibraries } from "../../native-libraries.ts";

const BROKER_COUNT = 3;
/** A third of Kafka's own: how long a broker is silent before others lead what it led. */
const BROKER_SESSION_MS = 3_000;
const STEADY = { keyCount: 16, underWayCount: 3, pauseMs: 20 };

function whyNot(): string | null {
  if (process.env["OUTAGE_MS"] === undefined) return "three brokers take more than a minute (make test-outages)";
  return nativeLibraries.kafka === null ? "librdkafka is not built (make build)" : missingService("kafka");
}

const missing = whyNot();
if (missing !== null) console.log(`event log: kafka on three brokers: skipped, for ${missing}`);

describe.skipIf(missing !== null)("event log: kafka on three brokers", () => {
  let directory = "";
  let brokers: readonly Service[] = [];
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "powerplay-brokers-"));
    brokers = await startKafkaCluster(BROKER_COUNT, directory, {
      "broker.session.timeout.ms": String(BROKER_SESSION_MS),
      "broker.heartbeat.interval.ms": "500",
    });
  }, 180_000);
  afterAll(async () => {
    await Promise.all(brokers.map((broker) => broker.remove()));
    await rm(directory, { recursive: true, force: true });
  });

  const urlOf = (prefix: string): string => {
    const hosts = brokers.map(({ port }) => `127.0.0.1:${port}`).join();
    return `kafka://${hosts}/${prefix}?replication=${BROKER_COUNT}&minInsync=2`;
  };
  const open = (url: string, options: Partial<KafkaLogOptions> = {}): Promise<EventLog> =>
    openKafkaEventLog({ ...KAFKA_TEST_OPTIONS, url, ...options });

  test("one dies under load and comes back: appends wait, nothing is lost, readers, members and new nodes go on", async () => {
    const url = urlOf(ownPrefix());
    const log = await open(url, { memberId: "a", timeoutMs: 60_000 });
    const other = await open(url, { memberId: "b" });
    const owned = new Map<string, readonly number[]>();
    await log.share("team-saves", "owners", (partitions) => void owned.set("a", partitions));
    await other.share("team-saves", "owners", (partitions) => void owned.set("b", partitions));
    const isShared = (): boolean =>
      [...owned.values()].every(({ length }) => length === 4) &&
      new Set([...owned.values()].flat()).size === partitionsOf("team-saves").length;
    await until("two members share the partitions", isShared);

    const load = new AppendLoad(log, STEADY);
    const follower = new Follower(other);
    await until("every key is appended to", load.everyKeyAgain());
    load.takeLongestMs();
    // Each in turn, for whoever coordinates the group or controls the cluster is among them.
    for (const [index, broker] of brokers.entries()) {
      await broker.kill();
      const again = load.everyKeyAgain();
      const young = await open(url, { memberId: "c" });
      await young.append("notifications", 0, bytesOf("from a node that started meanwhile"));
      await young.close();
      await until("every key is appended to again", again);
      const pauseMs = load.takeLongestMs();
      const read = follower.count;
      await until("the reader goes on", () => follower.count > read);
      await broker.start();
      await until("the load goes on", load.everyKeyAgain());
      await until("two members share the partitions again", isShared);
      console.log(
        `  broker ${index + 1} of ${BROKER_COUNT} killed: the slowest append took ${pauseMs.toFixed(0)} ms; ` +
          `${load.takeLongestMs().toFixed(0)} ms when it came back`,
      );
    }
    await load.stop();
    expect(load.refusedCount).toBe(0);
    const texts = await allTexts(log);
    expect(load.violations(texts)).toEqual([]);
    expect(load.repeatedCount(texts)).toBe(0);
    await until("the reader has all", () => follower.count === texts.flat().length);
    await follower.stop();
    expect(follower.texts).toEqual(texts);
    await Promise.all([log.close(), other.close()]);
  }, 300_000);

  test("while two are away appends are refused and nothing else; then they resume", async () => {
    const log = await open(urlOf(ownPrefix()), { timeoutMs: 3_000 });
    const load = new AppendLoad(log, STEADY);
    const follower = new Follower(log);
    await until("every key is appended to", load.everyKeyAgain());
    const [, ...away] = brokers;
    await Promise.all(away.map((broker) => broker.kill()));
    // Whose answer was on its way has it by then.
    await until("appends are refused", () => load.refusedCount > 100);
    const acknowledged = load.acknowledgedCount;
    const refused = load.refusedCount;
    await until("appends are refused still", () => load.refusedCount > refused + 100);
    expect(load.acknowledgedCount).toBe(acknowledged);
    await expect(log.append("notifications", 0, bytesOf("lonely"))).rejects.toThrow(StoreUnavailable);
    await Promise.all(away.map((broker) => broker.start()));
    await until("every key is appended to again", load.everyKeyAgain());
    await load.stop();
    const texts = await allTexts(log);
    expect(load.violations(texts)).toEqual([]);
    console.log(
      `  two of ${BROKER_COUNT} away: ${load.repeatedCount(texts)} of ${texts.flat().length} records are there twice`,
    );
    await until("the reader has all", () => follower.count === texts.flat().length);
    await follower.stop();
    expect(follower.texts).toEqual(texts);
    await log.close();
  }, 120_000);

  test("more replicas than there are brokers are refused at the start", async () => {
    const url = urlOf(ownPrefix()).replace(/\?.*/, "?replication=4");
    await expect(open(url)).rejects.toThrow(/can't be created with 4 replicas: .*[Rr]eplication factor/);
  });
});

/** Reads all partitions of the team saves from their beginning on, until it is stopped. */
class Follower {
  readonly texts: string[][] = partitionsOf("team-saves").map(() => []);
  readonly #reading: Promise<unknown>;
  #isStopped = false;

  constructor(log: EventLog) {
    this.#reading = Promise.all(
      this.texts.map(async (texts, partition) => {
        while (!this.#isStopped) await readOn(log, partition, texts, 200);
      }),
    );
  }

  get count(): number {
    return this.texts.reduce((sum, { length }) => sum + length, 0);
  }

  /** Rejects if a read was refused. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#reading;
  }
}
