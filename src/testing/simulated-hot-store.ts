import type { Clock } from "../domain/clock.ts";
import { InMemoryBoards } from "../stores/hot-store/in-memory-boards.ts";
import type { HotStore } from "../stores/hot-store/port.ts";

/** `forget` drops everything at once, which the law allows at any time. */
export function openSimulatedHotStore(clock: Clock): HotStore & { forget(): void } {
  const values = new Map<string, { readonly value: Uint8Array; readonly untilMs: number }>();
  const buckets = new Map<string, { tokens: number; atMs: number }>();
  const boards = new InMemoryBoards(clock, Number.POSITIVE_INFINITY);
  const subscribers = new Map<string, Set<(message: Uint8Array) => void>>();
  const live = (key: string): Uint8Array | null => {
    const found = values.get(key);
    return found && found.untilMs > clock.nowMs() ? found.value : null;
  };

  return {
    forget() {
      values.clear();
      buckets.clear();
      boards.clear();
    },
    get: async (key) => live(key)?.slice() ?? null,
    async set(key, value, ttlMs) {
      values.set(key, { value: value.slice(), untilMs: clock.nowMs() + ttlMs });
    },
    async delete(key) {
      values.delete(key);
    },
    async setIfAbsent(key, value, ttlMs) {
      const present = live(key);
      if (present) return present.slice();
      values.set(key, { value: value.slice(), untilMs: clock.nowMs() + ttlMs });
      return null;
    },
    async take(key, { capacity, refillPerSecond }) {
      const nowMs = clock.nowMs();
      const bucket = buckets.get(key) ?? { tokens: capacity, atMs: nowMs };
      const tokens = Math.min(capacity, bucket.tokens + ((nowMs - bucket.atMs) / 1000) * refillPerSecond);
      const allowed = tokens >= 1;
      buckets.set(key, { tokens: allowed ? tokens - 1 : tokens, atMs: nowMs });
      return allowed ? { allowed } : { allowed, retryAfterMs: Math.ceil(((1 - tokens) / refillPerSecond) * 1000) };
    },
    async publish(channel, message) {
      for (const onMessage of subscribers.get(channel) ?? []) onMessage(message.slice());
    },
    async subscribe(channel, onMessage) {
      const listeners = subscribers.get(channel) ?? new Set();
      subscribers.set(channel, listeners.add(onMessage));
      return async () => void listeners.delete(onMessage);
    },
    putBoard: (head, entries, ttlMs) => boards.putBoard(head, entries, ttlMs),
    boardHeads: (contest) => boards.boardHeads(contest),
    boardEntries: (contest, version, ranges) => boards.boardEntries(contest, version, ranges),
    boardVersions: (contests) => boards.boardVersions(contests),
    close: async () => undefined,
  };
}
