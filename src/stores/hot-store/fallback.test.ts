import { describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { assert } from "../../domain/assert.ts";
import { systemClock } from "../../domain/clock.ts";
import { Metrics } from "../../metrics.ts";
import { missingService, startService } from "../../testing/services.ts";
import { openSimulatedHotStore } from "../../testing/simulated-hot-store.ts";
import { bytesOf, textOf } from "../contract.ts";
import { StoreUnavailable } from "../unavailable.ts";
import { openEmbeddedHotStore } from "./embedded.ts";
import { type FallbackOptions, openFallbackHotStore } from "./fallback.ts";
import type { HotStore } from "./port.ts";
import { openRedisHotStore } from "./redis.ts";

const MINUTE_MS = 60_000;
const memory = () =>
  openEmbeddedHotStore({ clock: systemClock, bytesMax: 1 << 24, bucketsMax: 10_000, boardBytesMax: 1 << 20 });

/** A store that can be away, as a whole or for some keys. */
function breakable(store: HotStore) {
  let isAway: (name: string) => boolean = () => false;
  const guarded = new Proxy(store, {
    get: (target, method: keyof HotStore) =>
      method === "close"
        ? target.close
        : (name: string, ...rest: unknown[]) =>
            isAway(name)
              ? Promise.reject(new StoreUnavailable("HotStore", "the test says so"))
              : Reflect.apply(target[method], target, [name, ...rest]),
  });
  return {
    guarded,
    lose: (which: (name: string) => boolean = () => true) => (isAway = which),
    find: () => (isAway = () => false),
  };
}

function opened(over: Partial<FallbackOptions> = {}) {
  const shared = openSimulatedHotStore(systemClock);
  const { guarded, lose, find } = breakable(shared);
  const lines: string[] = [];
  const metrics = new Metrics();
  const store = openFallbackHotStore({
    primary: guarded,
    local: memory(),
    failuresMax: 1,
    probeEveryMs: 1,
    localKeysMax: 100,
    log: (line) => lines.push(line),
    awayGauge: metrics.gauge("hot_store_away", "1 while Redis is away"),
    ...over,
  });
  return { shared, store, lose, find, lines, metrics };
}

async function until(isSo: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await isSo())) await Bun.sleep(1);
}

describe("hot store: fallback", () => {
  test("answers while the primary is away, and says so once at each change", async () => {
    const { store, lose, find, lines, metrics } = opened();
    await store.set("k", bytesOf("shared"), MINUTE_MS);
    expect(metrics.text()).toContain("hot_store_away 0");
    lose();
    expect(await store.get("k")).toBeNull();
    await store.set("k", bytesOf("here"), MINUTE_MS);
    expect(await store.get("k")).toEqual(bytesOf("here"));
    expect(await store.setIfAbsent("k", bytesOf("other"), MINUTE_MS)).toEqual(bytesOf("here"));
    expect(await store.take("b", { capacity: 1, refillPerSecond: 1 / MINUTE_MS })).toEqual({ allowed: true });
    expect((await store.take("b", { capacity: 1, refillPerSecond: 1 / MINUTE_MS })).allowed).toBe(false);
    expect(store.isAway).toBe(true);
    expect(metrics.text()).toContain("hot_store_away 1");
    expect(lines).toEqual(["HotStore is away, this node answers from its memory: the test says so"]);
    find();
    await until(() => !store.isAway);
    expect(metrics.text()).toContain("hot_store_away 0");
    expect(lines).toHaveLength(2);
    expect(lines[1]).toMatch(/^HotStore is back after [\d.]+ s; 1 keys/);
    await store.close();
  });

  test("an older value of the primary is never seen again, and a newer one of another node is not undone", async () => {
    const { shared, store, lose, find } = opened();
    for (const key of ["written", "deleted", "untouched"]) await store.set(key, bytesOf("old"), MINUTE_MS);
    lose();
    await store.set("written", bytesOf("new"), MINUTE_MS);
    await store.delete("deleted");
    const seen: (string | null)[] = [];
    find();
    await until(async () => {
      const value = await store.get("written");
      seen.push(value && textOf(value));
      expect(await store.get("deleted")).toBeNull();
      return store.localKeys === 0;
    });
    expect(seen).not.toContain("old");
    expect(await store.get("written")).toBeNull();
    expect(await store.get("untouched")).toEqual(bytesOf("old"));
    await shared.set("written", bytesOf("of another node"), MINUTE_MS);
    lose();
    // What was written here in the first outage is gone in the second.
    expect(await store.get("written")).toBeNull();
    find();
    await until(async () => (await store.get("written")) !== null);
    expect(await store.get("written")).toEqual(bytesOf("of another node"));
    await store.close();
  });

  test("where only a part is away the rest is still shared", async () => {
    const { shared, store, lose, find, lines } = opened({ failuresMax: 3 });
    await store.set("lost", bytesOf("old"), MINUTE_MS);
    lose((name) => name === "lost");
    for (let round = 0; round < 10; round++) {
      await store.set("lost", bytesOf("new"), MINUTE_MS);
      await store.set("kept", bytesOf("v"), MINUTE_MS);
      expect(await store.get("lost")).toEqual(bytesOf("new"));
    }
    expect(await shared.get("kept")).toEqual(bytesOf("v"));
    expect(store.isAway).toBe(false);
    find();
    await until(() => store.localKeys === 0);
    expect(await store.get("lost")).toBeNull();
    expect(await shared.get("lost")).toBeNull();
    expect(lines).toEqual([]);
    await store.close();
  });

  test("memory is bounded: past its keys a write fails as without a fallback", async () => {
    const { store, lose } = opened({ localKeysMax: 2 });
    lose();
    await store.set("a", bytesOf("v"), MINUTE_MS);
    await store.set("b", bytesOf("v"), MINUTE_MS);
    await expect(store.set("c", bytesOf("v"), MINUTE_MS)).rejects.toThrow(StoreUnavailable);
    await store.set("b", bytesOf("w"), MINUTE_MS);
    expect(await store.get("b")).toEqual(bytesOf("w"));
    await store.close();
  });

  test("messages reach this node meanwhile, and all nodes after it", async () => {
    const { shared, store, lose, find } = opened();
    const heard: string[] = [];
    const hear = (message: Uint8Array) => void heard.push(textOf(message));
    await store.subscribe("before", hear);
    lose();
    await store.publish("before", bytesOf("lost: publishing found out"));
    const leave = await store.subscribe("during", hear);
    await store.publish("before", bytesOf("1"));
    await store.publish("during", bytesOf("2"));
    expect(heard).toEqual(["1", "2"]);
    find();
    await until(async () => {
      await shared.publish("during", bytesOf("of another node"));
      return heard.includes("of another node");
    });
    await store.publish("during", bytesOf("3"));
    expect(heard.filter((message) => message === "3")).toHaveLength(1);
    await leave();
    await shared.publish("during", bytesOf("4"));
    await shared.publish("before", bytesOf("5"));
    expect(heard).not.toContain("4");
    expect(heard.filter((message) => message === "5")).toHaveLength(1);
    await store.close();
  });

  test("a fault of the caller is not taken for an outage", async () => {
    const { store } = opened({ primary: { ...memory(), get: async () => assert(false, "a bug") as never } });
    await expect(store.get("k")).rejects.toThrow("a bug");
    expect(store.isAway).toBe(false);
    await store.close();
  });
});

const missing = missingService("redis");
if (missing !== null) console.log(`hot store: fallback from redis skipped, ${missing}`);

describe.skipIf(missing !== null)("hot store: fallback from redis", () => {
  test.each(["stop", "silence"])(
    "%s in the middle of load: every call is answered, and Redis is used again",
    async (how) => {
      const directory = await mkdtemp(join(tmpdir(), "powerplay-fallback-"));
      const server = await startService("redis", { directory: join(directory, "0"), settings: { appendonly: "no" } });
      const redis = () =>
        openRedisHotStore({
          url: server.url,
          timeoutMs: 200,
          connectTimeoutMs: 5_000,
          reconnectMsMax: 100,
          callsMax: 10_000,
          bulkTimeoutMs: 1_000,
        });
      const lines: string[] = [];
      const store = openFallbackHotStore({
        primary: await redis(),
        local: memory(),
        failuresMax: 20,
        probeEveryMs: 20,
        localKeysMax: 10_000,
        log: (line) => lines.push(line),
      });
      const heard: string[] = [];
      await store.subscribe("c", (message) => void heard.push(textOf(message)));

      let answered = 0;
      const load = { isEnding: false };
      // Each caller alone writes its keys, so what it reads is its latest value or nothing.
      const caller = async (index: number) => {
        for (let turn = 0; !load.isEnding; turn++) {
          const key = `k${index}-${turn % 7}`;
          const before = await store.get(key);
          if (before !== null) expect(textOf(before)).toBe(String(turn - 7));
          await store.set(key, bytesOf(String(turn)), MINUTE_MS);
          await store.take(key, { capacity: 10, refillPerSecond: 10 });
          answered += 3;
          // Answers from memory leave the loop no turn for anything else.
          if (store.isAway) await new Promise(setImmediate);
        }
      };
      const callers = Promise.all(Array.from({ length: 50 }, (_, index) => caller(index)));

      await until(() => answered > 3_000);
      if (how === "stop") await server.stop();
      else server.pause();
      await until(() => store.isAway);
      let mark = answered;
      await until(() => answered > mark + 3_000);
      if (how === "stop") await server.start();
      else server.resume();
      await until(() => !store.isAway && store.localKeys === 0);
      mark = answered;
      await until(() => answered > mark + 3_000);
      await until(async () => {
        await store.publish("c", bytesOf("back"));
        return heard.includes("back");
      });
      load.isEnding = true;
      await callers;
      expect(lines.map((line) => line.replace(/[:;] .*|after .*/, "").trim())).toEqual([
        "HotStore is away, this node answers from its memory",
        "HotStore is back",
      ]);
      // What is there now is in Redis: another node finds it.
      const other = await redis();
      await store.set("for all", bytesOf("v"), MINUTE_MS);
      expect(await other.get("for all")).toEqual(bytesOf("v"));
      await other.close();
      await store.close();
      await server.remove();
      await rm(directory, { recursive: true, force: true });
    },
    60_000,
  );
});
