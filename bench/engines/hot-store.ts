/**
 * The HotStore on Redis, a thousand calls under way, beside the same commands in pipelines of a thousand made by hand: what the port,
 * its deadlines and its copies cost. Both read the same values back.
 *
 *   HOT_STORE_URL=redis://… bun bench/engines/hot-store.ts      without it, a redis-server of its own
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { limits } from "../../src/config.ts";
import { assert } from "../../src/domain/assert.ts";
import { systemClock } from "../../src/domain/clock.ts";
import { openEmbeddedHotStore } from "../../src/stores/hot-store/embedded.ts";
import { openFallbackHotStore } from "../../src/stores/hot-store/fallback.ts";
import type { HotStore } from "../../src/stores/hot-store/port.ts";
import { openRedisHotStore } from "../../src/stores/hot-store/redis.ts";
import { takeScript } from "../../src/stores/hot-store/redis/scripts.ts";
import { startService } from "../../src/testing/services.ts";

const CALLS = 200_000;
const UNDER_WAY = 1_000;
const KEYS = 50_000;
const RUNS = 5;
const TTL_MS = 600_000;
const BUCKET = { capacity: 10, refillPerSecond: 10 };

const key = (index: number) => `user:${index % KEYS}`;
/** As long as a save's record. */
const value = (index: number): Uint8Array => {
  const bytes = new Uint8Array(32);
  new DataView(bytes.buffer).setUint32(0, index % KEYS);
  return bytes;
};

async function perSecond(act: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await act();
  return (CALLS / (performance.now() - start)) * 1_000;
}

async function drive(operate: (index: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const caller = async () => {
    while (next < CALLS) await operate(next++);
  };
  await Promise.all(Array.from({ length: UNDER_WAY }, caller));
}

type Pipeline = ReturnType<Redis["pipeline"]>;

async function pipelines(client: Redis, add: (pipeline: Pipeline, index: number) => unknown): Promise<void> {
  for (let from = 0; from < CALLS; from += UNDER_WAY) {
    const pipeline = client.pipeline();
    for (let index = from; index < from + UNDER_WAY; index++) add(pipeline, index);
    await pipeline.exec();
  }
}

const operations = {
  set: {
    ours: (store: HotStore) => (index: number) => store.set(key(index), value(index), TTL_MS),
    raw: (pipeline: Pipeline, index: number) =>
      pipeline.set(`v:${key(index)}`, Buffer.from(value(index)), "PX", TTL_MS),
  },
  get: {
    ours: (store: HotStore) => (index: number) => store.get(key(index)),
    raw: (pipeline: Pipeline, index: number) => pipeline.getBuffer(`v:${key(index)}`),
  },
  take: {
    ours: (store: HotStore) => (index: number) => store.take(key(index), BUCKET),
    raw: (pipeline: Pipeline, index: number) =>
      pipeline.takeToken(`b:${key(index)}`, BUCKET.capacity, BUCKET.refillPerSecond),
  },
} as const;

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!;

async function bench(url: string): Promise<void> {
  const client = new Redis(url, { scripts: { takeToken: takeScript } });
  const redis = await openRedisHotStore({ url, ...limits.redis });
  const fallback = openFallbackHotStore({
    primary: await openRedisHotStore({ url, ...limits.redis }),
    local: openEmbeddedHotStore({ clock: systemClock, ...limits.hotStore }),
    ...limits.hotStoreFallback,
    log: console.error,
  });
  console.log(`${UNDER_WAY} calls under way, medians of ${RUNS} runs of ${CALLS.toLocaleString("en")} calls, ${url}`);
  for (const [name, { ours, raw }] of Object.entries(operations)) {
    const rates: Record<"ours" | "fallback" | "raw", number[]> = { ours: [], fallback: [], raw: [] };
    for (let run = 0; run < RUNS; run++) {
      rates.raw.push(await perSecond(() => pipelines(client, raw)));
      rates.ours.push(await perSecond(() => drive(ours(redis))));
      rates.fallback.push(await perSecond(() => drive(ours(fallback))));
    }
    const [port, withFallback, hand] = [median(rates.ours), median(rates.fallback), median(rates.raw)].map((rate) =>
      Math.round(rate).toLocaleString("en"),
    );
    console.log(
      `${name.padEnd(5)} ${port}/s, with the fallback around it ${withFallback}/s, pipelines by hand ${hand}/s`,
    );
  }
  for (let index = 0; index < KEYS; index += 997) {
    const [stored, byHand] = await Promise.all([redis.get(key(index)), client.getBuffer(`v:${key(index)}`)]);
    assert(Bun.deepEquals(stored, value(index)) && byHand!.equals(value(index)), `${key(index)} is the same to both`);
  }
  client.disconnect();
  await redis.close();
  await fallback.close();
}

const given = process.env["HOT_STORE_URL"];
if (given !== undefined) await bench(given);
else {
  const directory = mkdtempSync(join(tmpdir(), "powerplay-bench-"));
  const server = await startService("redis", { directory, settings: { appendonly: "no" } });
  try {
    await bench(server.url);
  } finally {
    await server.remove();
    rmSync(directory, { recursive: true, force: true });
  }
}
