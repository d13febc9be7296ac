import { type EventLog, type LogPosition, ownAll, partitionOf, type Topic } from "../stores/event-log/port.ts";

/** Records in arrays. `pause` is how a reader waits for news. */
export function openSimulatedEventLog(pause: (ms: number) => Promise<unknown> = Bun.sleep): EventLog {
  const partitions = new Map<string, Uint8Array[]>();
  const waiting = new Map<string, (() => void)[]>();
  const recordsOf = (name: string): Uint8Array[] => {
    let records = partitions.get(name);
    if (!records) partitions.set(name, (records = []));
    return records;
  };

  return {
    async append(topic, key, value): Promise<LogPosition> {
      const partition = partitionOf(topic, key);
      const name = nameOf(topic, partition);
      const offset = recordsOf(name).push(value.slice()) - 1;
      for (const wake of waiting.get(name)?.splice(0) ?? []) wake();
      return { partition, offset };
    },
    async read(topic, partition, fromOffset, bytesMax, waitMs) {
      const name = nameOf(topic, partition);
      const records = recordsOf(name);
      if (fromOffset >= records.length && waitMs > 0) {
        const news = new Promise<void>((resolve) => {
          const wakes = waiting.get(name);
          if (wakes) wakes.push(resolve);
          else waiting.set(name, [resolve]);
        });
        await Promise.race([news, pause(waitMs)]);
      }
      const taken: Uint8Array[] = [];
      let byteCount = 0;
      for (let offset = fromOffset; offset < records.length && (byteCount < bytesMax || taken.length === 0); offset++) {
        taken.push(records[offset]!);
        byteCount += records[offset]!.length;
      }
      const bytes = new Uint8Array(byteCount);
      const ends = new Uint32Array(taken.length);
      let end = 0;
      for (const [index, record] of taken.entries()) {
        bytes.set(record, end);
        ends[index] = end += record.length;
      }
      return { firstOffset: fromOffset, bytes, ends };
    },
    endOffset: async (topic, partition) => recordsOf(nameOf(topic, partition)).length,
    share: async (topic, _group, onOwned) => ownAll(topic, onOwned),
    close: async () => undefined,
  };
}

const nameOf = (topic: Topic, partition: number): string => `${topic} ${partition}`;
