import { SqliteStore, type SqliteStoreOptions } from "../sqlite/store.ts";
import { type EventLog, partitionOf, type Topic } from "./port.ts";

/** The log in one SQLite file. Readers that wait are woken by the commit of what they wait for; nothing polls. */
export async function openEmbeddedEventLog(options: SqliteStoreOptions): Promise<EventLog> {
  const store = await SqliteStore.open("EventLog", "eventLog", options);
  const waiting = new Map<string, Set<() => void>>();
  let closed = false;

  const wake = (name: string): void => {
    for (const resolve of waiting.get(name) ?? []) resolve();
    waiting.delete(name);
  };

  /** Resolves at the next append to the partition, or after `waitMs`. Registered before the read that finds nothing. */
  const news = (name: string, waitMs: number): { readonly arrived: Promise<void>; readonly forget: () => void } => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const waiters = waiting.get(name) ?? new Set();
    waiting.set(name, waiters.add(resolve));
    const timer = setTimeout(resolve, waitMs);
    const forget = () => {
      clearTimeout(timer);
      waiters.delete(resolve);
    };
    return { arrived: promise.finally(forget), forget };
  };

  return {
    async append(topic, key, value) {
      const partition = partitionOf(topic, key);
      const offset = await store.write("append", { topic, partition, value });
      wake(nameOf(topic, partition));
      return { partition, offset };
    },
    async read(topic, partition, fromOffset, bytesMax, waitMs) {
      const argument = { topic, partition, fromOffset, bytesMax };
      const next = news(nameOf(topic, partition), waitMs);
      const batch = await store.read("read", argument);
      if (batch.ends.length > 0 || waitMs === 0 || closed) {
        next.forget();
        return batch;
      }
      await next.arrived;
      return closed ? batch : store.read("read", argument);
    },
    endOffset: (topic, partition) => store.read("endOffset", { topic, partition }),
    async close() {
      closed = true;
      for (const name of waiting.keys()) wake(name);
      await store.close();
    },
  } satisfies EventLog;
}

const nameOf = (topic: Topic, partition: number): string => `${topic} ${partition}`;
