import { assert } from "../../domain/assert.ts";
import { StoreUnavailable } from "../unavailable.ts";
import type { HotStore, TakeResult } from "./port.ts";
import { parseRedisUrl } from "./redis/address.ts";
import { RedisBoards } from "./redis/boards.ts";
import { CallsUnderWay } from "./redis/calls.ts";
import { Channels } from "./redis/channels.ts";
import { connectRedis } from "./redis/clients.ts";
import { probeRedis } from "./redis/probe.ts";

export interface RedisHotStoreOptions {
  /** See redis/address.ts for its forms. */
  readonly url: string;
  /** After it a call has failed. */
  readonly timeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly reconnectMsMax: number;
  /** Calls under way, past which callers hear StoreUnavailable at once. */
  readonly callsMax: number;
  /** Of a command that brings entries of a board by the hundred. */
  readonly bulkTimeoutMs: number;
}

/** A connection that owes answers and brings nothing for so many call times is given up. */
const SILENT_CALL_TIMES = 4;

/**
 * On one Redis or a Redis Cluster, 7.0 or later. Every step is one command or script of one key, so a key may carry a hash tag (`{c:17}…`
 * keeps what belongs to contest 17 on one node) and needs none. What is asked in one turn of the event loop leaves as one pipeline
 * a node. Nothing is queued for a server that is away: calls fail at once, and those under way within `timeoutMs`.
 *
 * Expiry and buckets go by the server's clock. Give the server a `maxmemory` with the policy `volatile-lru`: every key has a time to live.
 */
export async function openRedisHotStore(options: RedisHotStoreOptions): Promise<HotStore> {
  const { url, connectTimeoutMs, timeoutMs } = options;
  const address = parseRedisUrl(url);
  await probeRedis(address, connectTimeoutMs);
  const clients = await connectRedis(address, { ...options, socketTimeoutMs: timeoutMs * SILENT_CALL_TIMES });
  const { commands } = clients;
  const calls = new CallsUnderWay(options);
  const bulkCalls = new CallsUnderWay({ timeoutMs: options.bulkTimeoutMs, callsMax: options.callsMax });
  const channels = new Channels(clients.source, calls);
  const valueKey = (key: string) => `${address.prefix}v:${key}`;
  const bucketKey = (key: string) => `${address.prefix}b:${key}`;
  const channelName = (channel: string) => `${address.prefix}c:${channel}`;
  let closed = false;

  function call<T>(begin: () => Promise<T>): Promise<T> {
    const reason = closed ? "it is closed" : clients.away();
    return reason === null ? calls.run(begin) : Promise.reject(new StoreUnavailable("HotStore", reason));
  }

  const boards = new RedisBoards({
    prefix: address.prefix,
    call: (begin) => call(() => begin(commands)),
    bulk(begin) {
      if (closed) return Promise.reject(new StoreUnavailable("HotStore", "it is closed"));
      return bulkCalls.run(async () => begin(await clients.bulk()));
    },
  });

  return {
    get: async (key) => copied(await call(() => commands.getBuffer(valueKey(key)))),
    async set(key, value, ttlMs) {
      await call(() => commands.set(valueKey(key), Buffer.from(value), "PX", wholeMs(ttlMs)));
    },
    async delete(key) {
      await call(() => commands.del(valueKey(key)));
    },
    setIfAbsent: async (key, value, ttlMs) =>
      copied(
        await call(() => commands.setBuffer(valueKey(key), Buffer.from(value), "PX", wholeMs(ttlMs), "NX", "GET")),
      ),
    async take(key, { capacity, refillPerSecond }): Promise<TakeResult> {
      assert(refillPerSecond > 0, "a bucket refills");
      const retryAfterMs = await call(() => commands.takeToken(bucketKey(key), capacity, refillPerSecond));
      return retryAfterMs === 0 ? { allowed: true } : { allowed: false, retryAfterMs };
    },
    async publish(channel, message) {
      await call(() => clients.publish(channelName(channel), Buffer.from(message)));
    },
    subscribe: (channel, onMessage) => {
      if (closed) return Promise.reject(new StoreUnavailable("HotStore", "it is closed"));
      return channels.subscribe(channelName(channel), onMessage);
    },
    putBoard: (head, entries, ttlMs) => boards.putBoard(head, entries, ttlMs),
    boardHeads: (contest) => boards.boardHeads(contest),
    boardEntries: (contest, version, ranges) => boards.boardEntries(contest, version, ranges),
    boardVersions: (contests) => boards.boardVersions(contests),
    async close() {
      closed = true;
      channels.clear();
      await Promise.all([calls.ended(), bulkCalls.ended()]);
      clients.close();
    },
  } satisfies HotStore;
}

/** Redis takes whole milliseconds, from 1. */
const wholeMs = (ttlMs: number): number => Math.max(1, Math.ceil(ttlMs));

/** A plain array of its own: the client's buffer is a view of all that came with it. */
const copied = (buffer: Buffer | null): Uint8Array | null => (buffer === null ? null : new Uint8Array(buffer));
