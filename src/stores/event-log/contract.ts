import { expect } from "bun:test";
import { seededRandom } from "../../domain/random.ts";
import { bytesOf, type OpenStore, testsWith, textOf } from "../contract.ts";
import { type EventLog, forEachRecord, type LogBatch, partitionOf, partitionsOf, TOPICS } from "./port.ts";

const textsOf = (batch: LogBatch): string[] => {
  const texts: string[] = [];
  forEachRecord(batch, (value) => texts.push(textOf(value)));
  return texts;
};

async function readAll(log: EventLog, partition: number, bytesMax = 1 << 16): Promise<string[]> {
  const texts: string[] = [];
  for (;;) {
    const batch = await log.read("team-saves", partition, texts.length, bytesMax, 0);
    if (batch.ends.length === 0) return texts;
    expect(batch.firstOffset).toBe(texts.length);
    texts.push(...textsOf(batch));
  }
}

/** Each sentence of the law in port.ts, asked of any engine. */
export function eventLogContract(open: OpenStore<EventLog>): void {
  const test = testsWith(open);

  test("offsets of a partition rise by one from 0 and name the same bytes for ever", async (log, reopen) => {
    const positions = [];
    for (const text of ["a", "", "ccc"]) positions.push(await log.append("team-saves", 5, bytesOf(text)));
    const partition = partitionOf("team-saves", 5);
    expect(positions).toEqual([0, 1, 2].map((offset) => ({ partition, offset })));
    expect(await readAll(log, partition)).toEqual(["a", "", "ccc"]);
    const again = await reopen();
    expect(await again.append("team-saves", 5, bytesOf("d"))).toEqual({ partition, offset: 3 });
    expect(await readAll(again, partition)).toEqual(["a", "", "ccc", "d"]);
    expect(await again.endOffset("team-saves", partition)).toBe(4);
  });

  test("topics and partitions do not mix", async (log) => {
    await log.append("team-saves", 0, bytesOf("zero"));
    await log.append("team-saves", 1, bytesOf("one"));
    await log.append("contest-joins", 0, bytesOf("join"));
    expect(await readAll(log, 0)).toEqual(["zero"]);
    expect(await readAll(log, 1)).toEqual(["one"]);
    expect(textsOf(await log.read("contest-joins", 0, 0, 100, 0))).toEqual(["join"]);
    expect(await log.endOffset("contest-joins", 1)).toBe(0);
  });

  test("records of one key are read in the order of their appends, however many are under way", async (log, reopen) => {
    const keys = TOPICS["team-saves"].partitionCount * 2;
    const sent = Array.from({ length: 2_000 }, (_, index) => ({ key: index % keys, text: `${index % keys}:${index}` }));
    const positions = await Promise.all(sent.map(({ key, text }) => log.append("team-saves", key, bytesOf(text))));
    const again = await reopen();
    for (let partition = 0; partition < TOPICS["team-saves"].partitionCount; partition++) {
      const texts = await readAll(again, partition, 256);
      const expected: string[] = [];
      for (const [index, { text }] of sent.entries()) {
        if (positions[index]!.partition === partition) expected[positions[index]!.offset] = text;
      }
      expect(texts).toEqual(expected);
      for (let key = 0; key < keys; key++) {
        const ofKey = texts.filter((text) => text.startsWith(`${key}:`)).map((text) => Number(text.split(":")[1]));
        expect(ofKey).toEqual(ofKey.toSorted((a, b) => a - b));
      }
    }
  });

  test("a read starts at any offset and holds at least one record, whatever bytesMax", async (log) => {
    const random = seededRandom(3);
    const texts = Array.from({ length: 300 }, (_, index) => "x".repeat(random.int(40)) + index);
    for (let at = 0; at < texts.length; at += 30) {
      await Promise.all(texts.slice(at, at + 30).map((text) => log.append("team-saves", 0, bytesOf(text))));
    }
    for (let round = 0; round < 100; round++) {
      const from = random.int(texts.length);
      const batch = await log.read("team-saves", 0, from, 1 + random.int(500), 0);
      expect(batch.ends.length).toBeGreaterThan(0);
      expect(textsOf(batch)).toEqual(texts.slice(from, from + batch.ends.length));
    }
  });

  test("a reader that waits gets what is appended meanwhile", async (log) => {
    const reading = log.read("team-saves", 0, 0, 100, 60_000);
    await log.append("team-saves", 1, bytesOf("another partition"));
    await log.append("team-saves", 0, bytesOf("news"));
    expect(textsOf(await reading)).toEqual(["news"]);
  });

  test("a reader that waits in vain gets an empty batch", async (log) => {
    const batch = await log.read("team-saves", 0, 0, 100, 5);
    expect(batch.firstOffset).toBe(0);
    expect(batch.ends.length).toBe(0);
  });

  test("records of any size come back whole, in answers of about bytesMax, from any offset", async (log, reopen) => {
    const sizes = [0, 300_000, 1, 200_000, 200_000, 0, ...Array<number>(400).fill(2_000), 600_000, 5];
    const values = sizes.map((size, index) => new Uint8Array(size).fill(index));
    const positions = await Promise.all(values.map((value) => log.append("score-events", 4, value)));
    expect(positions.map(({ offset }) => offset)).toEqual(values.map((_, index) => index));
    const again = await reopen();
    const bytesMax = 50_000;
    for (const start of [0, 3, 100]) {
      let next = start;
      while (next < values.length) {
        const batch = await again.read("score-events", 0, next, bytesMax, 0);
        expect(batch.ends.length).toBeGreaterThan(0);
        forEachRecord(batch, (value, offset) => expect(Bun.hash(value)).toBe(Bun.hash(values[offset]!)));
        next += batch.ends.length;
      }
      expect(next).toBe(values.length);
    }
  });

  test("all readers that wait are woken, each with what lies at its offset", async (log) => {
    const reading = Array.from({ length: 20 }, (_, index) => log.read("notifications", index % 4, 0, 1_000, 60_000));
    for (let key = 0; key < 4; key++) await log.append("notifications", key, bytesOf(`to ${key}`));
    const batches = await Promise.all(reading);
    expect(batches.map((batch) => textsOf(batch)[0])).toEqual(batches.map((_, index) => `to ${index % 4}`));
  });

  test("a member that is alone in its group owns every partition of the topic", async (log) => {
    const owned = Promise.withResolvers<readonly number[]>();
    const leave = await log.share("team-saves", "contract", (partitions) => {
      if (partitions.length === TOPICS["team-saves"].partitionCount) owned.resolve(partitions);
    });
    expect(await owned.promise).toEqual(partitionsOf("team-saves"));
    await leave();
  });

  test("closing settles pending appends first", async (log, reopen) => {
    const pending = Array.from({ length: 500 }, (_, index) => log.append("team-saves", 0, bytesOf(`${index}`)));
    const again = await reopen();
    const positions = await Promise.all(pending);
    expect(positions.at(-1)).toEqual({ partition: 0, offset: 499 });
    expect(await again.endOffset("team-saves", 0)).toBe(500);
  });
}
