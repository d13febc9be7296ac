import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { missingService, type Service, startService } from "../../../ops/services/service.ts";
import { until } from "../../testing/until.ts";
import { bytesOf, textOf } from "../contract.ts";
import { StoreUnavailable } from "../unavailable.ts";
import { eventLogContract } from "./contract.ts";
import { openKafkaEventLog, type KafkaLogOptions } from "./kafka.ts";
import { parseKafkaUrl } from "./kafka/address.ts";
import { allTexts, AppendLoad } from "./kafka/append-load.ts";
import { inOwnTopics, KAFKA_TEST_OPTIONS, ownPrefix, testKafkaUrl, withPrefix } from "./kafka/testing.ts";
import { type EventLog, forEachRecord, partitionsOf, TOPICS } from "./port.ts";

const shared = await testKafkaUrl();
const noServer = missingService("kafka");
if (shared !== null && noServer !== null) console.log(`event log: kafka: outages are skipped, for ${noServer}`);

describe.skipIf(shared === null)("event log: kafka", () => {
  eventLogContract(inOwnTopics(shared ?? ""));
});

describe.skipIf(shared === null)("event log: kafka, beyond the contract", () => {
  const opened: EventLog[] = [];
  const open = async (options: Partial<KafkaLogOptions> = {}): Promise<EventLog> => {
    const log = await openKafkaEventLog({
      ...KAFKA_TEST_OPTIONS,
      url: withPrefix(shared!, ownPrefix()),
      ...options,
    });
    opened.push(log);
    return log;
  };
  afterAll(() => Promise.all(opened.map((log) => log.close())));

  test("readers of one partition at different offsets each go on where they were", async () => {
    const log = await open({ readersMax: 3 });
    const texts = Array.from({ length: 3_000 }, (_, index) => `record ${index}`);
    await Promise.all(texts.map((text) => log.append("team-saves", 0, bytesOf(text))));
    const readFrom = async (start: number): Promise<string[]> => {
      const found: string[] = [];
      while (start + found.length < texts.length) {
        const batch = await log.read("team-saves", 0, start + found.length, 700, 0);
        expect(batch.firstOffset).toBe(start + found.length);
        forEachRecord(batch, (value) => found.push(textOf(value)));
      }
      return found;
    };
    // More than there are places to read from, so that some take turns.
    const starts = [0, 1_000, 2_000, 2_900, 5];
    const found = await Promise.all(starts.map(readFrom));
    expect(found).toEqual(starts.map((start) => texts.slice(start)));
  });

  test("a record of 900 KB comes back whole; one that no broker takes is refused as such", async () => {
    const log = await open();
    const large = crypto.getRandomValues(new Uint8Array(65_536));
    const value = new Uint8Array(900_000).map((_, index) => large[index % large.length]!);
    await log.append("score-events", 1, bytesOf("before"));
    await log.append("score-events", 1, value);
    const first = await log.read("score-events", 1, 0, 10, 0);
    const second = await log.read("score-events", 1, first.ends.length, 10, 0);
    const bytes = first.ends.length === 2 ? first.bytes.subarray(first.ends[0]) : second.bytes;
    expect(Bun.hash(bytes)).toBe(Bun.hash(value));
    await expect(log.append("score-events", 1, new Uint8Array(2_000_000))).rejects.toThrow("too large");
  });

  test("past the limit of appends under way, or of their bytes, an append is refused at once", async () => {
    const log = await open({ pendingMax: 10, pendingBytesMax: 1_000 });
    const few = await Promise.allSettled(Array.from({ length: 15 }, () => log.append("team-saves", 0, bytesOf("a"))));
    const statuses: string[] = few.map(({ status }) => status);
    expect(statuses).toEqual([...Array<string>(10).fill("fulfilled"), ...Array<string>(5).fill("rejected")]);
    const large = Array.from({ length: 5 }, () => log.append("team-saves", 0, new Uint8Array(400)));
    const settled = await Promise.allSettled(large);
    expect(settled.filter(({ status }) => status === "rejected").length).toBe(3);
    expect(settled.at(-1)).toMatchObject({ reason: expect.any(StoreUnavailable) });
    expect((await log.append("team-saves", 0, bytesOf("again"))).offset).toBe(12);
  });

  test("ends that are asked at one time are each true after the question", async () => {
    const log = await open();
    const appends = Array.from({ length: 200 }, async (_, index) => {
      const { offset, partition } = await log.append("team-saves", index, bytesOf("a"));
      expect(await log.endOffset("team-saves", partition)).toBeGreaterThan(offset);
    });
    await Promise.all(appends);
  });

  test("a topic with other partitions than ours is refused at the start", async () => {
    const url = withPrefix(shared!, ownPrefix());
    const renamed = { ...TOPICS["team-saves"] };
    const log = await open({ url });
    await log.close();
    const partitions = TOPICS["team-saves"] as { partitionCount: number };
    partitions.partitionCount = 7;
    try {
      await expect(open({ url })).rejects.toThrow("team-saves has 8 partitions and must have 7");
    } finally {
      partitions.partitionCount = renamed.partitionCount;
    }
  });

  test("where nobody answers the start fails with the port, the address and the remedy", async () => {
    const opening = open({ url: "kafka://no-such-host.invalid:1/test", timeoutMs: 1_500 });
    await expect(opening).rejects.toThrow(
      /EVENT_LOG_URL: no Kafka broker answers at no-such-host\.invalid:1 .*resolve.*; check the address/,
    );
    await expect(open({ url: "kafka://127.0.0.1:1/test", timeoutMs: 1_500 })).rejects.toThrow(
      /127\.0\.0\.1:1 .*refused/,
    );
    await expect(open({ libraryPath: "/no/librdkafka.so" })).rejects.toThrow("run make build");
  });

  test("members share the partitions, each its own; one that leaves gives its share away at once", async () => {
    const url = withPrefix(shared!, ownPrefix());
    const all = partitionsOf("team-saves");
    const owned = new Map<string, readonly number[]>();
    const changed = new Set<() => void>();
    const until = async (holds: () => boolean): Promise<void> => {
      while (!holds()) await new Promise<void>((resolve) => changed.add(resolve));
    };
    const join = async (memberId: string) => {
      const log = await open({ url, memberId });
      const leave = await log.share("team-saves", "owners", (partitions) => {
        owned.set(memberId, partitions);
        for (const wake of changed) wake();
        changed.clear();
      });
      return { log, leave };
    };
    const isShared = (members: number): boolean => {
      const shares = [...owned.values()].filter((partitions) => partitions.length > 0);
      return (
        shares.length === members &&
        shares
          .flat()
          .sort((a, b) => a - b)
          .join() === all.join()
      );
    };
    const members = [await join("a"), await join("b"), await join("c")];
    await until(() => isShared(3));
    const spread = [...owned.values()].map((partitions) => partitions.length);
    expect(Math.max(...spread) - Math.min(...spread)).toBeLessThanOrEqual(1);
    const before = owned.get("b");
    // A restart within the session: the same name, and nobody moves.
    await members[1]!.log.close();
    const others = [owned.get("a"), owned.get("c")];
    owned.delete("b");
    members[1] = await join("b");
    await until(() => isShared(3));
    expect(owned.get("b")).toEqual(before);
    expect([owned.get("a"), owned.get("c")]).toEqual(others);
    await members[0]!.leave();
    owned.delete("a");
    await until(() => isShared(2));
    await members[1]!.leave();
    owned.delete("b");
    await until(() => isShared(1));
    await members[2]!.leave();
  }, 60_000);

  test("what a killed member owned is the others' within the session's time", async () => {
    const url = withPrefix(shared!, ownPrefix());
    const owned = { mine: [] as readonly number[], changed: Promise.withResolvers<void>() };
    const log = await open({ url, memberId: "survivor" });
    const leave = await log.share("team-saves", "owners", (partitions) => {
      owned.mine = partitions;
      owned.changed.resolve();
      owned.changed = Promise.withResolvers();
    });
    while (owned.mine.length !== 8) await owned.changed.promise;
    const victim = Bun.spawn([process.execPath, join(import.meta.dir, "kafka/member.ts"), url, "victim"], {
      stdout: "pipe",
      stderr: "inherit",
    });
    let text = "";
    const decoder = new TextDecoder();
    for await (const chunk of victim.stdout) {
      text += decoder.decode(chunk, { stream: true });
      const lines = text.split("\n").slice(0, -1);
      if (lines.length > 0 && (JSON.parse(lines.at(-1)!) as number[]).length === 4) victim.kill("SIGKILL");
    }
    await victim.exited;
    expect(victim.signalCode).toBe("SIGKILL");
    while (owned.mine.length !== 8) await owned.changed.promise;
    expect(owned.mine).toEqual(partitionsOf("team-saves"));
    await leave();
  }, 60_000);

  test("a member that was put out by another of its name joins again", async () => {
    const url = withPrefix(shared!, ownPrefix());
    const join = async () => {
      const member = { owned: [] as readonly number[], changes: 0, isFenced: false };
      const log = await open({ url, memberId: "twin", log: (line) => (member.isFenced ||= line.includes("fenced")) });
      await log.share("team-saves", "owners", (partitions) => {
        member.owned = partitions;
        member.changes++;
      });
      return { member, log };
    };
    const first = await join();
    await until("it owns all", () => first.member.owned.length === 8);
    const second = await join();
    await until("it is put out", () => first.member.isFenced);
    // It was not told that somebody else has what it had.
    expect(first.member.owned).toEqual(partitionsOf("team-saves"));
    await second.log.close();
    const { changes } = first.member;
    await until("the group speaks to it again", () => first.member.changes > changes);
    expect(first.member.owned).toEqual(partitionsOf("team-saves"));
    // And is a member like others again.
    const third = await open({ url, memberId: "other" });
    await third.share("team-saves", "owners", () => undefined);
    await until("it shares", () => first.member.owned.length === 4);
  }, 60_000);
});

describe.skipIf(shared === null || noServer !== null)("event log: kafka, with a broker that goes away", () => {
  let directory = "";
  let broker: Service;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "powerplay-kafka-"));
    broker = await startService("kafka", {
      directory: join(directory, "kafka"),
      settings: { "log.retention.check.interval.ms": "200", "log.initial.task.delay.ms": "100" },
    });
  }, 60_000);
  afterAll(async () => {
    await broker.remove();
    await rm(directory, { recursive: true, force: true });
  });

  for (const outage of ["killed", "paused"] as const) {
    test(`${outage} under load: what was acknowledged is there, in order, and what was not was refused in time`, async () => {
      const timeoutMs = 2_000;
      const url = withPrefix(broker.url, ownPrefix());
      const log = await openKafkaEventLog({ ...KAFKA_TEST_OPTIONS, url, timeoutMs });
      const load = new AppendLoad(log, { keyCount: 32, underWayCount: 1, pauseMs: 0 });
      const until = async (holds: () => boolean): Promise<void> => {
        while (!holds()) await Bun.sleep(5);
      };
      await until(() => load.acknowledgedCount > 2_000);
      if (outage === "killed") await broker.kill();
      else await broker.pause();
      await until(() => load.refusedCount > 64);
      const before = load.acknowledgedCount;
      if (outage === "killed") await broker.start();
      else broker.resume();
      await until(() => load.acknowledgedCount > before + 2_000);
      await load.stop();
      const texts = await allTexts(log);
      expect(load.violations(texts)).toEqual([]);
      expect(load.repeatedCount(texts)).toBe(0);
      await log.close();
    }, 60_000);
  }

  test("a reader waits through an outage and reads on", async () => {
    const url = withPrefix(broker.url, ownPrefix());
    const log = await openKafkaEventLog({ ...KAFKA_TEST_OPTIONS, url });
    await log.append("team-saves", 0, bytesOf("before"));
    expect((await log.read("team-saves", 0, 0, 100, 0)).ends.length).toBe(1);
    await broker.kill();
    expect((await log.read("team-saves", 0, 1, 100, 50)).ends.length).toBe(0);
    const reading = log.read("team-saves", 0, 1, 100, 60_000);
    await broker.start();
    await log.append("team-saves", 0, bytesOf("after"));
    const batch = await reading;
    expect(batch.firstOffset).toBe(1);
    expect(textOf(batch.bytes)).toBe("after");
    await log.close();
  }, 60_000);

  test("where old records are gone a batch begins with the oldest that is left", async () => {
    const url = `${withPrefix(broker.url, ownPrefix())}?retentionMs=300`;
    const log = await openKafkaEventLog({ ...KAFKA_TEST_OPTIONS, url });
    for (let index = 0; index < 10; index++) await log.append("team-saves", 0, bytesOf(`${index}`));
    // The whole log is old at some time.
    let gone = await log.read("team-saves", 0, 0, 1, 100);
    while (gone.firstOffset === 0) gone = await log.read("team-saves", 0, 0, 1, 100);
    expect(gone.firstOffset).toBe(10);
    expect((await log.read("team-saves", 0, 3, 1, 0)).firstOffset).toBe(10);
    await log.append("team-saves", 0, bytesOf("new"));
    const batch = await log.read("team-saves", 0, 0, 100, 0);
    expect(batch.firstOffset).toBe(10);
    expect(textOf(batch.bytes)).toBe("new");
    await log.close();
  }, 60_000);
});

test("an address says brokers, prefix and options, or what is wrong with it", () => {
  const parsed = parseKafkaUrl("kafka://u:p%40@b1:9093,b2/pp?replication=3&ssl.ca.location=/ca.pem");
  expect(parsed).toEqual({
    ok: true,
    address: {
      brokers: "b1:9093,b2:9092",
      prefix: "pp",
      replication: 3,
      minInsync: 2,
      retentionMs: 7 * 24 * 3_600_000,
      settings: {
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "PLAIN",
        "sasl.username": "u",
        "sasl.password": "p@",
        "ssl.ca.location": "/ca.pem",
      },
    },
  });
  const faults = [
    ["kafka://b1:9092", "form"],
    ["redis://b1/pp", "form"],
    ["kafka://b1:x/pp", '"b1:x" is not host:port'],
    ["kafka://b1/pp?replicas=3", '"replicas" is no option'],
    ["kafka://b1/pp?replication=x", 'replication: "x" is not a whole number'],
    ["kafka://b1/pp?replication=1&minInsync=2", "minInsync"],
  ] as const;
  for (const [url, fault] of faults) {
    const result = parseKafkaUrl(url);
    expect(result.ok ? "" : result.fault).toContain(fault);
  }
});
