import { LRUCache } from "lru-cache";
import type { Clock } from "../domain/clock.ts";
import type { HotStore, TakeResult, TokenBucket } from "../stores/hot-store/port.ts";
import { StoreUnavailable } from "../stores/unavailable.ts";

/** Buckets kept for the time without a HotStore: enough for everybody who acts on one node within a minute. */
const LOCAL_BUCKETS_MAX = 100_000;

const ALLOWED: TakeResult = { allowed: true };

/**
 * Token buckets in the HotStore, shared by all nodes. Without it, reads are let through: refusing them would take the
 * edge down together with a cache, and they cost little. What writes or guesses passwords stays limited, by buckets of this
 * node alone: on n nodes somebody gets at most n times the rate, and log-ins never become free to guess at.
 */
export class RateLimiter {
  readonly #local: LocalBuckets;

  constructor(
    private readonly hotStore: Pick<HotStore, "take">,
    clock: Clock,
  ) {
    this.#local = new LocalBuckets(clock);
  }

  async take(key: string, bucket: TokenBucket, kind: "read" | "write"): Promise<TakeResult> {
    try {
      return await this.hotStore.take(key, bucket);
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
      return kind === "read" ? ALLOWED : this.#local.take(key, bucket);
    }
  }
}

class LocalBuckets {
  readonly #buckets = new LRUCache<string, { tokens: number; atMs: number }>({ max: LOCAL_BUCKETS_MAX });

  constructor(private readonly clock: Clock) {}

  take(key: string, { capacity, refillPerSecond }: TokenBucket): TakeResult {
    const nowMs = this.clock.nowMs();
    const bucket = this.#buckets.get(key) ?? { tokens: capacity, atMs: nowMs };
    // A clock that was set back refills nothing and takes nothing away.
    const elapsedMs = Math.max(0, nowMs - bucket.atMs);
    bucket.tokens = Math.min(capacity, bucket.tokens + (elapsedMs * refillPerSecond) / 1000);
    bucket.atMs = nowMs;
    this.#buckets.set(key, bucket);
    if (bucket.tokens < 1) return { allowed: false, retryAfterMs: ((1 - bucket.tokens) * 1000) / refillPerSecond };
    bucket.tokens -= 1;
    return ALLOWED;
  }
}
