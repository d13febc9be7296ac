import { join } from "node:path";
import type { ServiceName } from "../../ops/services/engine.ts";
import { missingService, type Service, startService } from "../../ops/services/service.ts";
import type { Part } from "./meters.ts";
import { SyncCounter } from "./syncs.ts";

interface Server {
  readonly service: Service;
  readonly syncs: SyncCounter;
}

/** Servers that nobody else uses; they end with this process. */
export interface Servers {
  readonly kafka: Server;
  readonly redis: Server;
  readonly postgres: Server;
  readonly cassandra: Server;
  /** null where this machine has none. */
  readonly aerospike: Server | null;
}

const NEEDED = ["kafka", "redis", "postgres", "cassandra"] as const;

/** What is missing for a cluster here, a line each. */
export const missingServers = (): string[] =>
  NEEDED.flatMap((name) => {
    const missing = missingService(name);
    return missing === null ? [] : [`${name}: ${missing}`];
  });

export async function startServers(directory: string): Promise<Servers> {
  const start = async (name: ServiceName): Promise<Server> => {
    const syncs = new SyncCounter(directory, name);
    const service = await syncs.around(() => startService(name, { directory: join(directory, name) }));
    // The tests' helpers, by which stores of a cluster are made, find servers by these.
    process.env[`TEST_${name.toUpperCase()}_URL`] = service.url;
    return { service, syncs };
  };
  const kafka = await start("kafka");
  const redis = await start("redis");
  const postgres = await start("postgres");
  const cassandra = await start("cassandra");
  const aerospike = missingService("aerospike") === null ? await start("aerospike") : null;
  return { kafka, redis, postgres, cassandra, aerospike };
}

export async function stopServers(servers: Servers): Promise<void> {
  await Promise.all(Object.values(servers).map((server: Server | null) => server?.service.remove()));
}

export function serverParts(servers: Servers, names: readonly (keyof Servers)[]): Record<string, Part> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const server = servers[name];
      return server === null ? [] : [[name, { pids: [server.service.pid!], syncs: server.syncs }]];
    }),
  );
}
