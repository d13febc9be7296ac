import type { Gauge } from "../../metrics.ts";
import { StoreUnavailable } from "../unavailable.ts";
import { LocalChannels } from "./local-channels.ts";
import type { HotStore } from "./port.ts";

export interface FallbackOptions {
  /** Shared by all nodes, and away at times. */
  readonly primary: HotStore;
  /** In this node's memory, empty at first. */
  readonly local: HotStore;
  /** So many calls failed in a row, and the primary is not asked until a probe was answered. In a cluster that lost a part, others succeed in between. */
  readonly failuresMax: number;
  readonly probeEveryMs: number;
  /** Keys that may be written here while the primary is away; past it a write fails as it would without a fallback. */
  readonly localKeysMax: number;
  readonly log: (line: string) => void;
  /** 1 while the primary is away. */
  readonly awayGauge?: Gauge;
}

export interface FallbackHotStore extends HotStore {
  /** Whether calls are answered from this node's memory alone. */
  readonly isAway: boolean;
  /** Keys that this node wrote for itself and the primary does not know. */
  readonly localKeys: number;
}

const PROBE_KEY = "probe";
const FORGOTTEN_AT_ONCE = 256;

/**
 * A HotStore that always answers. While the primary is away each node keeps its own values, buckets and messages, which the law allows:
 * any key may vanish, and messages may be lost.
 *
 * What is present must be the latest value, so a key that was written here in the meantime is served from here until the primary's
 * older value is deleted, and then vanishes from both: handing the value up could undo what another node wrote since.
 * Copies of boards are the primary's alone: without it they are absent, and writing them fails.
 * A message whose publishing failed may have been heard, and is not published a second time.
 */
export function openFallbackHotStore(options: FallbackOptions): FallbackHotStore {
  const { primary, local, failuresMax, probeEveryMs, localKeysMax, log, awayGauge } = options;
  const localKeys = new Set<string>();
  const channels = new LocalChannels(primary);
  let awaySinceMs: number | null = null;
  let failures = 0;
  let probe: Timer | null = null;
  let closed = false;
  awayGauge?.set(0);

  function failed(error: unknown): void {
    if (!(error instanceof StoreUnavailable)) throw error;
    if (++failures >= failuresMax && awaySinceMs === null) {
      awaySinceMs = performance.now();
      awayGauge?.set(1);
      log(`HotStore is away, this node answers from its memory: ${error.reason}`);
    }
    probeSoon();
  }

  function answered(): void {
    failures = 0;
  }

  function probeSoon(): void {
    if (closed || probe !== null) return;
    probe = setTimeout(() => void recover(), probeEveryMs);
    probe.unref();
  }

  async function recover(): Promise<void> {
    try {
      await primary.get(PROBE_KEY);
      answered();
      if (awaySinceMs !== null) {
        const seconds = ((performance.now() - awaySinceMs) / 1_000).toFixed(1);
        awaySinceMs = null;
        awayGauge?.set(0);
        log(`HotStore is back after ${seconds} s; ${localKeys.size} keys written here meanwhile are forgotten`);
      }
      await channels.attachAll();
      await forgetLocalKeys();
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
    }
    probe = null;
    if (awaySinceMs !== null || localKeys.size > 0 || channels.hasDetached) probeSoon();
  }

  async function forgetLocalKeys(): Promise<void> {
    while (localKeys.size > 0) {
      const some = [...localKeys.keys().take(FORGOTTEN_AT_ONCE)];
      const answers = await Promise.allSettled(
        some.map(async (key) => {
          await primary.delete(key);
          localKeys.delete(key);
          await local.delete(key);
        }),
      );
      const refused = answers.find((answer) => answer.status === "rejected");
      if (refused) throw refused.reason;
    }
  }

  const isHere = (key: string): boolean => awaySinceMs !== null || localKeys.has(key);

  async function read<T>(key: string, ask: (store: HotStore) => Promise<T>): Promise<T> {
    if (!isHere(key)) {
      try {
        const answer = await ask(primary);
        answered();
        return answer;
      } catch (error) {
        failed(error);
      }
    }
    return ask(local);
  }

  function write<T>(key: string, ask: (store: HotStore) => Promise<T>): Promise<T> {
    return read(key, async (store) => {
      if (store === local && !localKeys.has(key)) {
        if (localKeys.size >= localKeysMax)
          throw new StoreUnavailable("HotStore", `away, and ${localKeysMax} keys were written on this node meanwhile`);
        localKeys.add(key);
      }
      return ask(store);
    });
  }

  return {
    get isAway() {
      return awaySinceMs !== null;
    },
    get localKeys() {
      return localKeys.size;
    },
    get: (key) => read(key, (store) => store.get(key)),
    set: (key, value, ttlMs) => write(key, (store) => store.set(key, value, ttlMs)),
    delete: (key) => write(key, (store) => store.delete(key)),
    setIfAbsent: (key, value, ttlMs) => write(key, (store) => store.setIfAbsent(key, value, ttlMs)),
    // A bucket that starts full again on each node is what a rate limit can bear; nothing of it needs forgetting.
    take: (key, bucket) => read("", (store) => store.take(key, bucket)),
    // Only of use to other nodes, and to this one when it has forgotten: its own memory helps nobody.
    putBoard: (head, entries, ttlMs) => primary.putBoard(head, entries, ttlMs),
    boardHeads: (contest) => primary.boardHeads(contest),
    boardEntries: (contest, version, ranges) => primary.boardEntries(contest, version, ranges),
    boardVersions: (contests) => primary.boardVersions(contests),
    async publish(channel, message) {
      if (awaySinceMs !== null) return channels.deliver(channel, message);
      await primary.publish(channel, message).then(answered, failed);
    },
    async subscribe(channel, onMessage) {
      const leave = channels.add(channel, onMessage);
      if (awaySinceMs === null) await channels.attach(channel).then(answered, failed);
      return leave;
    },
    async close() {
      closed = true;
      if (probe !== null) clearTimeout(probe);
      channels.clear();
      await Promise.all([primary.close(), local.close()]);
    },
  } satisfies FallbackHotStore;
}
