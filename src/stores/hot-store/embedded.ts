import { LRUCache } from "lru-cache";
import type { Clock } from "../../domain/clock.ts";
import { InMemoryBoards } from "./in-memory-boards.ts";
import type { HotStore, TokenBucket } from "./port.ts";

export interface EmbeddedHotStoreOptions {
  readonly clock: Clock;
  /** Keys and values together; past it the least recently used vanish, as the law allows. */
  readonly bytesMax: number;
  readonly bucketsMax: number;
  /** Copies of boards; past it the contests that were written longest ago vanish. */
  readonly boardBytesMax: number;
}

/** What an entry of the cache costs beside its key and value. */
const ENTRY_OVERHEAD_BYTES = 120;

interface Kept {
  readonly value: Uint8Array;
  readonly untilMs: number;
}

/** In the memory of one node. */
export function openEmbeddedHotStore({
  boardBytesMax,
  bucketsMax,
  bytesMax,
  clock,
}: EmbeddedHotStoreOptions): HotStore {
  const values = new LRUCache<string, Kept>({
    maxSize: bytesMax,
    sizeCalculation: ({ value }, key) => value.length + key.length * 2 + ENTRY_OVERHEAD_BYTES,
  });
  const buckets = new LRUCache<string, { tokens: number; atMs: number }>({ max: bucketsMax });
  const boards = new InMemoryBoards(clock, boardBytesMax);
  const subscribers = new Map<string, Set<(message: Uint8Array) => void>>();

  const live = (key: string): Uint8Array | null => {
    const kept = values.get(key);
    if (kept === undefined) return null;
    if (kept.untilMs > clock.nowMs()) return kept.value;
    values.delete(key);
    return null;
  };
  const put = (key: string, value: Uint8Array, ttlMs: number) =>
    values.set(key, { value: value.slice(), untilMs: clock.nowMs() + ttlMs });

  function take(key: string, { capacity, refillPerSecond }: TokenBucket) {
    const nowMs = clock.nowMs();
    let bucket = buckets.get(key);
    if (bucket === undefined) buckets.set(key, (bucket = { tokens: capacity, atMs: nowMs }));
    // A clock that was set back refills nothing.
    const elapsedMs = Math.max(0, nowMs - bucket.atMs);
    bucket.tokens = Math.min(capacity, bucket.tokens + (elapsedMs / 1000) * refillPerSecond);
    bucket.atMs = nowMs;
    if (bucket.tokens < 1) {
      return { allowed: false, retryAfterMs: Math.ceil(((1 - bucket.tokens) / refillPerSecond) * 1000) } as const;
    }
    bucket.tokens -= 1;
    return { allowed: true } as const;
  }

  return {
    get: async (key) => live(key)?.slice() ?? null,
    async set(key, value, ttlMs) {
      put(key, value, ttlMs);
    },
    async delete(key) {
      values.delete(key);
    },
    async setIfAbsent(key, value, ttlMs) {
      const present = live(key);
      if (present === null) put(key, value, ttlMs);
      return present?.slice() ?? null;
    },
    take: async (key, bucket) => take(key, bucket),
    async publish(channel, message) {
      for (const onMessage of subscribers.get(channel) ?? []) onMessage(message.slice());
    },
    async subscribe(channel, onMessage) {
      const listeners = subscribers.get(channel) ?? new Set();
      subscribers.set(channel, listeners.add(onMessage));
      return async () => {
        listeners.delete(onMessage);
        if (listeners.size === 0) subscribers.delete(channel);
      };
    },
    putBoard: (head, entries, ttlMs) => boards.putBoard(head, entries, ttlMs),
    boardHeads: (contest) => boards.boardHeads(contest),
    boardEntries: (contest, version, ranges) => boards.boardEntries(contest, version, ranges),
    boardVersions: (contests) => boards.boardVersions(contests),
    async close() {
      boards.clear();
      values.clear();
      buckets.clear();
      subscribers.clear();
    },
  } satisfies HotStore;
}
