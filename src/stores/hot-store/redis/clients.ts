import { Cluster, Redis } from "ioredis";
import type { RedisAddress } from "./address.ts";
import type { ChannelSource } from "./channels.ts";
import { connectionOptions } from "./probe.ts";
import { commitBoardScript, readBoardScript } from "./board-scripts.ts";
import { takeScript } from "./scripts.ts";

export interface ClientOptions {
  readonly connectTimeoutMs: number;
  readonly socketTimeoutMs: number;
  /** The longest pause between two attempts to connect. */
  readonly reconnectMsMax: number;
}

/** One Redis or a cluster, as the store needs it. */
export interface RedisClients {
  readonly commands: Redis | Cluster;
  readonly source: ChannelSource;
  publish(channel: string, message: Buffer): Promise<unknown>;
  /** A connection for what is large, made when it is first wanted. Rejects while it can't be made. */
  bulk(): Promise<Redis | Cluster>;
  /** Why nothing can be sent, or null. */
  away(): string | null;
  close(): void;
}

const RECONNECT_MS_MIN = 50;
/** How often a subscription that has nothing to say is asked whether it lives. */
const PING_EVERY_MS = 5_000;

/** Resolves when everything is connected. */
export const connectRedis = (address: RedisAddress, options: ClientOptions): Promise<RedisClients> =>
  address.cluster ? connectCluster(address, options) : connectOne(address, options);

const scripts = { takeToken: takeScript, commitBoard: commitBoardScript, readBoard: readBoardScript };

/** Half of the pause is by chance: nodes that lost Redis together do not come back together. */
const reconnect =
  ({ reconnectMsMax }: ClientOptions) =>
  (times: number): number =>
    Math.min(reconnectMsMax, RECONNECT_MS_MIN * 2 ** Math.min(times - 1, 16)) * (0.5 + Math.random() / 2);

async function connectOne(address: RedisAddress, options: ClientOptions): Promise<RedisClients> {
  const shared = {
    ...connectionOptions(address, options),
    ...address.hosts[0]!,
    retryStrategy: reconnect(options),
    enableOfflineQueue: false,
    lazyConnect: true,
    // A master that became a replica answers so until the address names the new one.
    reconnectOnError: ({ message }: Error) => message.startsWith("READONLY"),
  };
  const commands = new Redis({ ...shared, enableAutoPipelining: true, scripts });
  const subscriber = new Redis(shared);
  const bulk = madeOnce(() => new Redis(shared));
  const failure = lastFailure(commands, subscriber);
  await Promise.all([commands.connect(), subscriber.connect()]);
  const isReady = () => subscriber.status === "ready";
  const pings = setInterval(() => {
    // Nothing comes back: the socket's timeout ends the connection.
    if (isReady()) subscriber.ping().catch(() => undefined);
  }, PING_EVERY_MS);
  pings.unref();
  return {
    commands,
    source: {
      isReady,
      subscribe: (channel) => subscriber.subscribe(channel),
      unsubscribe: (channel) => subscriber.unsubscribe(channel),
      onMessage: (hear) => subscriber.on("messageBuffer", (channel, message) => hear(String(channel), message)),
      onFresh: (again) => subscriber.on("ready", again),
    },
    publish: (channel, message) => commands.publish(channel, message),
    bulk: bulk.client,
    away: () => (commands.status === "ready" ? null : failure(`no connection to ${address.shown}`)),
    close() {
      clearInterval(pings);
      commands.disconnect();
      subscriber.disconnect();
      bulk.close();
    },
  };
}

async function connectCluster(address: RedisAddress, options: ClientOptions): Promise<RedisClients> {
  const shared = {
    redisOptions: connectionOptions(address, options),
    clusterRetryStrategy: reconnect(options),
    enableOfflineQueue: false,
    lazyConnect: true,
    // A call whose node is gone fails and is the caller's to repeat; one whose slot has moved is sent where it went.
    maxRedirections: 4,
    retryDelayOnFailover: 0,
    retryDelayOnClusterDown: 0,
    slotsRefreshTimeout: options.connectTimeoutMs,
    // A failover without a call to tell of it; it also revives subscriptions of a node that came back.
    slotsRefreshInterval: 1_000,
  };
  const commands = new Cluster([...address.hosts], {
    ...shared,
    enableAutoPipelining: true,
    // A subscription belongs to its own connection and never into a pipeline.
    autoPipeliningIgnoredCommands: ["ssubscribe", "sunsubscribe"],
    // A message goes to the node that keeps its channel, not to every node of the cluster.
    shardedSubscribers: true,
    scripts,
  });
  const bulk = madeOnce(() => new Cluster([...address.hosts], shared));
  const failure = lastFailure(commands);
  await commands.connect();
  return {
    commands,
    source: {
      isReady: () => commands.status === "ready",
      subscribe: (channel) => commands.ssubscribe(channel),
      unsubscribe: (channel) => commands.sunsubscribe(channel),
      onMessage: (hear) =>
        commands.on("smessageBuffer", (channel: Buffer, message: Buffer) => hear(String(channel), message)),
      // The client keeps the channels of each slot and subscribes again by itself.
      onFresh: () => undefined,
    },
    publish: (channel, message) => commands.spublish(channel, message),
    bulk: bulk.client,
    away: () => (commands.status === "ready" ? null : failure(`no connection to ${address.shown}`)),
    close() {
      commands.disconnect();
      bulk.close();
    },
  };
}

/** A client that connects when it is first asked for, and is asked for again when that failed. */
function madeOnce(make: () => Redis | Cluster) {
  let made: { readonly client: Redis | Cluster; readonly connected: Promise<void> } | null = null;
  return {
    async client(): Promise<Redis | Cluster> {
      if (made === null) {
        const client = make();
        lastFailure(client);
        made = { client, connected: client.connect().then(() => settled(client)) };
      }
      const { client, connected } = made;
      try {
        await connected;
      } catch (error) {
        client.disconnect();
        if (made?.client === client) made = null;
        throw error;
      }
      return client;
    },
    close: () => made?.client.disconnect(),
  };
}

/** A cluster connects to each of its nodes when it is first used; resolves when each is connected, or is not. */
async function settled(client: Redis | Cluster): Promise<void> {
  if (!(client instanceof Cluster)) return;
  await Promise.all(
    client.nodes("master").map(async (node) => {
      if (node.status === "ready") return;
      if (node.status === "wait") return node.connect().catch(() => undefined);
      await new Promise((resolve) => {
        for (const event of ["ready", "close", "end"]) node.once(event, resolve);
      });
    }),
  );
}

/** Keeps the last error of connecting, which an EventEmitter would throw if nobody listened. */
function lastFailure(...clients: readonly (Redis | Cluster)[]): (reason: string) => string {
  let last: Error | null = null;
  for (const client of clients) client.on("error", (error: Error) => (last = error));
  return (reason) => (last === null ? reason : `${reason}: ${last.message}`);
}
