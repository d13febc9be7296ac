import { SqliteStore, type SqliteStoreOptions, type StoreCalls } from "../sqlite/store.ts";
import { StoreUnavailable } from "../unavailable.ts";
import { AppendQueue } from "./append-queue.ts";
import { type EventLog, ownAll, partitionOf, type Topic } from "./port.ts";

/** How a log waits; a simulation hands in its own time. */
export interface LogTiming {
  /** Calls back after so many ms; answers how to call that off. */
  readonly after: (ms: number, then: () => void) => () => void;
  readonly turn: () => Promise<unknown>;
}

const REAL_TIME: LogTiming = {
  after(ms, then) {
    const timer = setTimeout(then, ms);
    return () => clearTimeout(timer);
  },
  turn: () => new Promise(setImmediate),
};

/** The log in one SQLite file. */
export const openEmbeddedEventLog = async (options: SqliteStoreOptions): Promise<EventLog> =>
  eventLogOver(await SqliteStore.open("EventLog", "eventLog", options), options.pendingMax);

/** Readers that wait are woken by the commit of what they wait for; nothing polls. */
export function eventLogOver(
  store: StoreCalls<"eventLog">,
  pendingMax: number,
  { after, turn }: LogTiming = REAL_TIME,
): EventLog {
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
    const callOff = after(waitMs, resolve);
    const forget = () => {
      callOff();
      waiters.delete(resolve);
    };
    return { arrived: promise, forget };
  };

  const queue = new AppendQueue(
    (rows) => store.write("append", rows),
    pendingMax,
    (topic, partition) => wake(nameOf(topic, partition)),
    turn,
  );

  return {
    async append(topic, key, value) {
      if (closed) throw new StoreUnavailable("EventLog", "it is closed");
      return queue.append(topic, partitionOf(topic, key), value);
    },
    async read(topic, partition, fromOffset, bytesMax, waitMs) {
      const argument = { topic, partition, fromOffset, bytesMax };
      if (waitMs === 0) return store.read("read", argument);
      const next = news(nameOf(topic, partition), waitMs);
      try {
        const batch = await store.read("read", argument);
        if (batch.ends.length > 0 || closed) return batch;
        await next.arrived;
        return closed ? batch : await store.read("read", argument);
      } finally {
        next.forget();
      }
    },
    endOffset: (topic, partition) => store.read("endOffset", { topic, partition }),
    share: async (topic, _group, onOwned) => ownAll(topic, onOwned),
    async close() {
      closed = true;
      await queue.settled();
      for (const name of waiting.keys()) wake(name);
      await store.close();
    },
  } satisfies EventLog;
}

const nameOf = (topic: Topic, partition: number): string => `${topic} ${partition}`;
