import { join } from "node:path";
import { type Config, limits } from "../config.ts";
import type { Clock } from "../domain/clock.ts";
import type { Gauge } from "../metrics.ts";
import { openEmbeddedCatalog } from "./catalog/embedded.ts";
import type { Catalog } from "./catalog/port.ts";
import { openPostgresCatalog } from "./catalog/postgres.ts";
import { openEmbeddedEventLog } from "./event-log/embedded.ts";
import { openKafkaEventLog } from "./event-log/kafka.ts";
import type { EventLog } from "./event-log/port.ts";
import { openEmbeddedHotStore } from "./hot-store/embedded.ts";
import { openFallbackHotStore } from "./hot-store/fallback.ts";
import type { HotStore } from "./hot-store/port.ts";
import { openRedisHotStore } from "./hot-store/redis.ts";
import { openAerospikeLedger } from "./ledger/aerospike.ts";
import { openEmbeddedLedger } from "./ledger/embedded.ts";
import type { Ledger } from "./ledger/port.ts";
import { openRemoteLedger } from "./ledger/remote.ts";
import type { SqliteStoreOptions } from "./sqlite/store.ts";
import { openCassandraTeamStore } from "./team-store/cassandra.ts";
import { openEmbeddedTeamStore } from "./team-store/embedded.ts";
import type { TeamStore } from "./team-store/port.ts";

export interface Stores {
  readonly catalog: Catalog;
  /** The lists that people look through; from a replica where the configuration names one, so up to its lag old. */
  readonly browsing: Pick<Catalog, "matches" | "contests">;
  readonly ledger: Ledger;
  readonly log: EventLog;
  readonly teamStore: TeamStore;
  close(): Promise<void>;
}

/**
 * The stores that the configuration names: by URL a shared engine, without one the embedded engine in the node's own
 * directory. Any mixture works. Rejects when one of them can't be opened, with what is wrong and what to do, and leaves
 * none open.
 */
export async function openStores(config: Config): Promise<Stores> {
  const { eventLog, ledger, teamStore } = config.stores;
  const embedded = (name: string) => ({
    file: join(config.dataDir, `${name}.sqlite`),
    pendingMax: limits.storePendingMax,
  });
  const opening = [
    openCatalogOf(config, embedded("catalog")),
    ledger === null ? openEmbeddedLedger(embedded("ledger")) : openSharedLedger(ledger, config.clusterSecret),
    eventLog === null
      ? openEmbeddedEventLog(embedded("log"))
      : openKafkaEventLog({ url: eventLog, memberId: config.nodeId, ...limits.kafka }),
    teamStore === null
      ? openEmbeddedTeamStore(embedded("teams"))
      : openCassandraTeamStore({ url: teamStore, ...limits.cassandra }),
  ] as const;
  try {
    const [openCatalog, openLedger, log, openTeamStore] = await Promise.all(opening);
    return {
      catalog: openCatalog,
      browsing: openCatalog.browsing ?? openCatalog,
      ledger: openLedger,
      log,
      teamStore: openTeamStore,
      async close() {
        await Promise.all([openCatalog.close(), openLedger.close(), log.close(), openTeamStore.close()]);
      },
    };
  } catch (error) {
    const opened = await Promise.allSettled(opening);
    await Promise.all(opened.map((each) => (each.status === "fulfilled" ? each.value.close() : undefined)));
    throw error;
  }
}

/** Kept by Aerospike, or by another process where there is none. */
function openSharedLedger(url: string, secret: string): Promise<Ledger> {
  const pendingMax = limits.storePendingMax;
  return url.startsWith("powerplay:")
    ? openRemoteLedger({ url, secret, pendingMax, ...limits.remoteLedger })
    : openAerospikeLedger({ url, pendingMax, ...limits.aerospikeLedger });
}

function openCatalogOf(
  { stores }: Config,
  embedded: SqliteStoreOptions,
): Promise<Catalog & { readonly browsing?: Stores["browsing"] }> {
  if (stores.catalog === null) return openEmbeddedCatalog(embedded);
  return openPostgresCatalog({ ...stores.catalog, ...limits.postgres });
}

export interface HotStoreOptions {
  readonly clock: Clock;
  /** 1 while the shared store is away. */
  readonly awayGauge: Gauge;
  readonly log: (line: string) => void;
}

/** As `openStores`. While a shared one is away the node's own memory answers. */
export async function openHotStore({ stores }: Config, { clock, awayGauge, log }: HotStoreOptions): Promise<HotStore> {
  const local = openEmbeddedHotStore({ clock, ...limits.hotStore });
  if (stores.hotStore === null) return local;
  try {
    const primary = await openRedisHotStore({ url: stores.hotStore, ...limits.redis });
    return openFallbackHotStore({ primary, local, ...limits.hotStoreFallback, log, awayGauge });
  } catch (error) {
    await local.close();
    throw error;
  }
}
