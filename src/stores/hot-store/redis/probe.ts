import { Redis, type RedisOptions } from "ioredis";
import { StoreUnavailable } from "../../unavailable.ts";
import type { RedisAddress } from "./address.ts";

/** SET with NX and GET together, and channels that live on one node of a cluster. */
const VERSION_MIN = 7;

/** What every connection is told; `socketTimeoutMs` ends one that owes an answer and brings nothing. */
export function connectionOptions(
  { tls, ca, username, password, database }: RedisAddress,
  { connectTimeoutMs, socketTimeoutMs }: { connectTimeoutMs: number; socketTimeoutMs: number },
) {
  return {
    ...(tls ? { tls: ca === undefined ? {} : { ca } } : {}),
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    db: database,
    connectTimeout: connectTimeoutMs,
    socketTimeout: socketTimeoutMs,
    keepAlive: 10_000,
    connectionName: "powerplay",
    // A caller decides whether to ask again; a queue of what nobody waits for any more would come all at once.
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
  } satisfies RedisOptions;
}

/** Asks each host, until one answers, whether it is what the URL says. Its errors say what to do. */
export async function probeRedis(address: RedisAddress, connectTimeoutMs: number): Promise<void> {
  const failures: string[] = [];
  for (const { host, port } of address.hosts) {
    const client = new Redis({
      ...connectionOptions(address, { connectTimeoutMs, socketTimeoutMs: connectTimeoutMs }),
      host,
      port,
      lazyConnect: true,
      retryStrategy: null,
    });
    let failure: Error | null = null;
    client.on("error", (error) => (failure ??= error));
    try {
      await client.connect();
      // The client selects by itself and keeps silent where there is no such database.
      await client.select(address.database);
      assertUsable(address, `${host}:${port}`, String(await client.info()));
      return;
    } catch (error) {
      if (error instanceof WrongServer) throw error;
      failures.push(`${host}:${port}: ${(failure ?? (error as Error)).message}`);
    } finally {
      client.disconnect();
    }
  }
  const text = failures.join("; ");
  if (/certificate|altname/i.test(text))
    throw new StoreUnavailable(
      "HotStore",
      `no Redis to trust at ${address.shown} (${text}). Let ca in HOT_STORE_URL name the file of the authority that signed the ` +
        "server's certificate, which must be for this name",
    );
  if (/WRONGPASS|NOAUTH/.test(text))
    throw new StoreUnavailable(
      "HotStore",
      `no Redis to use at ${address.shown} (${text}). Check the user and the password in HOT_STORE_URL`,
    );
  throw new StoreUnavailable(
    "HotStore",
    `no Redis at ${address.shown} (${text}). Check HOT_STORE_URL (rediss:// where it speaks TLS), start the server (redis-server --port ` +
      `${address.hosts[0]!.port}, or make services), or leave HOT_STORE_URL out to keep it in memory`,
  );
}

/** It answered, and is not what the URL says: asking another one helps nobody. */
class WrongServer extends Error {
  override name = "WrongServer";
}

function assertUsable(address: RedisAddress, at: string, info: string): void {
  const value = (name: string) => new RegExp(`^${name}:(.*?)\r?$`, "m").exec(info)?.[1] ?? "";
  const wrong = (reason: string) => new WrongServer(`HotStore: Redis at ${at} ${reason}`);
  const version = value("redis_version");
  if (Number.parseInt(version) < VERSION_MIN) throw wrong(`is version ${version}; ${VERSION_MIN}.0 or later is needed`);
  if (value("cluster_enabled") === "1" && !address.cluster)
    throw wrong(`is a node of a cluster: set HOT_STORE_URL=redis+cluster://${at}`);
  if (value("cluster_enabled") !== "1" && address.cluster)
    throw wrong(`is no node of a cluster: set HOT_STORE_URL=redis://${at}/0, or start it with --cluster-enabled yes`);
  if (value("role") === "slave" && !address.cluster)
    throw wrong(
      `is a replica and takes no writes: set HOT_STORE_URL to its master, ${value("master_host")}:${value("master_port")}`,
    );
}
