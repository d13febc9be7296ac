import { connect } from "node:net";
import { Client } from "cassandra-driver";
import { Redis } from "ioredis";
import { createDatabases } from "../stores/catalog/postgres/testing.ts";
import { parseCassandraUrl } from "../stores/team-store/cassandra/address.ts";

const VARIABLES = ["TEST_KAFKA_URL", "TEST_REDIS_URL", "TEST_POSTGRES_URL", "TEST_CASSANDRA_URL"] as const;

/** Stores of one cluster of a test, on servers that others use too. */
export interface ClusterStores {
  /** As the nodes' configuration names them. */
  readonly env: Readonly<Record<"EVENT_LOG_URL" | "HOT_STORE_URL" | "CATALOG_URL" | "TEAM_STORE_URL", string>>;
  /** Kafka's topics go with their age. */
  drop(): Promise<void>;
}

/** null where all four servers can be reached, else what is missing. */
export async function missingForCluster(): Promise<string | null> {
  for (const variable of VARIABLES) {
    const url = process.env[variable];
    if (!url) return `${variable} is not set (make services)`;
    const address = /\/\/(?:[^@/]*@)?([^:/,]+):(\d+)/.exec(url);
    if (address === null || !(await answers(address[1]!, Number(address[2])))) {
      return `nobody answers at ${variable}=${url} (make services)`;
    }
  }
  return null;
}

/** Whether anybody listens there. */
export const answers = (host: string, port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, host);
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });

export async function createClusterStores(): Promise<ClusterStores> {
  const name = `cluster_${crypto.randomUUID().replaceAll("-", "").slice(0, 16)}`;
  const [kafka, redis, postgres, cassandra] = VARIABLES.map((variable) => process.env[variable]!);
  const databases = await createDatabases(postgres!, 1);
  const teams = `${cassandra!.slice(0, cassandra!.lastIndexOf("/"))}/${name}?replication=1`;
  return {
    env: {
      EVENT_LOG_URL: `${kafka!.slice(0, kafka!.lastIndexOf("/"))}/${name}`,
      HOT_STORE_URL: `${redis!}?prefix=${name}:`,
      CATALOG_URL: databases.urls[0]!,
      TEAM_STORE_URL: teams,
    },
    async drop() {
      await Promise.all([databases.drop(), dropKeyspace(teams), dropKeys(redis!, `${name}:*`)]);
    },
  };
}

async function dropKeyspace(url: string): Promise<void> {
  const { contactPoints, dataCentre, keyspace, port } = parseCassandraUrl(url);
  const client = new Client({
    contactPoints: [...contactPoints],
    localDataCenter: dataCentre,
    protocolOptions: { port },
    socketOptions: { readTimeout: 60_000 },
  });
  await client.connect();
  await client.execute(`DROP KEYSPACE IF EXISTS ${keyspace}`);
  await client.shutdown();
}

async function dropKeys(url: string, pattern: string): Promise<void> {
  const redis = new Redis(url);
  for await (const keys of redis.scanStream({ match: pattern, count: 1_000 }) as AsyncIterable<string[]>) {
    if (keys.length > 0) await redis.unlink(...keys);
  }
  redis.disconnect();
}
