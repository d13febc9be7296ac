import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { Redis } from "ioredis";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../domain/clock.ts";
import { contestId } from "../../domain/ids.ts";
import { missingService, type Service, startService } from "../../testing/services.ts";
import { bytesOf, textOf } from "../contract.ts";
import { StoreUnavailable } from "../unavailable.ts";
import { hotStoreContract } from "./contract.ts";
import { openEmbeddedHotStore } from "./embedded.ts";
import { openFallbackHotStore } from "./fallback.ts";
import type { HotStore } from "./port.ts";
import { openRedisHotStore } from "./redis.ts";
import { ageKeys, forgetKeys } from "./redis/aging.ts";
import { type LocalCluster, startRedisCluster } from "./redis/local-cluster.ts";

const MINUTE_MS = 60_000;
const limits = {
  timeoutMs: 2_000,
  connectTimeoutMs: 5_000,
  reconnectMsMax: 200,
  callsMax: 10_000,
  bulkTimeoutMs: 10_000,
};
const openStore = (url: string, over: Partial<typeof limits> = {}) => openRedisHotStore({ url, ...limits, ...over });

/** The tests of one engine share a server; each has a prefix of its own. */
function contractOn(urls: () => { readonly url: string; readonly nodes: readonly string[] }, open = openStore): void {
  let prefix = "";
  hotStoreContract(
    async () => {
      prefix = `test-${crypto.randomUUID()}:`;
      const { url, nodes } = urls();
      const again = () => open(`${url}?prefix=${prefix}`);
      let store = await again();
      return {
        store,
        async reopen() {
          await store.close();
          return (store = await again());
        },
        async dispose() {
          await store.close();
          await forgetKeys(nodes, prefix);
        },
      };
    },
    { runs: true, advance: (ms) => ageKeys(urls().nodes, prefix, ms) },
  );
}

/** Asks again until it is so; the test's own time is the limit. */
async function until(isSo: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await isSo())) await Bun.sleep(5);
}

const outcome = (call: Promise<unknown>): Promise<"done" | StoreUnavailable> =>
  call.then(
    () => "done" as const,
    (error) => {
      if (!(error instanceof StoreUnavailable)) throw error;
      return error;
    },
  );

const shared = process.env["TEST_REDIS_URL"];
if (shared === undefined) console.log("hot store: redis skipped, TEST_REDIS_URL is not set (make services)");
describe.skipIf(shared === undefined)("hot store: redis", () => contractOn(() => ({ url: shared!, nodes: [shared!] })));

describe.skipIf(shared === undefined)("hot store: redis with a fallback", () =>
  contractOn(
    () => ({ url: shared!, nodes: [shared!] }),
    async (url) =>
      openFallbackHotStore({
        primary: await openStore(url),
        local: openEmbeddedHotStore({
          clock: systemClock,
          bytesMax: 1 << 20,
          bucketsMax: 1_000,
          boardBytesMax: 1 << 20,
        }),
        failuresMax: 20,
        probeEveryMs: 20,
        localKeysMax: 1_000,
        log: (line) => expect(line).toBe("nothing is away"),
      }),
  ),
);

const missing = missingService("redis");
if (missing !== null) console.log(`hot store: redis of its own skipped, ${missing}`);

describe.skipIf(missing !== null)("hot store: redis cluster", () => {
  let cluster: LocalCluster;
  beforeAll(async () => {
    cluster = await startRedisCluster();
  }, 60_000);
  afterAll(() => cluster.remove());
  const nodes = () => cluster.nodes.map(({ url }) => url);
  contractOn(() => ({ url: cluster.url, nodes: nodes() }));

  test("keys spread over all nodes, a hash tag keeps them on one", async () => {
    const store = await openStore(`${cluster.url}?prefix=spread:`);
    await Promise.all(Array.from({ length: 300 }, (_, index) => store.set(`user:${index}`, bytesOf("v"), MINUTE_MS)));
    const spread = await Promise.all(nodes().map((url) => keysOf(url, "spread:v:user:*")));
    expect(spread.every((keys) => keys > 50)).toBe(true);
    await Promise.all(Array.from({ length: 300 }, (_, index) => store.set(`{c:17}:${index}`, bytesOf("v"), MINUTE_MS)));
    const together = await Promise.all(nodes().map((url) => keysOf(url, "spread:v:{c:17}*")));
    expect(together.toSorted((a, b) => a - b)).toEqual([0, 0, 300]);
    await store.close();
  });

  test("a node that is killed takes its keys away and no others; what comes back is used and heard again", async () => {
    const store = await openStore(`${cluster.url}?prefix=lost:`);
    const heard = new Set<string>();
    const channels = Array.from({ length: 24 }, (_, index) => `c${index}`);
    for (const channel of channels)
      await store.subscribe(channel, (message) => heard.add(`${channel} ${textOf(message)}`));
    const keys = Array.from({ length: 60 }, (_, index) => `k${index}`);
    const setAll = () => Promise.all(keys.map((key) => outcome(store.set(key, bytesOf("v"), MINUTE_MS))));
    expect((await setAll()).every((answer) => answer === "done")).toBe(true);

    await cluster.nodes[1]!.kill();
    await until(async () => (await setAll()).some((answer) => answer !== "done"));
    expect((await setAll()).filter((answer) => answer === "done").length).toBeGreaterThan(20);

    await cluster.nodes[1]!.start();
    await until(async () => (await setAll()).every((answer) => answer === "done"));
    await until(async () => {
      await Promise.all(channels.map((channel) => outcome(store.publish(channel, bytesOf("again")))));
      return channels.every((channel) => heard.has(`${channel} again`));
    });
    expect((await store.take("b", { capacity: 1, refillPerSecond: 1 / MINUTE_MS })).allowed).toBe(true);
    await store.close();
  }, 60_000);
});

describe.skipIf(missing !== null)("hot store: redis, lost and found", () => {
  let directory: string;
  let server: Service;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "powerplay-redis-"));
    server = await startService("redis", { directory: join(directory, "0"), settings: { appendonly: "no" } });
  });
  afterAll(async () => {
    await server.remove();
    await rm(directory, { recursive: true, force: true });
  });

  test("killed under load: no call hangs, all come back with subscriptions and scripts", async () => {
    const store = await openStore(server.url, { timeoutMs: 500 });
    const bucket = { capacity: 1_000_000, refillPerSecond: 1 };
    const heard: string[] = [];
    await store.subscribe("c", (message) => void heard.push(textOf(message)));
    const load = loadOn(store, bucket);
    await until(() => load.done > 2_000);
    await server.kill();
    await until(() => load.failed > 2_000);
    // Nothing waits for the server: the load fails as fast as it can ask.
    expect((await outcome(store.get("k"))) instanceof StoreUnavailable).toBe(true);
    expect((await outcome(store.subscribe("d", () => undefined))) instanceof StoreUnavailable).toBe(true);

    await server.start();
    const before = load.done;
    await until(() => load.done > before + 2_000);
    await until(async () => {
      await outcome(store.publish("c", bytesOf("back")));
      return heard.includes("back");
    });
    await load.end();
    await store.close();
  }, 60_000);

  test("silent under load: calls fail within their time, are bounded in number, and come back", async () => {
    const store = await openStore(server.url, { timeoutMs: 200, callsMax: 500 });
    await store.set("k", bytesOf("v"), MINUTE_MS);
    server.pause();
    const asked = await Promise.all(Array.from({ length: 600 }, () => outcome(store.get("k"))));
    const reasons = asked.map((answer) => (answer === "done" ? "done" : answer.reason));
    expect(reasons.filter((reason) => reason === "500 calls are under way")).toHaveLength(100);
    expect(reasons.filter((reason) => reason === "no answer within 200 ms")).toHaveLength(500);
    // Those past their time still count, until their connection is given up.
    await until(async () =>
      /connection|Socket|writ/i.test(((await outcome(store.get("k"))) as StoreUnavailable).reason),
    );
    server.resume();
    await until(async () => (await outcome(store.get("k"))) === "done");
    expect(await store.get("k")).toEqual(bytesOf("v"));
    await store.close();
  }, 60_000);

  test("scripts that the server forgot are loaded again, in the middle of a pipeline too", async () => {
    const store = await openStore(server.url);
    const bucket = { capacity: 1_000, refillPerSecond: 1 / MINUTE_MS };
    const takes = async (count: number) => {
      const answers = await Promise.all(Array.from({ length: count }, () => store.take("flushed", bucket)));
      return answers.filter(({ allowed }) => allowed).length;
    };
    expect(await takes(400)).toBe(400);
    const admin = new Redis(server.url);
    await admin.script("FLUSH");
    expect(await takes(400)).toBe(400);
    expect(await takes(400)).toBe(200);
    admin.disconnect();
    await store.close();
  });

  test("a board that lost entries while they were written is not there, and not half of one is read", async () => {
    const store = await openStore(server.url);
    const admin = new Redis(server.url);
    const entryIds = Float64Array.from({ length: 1_200 }, (_, index) => index + 1);
    const piece = { entryIds, scoresQp: new Int16Array(1_200) };
    const contest = contestId(1);
    const counts = { contestEntryCount: 2_400, entryCount: 2_400, heldCount: 2_400 };
    const head = { contestId: contest, slice: 0, pointsVersion: 1, compact: new Uint8Array(3), ...counts };
    async function* pieces(between: () => Promise<unknown>) {
      yield piece;
      await between();
      yield { ...piece, entryIds: entryIds.map((entry) => entry + 1_200) };
    }
    expect(
      await outcome(
        store.putBoard(
          head,
          pieces(async () => {
            await until(async () => (await admin.zcard("m:{c:1}:0:1")) === 1_200);
            await admin.flushall();
          }),
          MINUTE_MS,
        ),
      ),
    ).toBeInstanceOf(StoreUnavailable);
    expect(await store.boardHeads(contest)).toEqual([]);
    expect(await admin.keys("*")).toEqual([]);

    await store.putBoard(
      head,
      pieces(async () => undefined),
      MINUTE_MS,
    );
    expect(await store.boardHeads(contest)).toEqual([head]);
    // One entry is gone, as nothing that the server does by itself would take it.
    const [set] = (await admin.keys("m:{c:1}:*")) as [string];
    await admin.zpopmin(set);
    expect(await store.boardEntries(contest, 1, [{ slice: 0, start: 0, end: 10 }])).toBeNull();
    // The head went with it, so whoever checks sees that the board is lost.
    expect(await store.boardVersions([contest])).toEqual([new Map()]);
    admin.disconnect();
    await store.close();
  });

  test("a store that was closed says so", async () => {
    const store = await openStore(server.url);
    await store.close();
    await expect(store.get("k")).rejects.toThrow(/closed/);
    await expect(store.subscribe("c", () => undefined)).rejects.toThrow(/closed/);
  });

  test("a wrong address fails at start, with the port, the address and the remedy", async () => {
    const gone = openStore("redis://127.0.0.1:1/0");
    await expect(gone).rejects.toThrow(
      /HotStore.*redis:\/\/127\.0\.0\.1:1\/0.*ECONNREFUSED.*HOT_STORE_URL.*redis-server/,
    );
    await expect(openStore(server.url.replace("redis:", "redis+cluster:").replace("/0", ""))).rejects.toThrow(
      /HotStore.*is no node of a cluster.*redis:\/\/127/,
    );
    await expect(openStore(`${server.url}123`)).rejects.toThrow(/HotStore.*DB index is out of range/);
    await gone.catch(() => undefined);
  });

  test("what is wrong with a password is said and the password is not", async () => {
    const admin = new Redis(server.url);
    await admin.config("SET", "requirepass", "a secret");
    const urlOf = (user: string) => `redis://${user}127.0.0.1:${server.port}/0`;
    const failure = async (user: string) => String(await openStore(urlOf(user)).catch((error: unknown) => error));
    expect(await failure("")).toMatch(/NOAUTH/);
    expect(await failure(":wrong-word@")).toMatch(/WRONGPASS/);
    expect(await failure(":wrong-word@")).not.toMatch(/wrong-word/);
    const store = await openStore(urlOf(":a%20secret@"));
    await store.set("k", bytesOf("v"), MINUTE_MS);
    expect(await store.get("k")).toEqual(bytesOf("v"));
    await store.close();
    await admin.config("SET", "requirepass", "");
    admin.disconnect();
  });
});

async function keysOf(url: string, pattern: string): Promise<number> {
  const client = new Redis(url);
  const keys = await client.keys(pattern);
  client.disconnect();
  return keys.length;
}

/** Fifty callers, each of which asks again when it was answered. */
function loadOn(store: HotStore, bucket: { capacity: number; refillPerSecond: number }) {
  const load = { done: 0, failed: 0, isEnding: false, end: async () => undefined as void };
  const caller = async (index: number) => {
    for (let turn = 0; !load.isEnding; turn++) {
      const key = `k${index}`;
      const call = [() => store.set(key, bytesOf("v"), MINUTE_MS), () => store.get(key), () => store.take(key, bucket)];
      if ((await outcome(call[turn % 3]!())) === "done") load.done++;
      else {
        load.failed++;
        // What fails at once leaves the loop no turn to hear of anything else.
        await new Promise(setImmediate);
      }
    }
  };
  const callers = Array.from({ length: 50 }, (_, index) => caller(index));
  load.end = async () => {
    load.isEnding = true;
    await Promise.all(callers);
  };
  return load;
}
