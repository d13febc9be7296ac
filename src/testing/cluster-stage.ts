import { type Actor, openActor, type Stage } from "../demo/actor.ts";
import type { Send } from "../demo/api-client.ts";
import { limits } from "../config.ts";
import { systemClock } from "../domain/clock.ts";
import { Tokens } from "../edge/auth.ts";
import { edgeLimits } from "../edge/limits.ts";
import { DEV_SECRETS } from "../edge/secrets.ts";
import { openPostgresCatalog } from "../stores/catalog/postgres.ts";
import type { Ledger } from "../stores/ledger/port.ts";
import { openRemoteLedger } from "../stores/ledger/remote.ts";
import type { LocalCluster } from "./local-cluster.ts";

export interface ClusterStage extends Stage {
  readonly ledger: Ledger;
  close(): Promise<void>;
}

/** A cluster as actors of the demo see it: the balancer's address, and users who need no password. */
export async function openClusterStage(cluster: LocalCluster, send: Send): Promise<ClusterStage> {
  const { CATALOG_URL, LEDGER_URL } = cluster.env;
  const catalog = await openPostgresCatalog({
    url: CATALOG_URL!,
    userUrls: [],
    replicaUrls: [],
    ...limits.postgres,
  });
  const ledger = await openRemoteLedger({
    url: LEDGER_URL!,
    secret: DEV_SECRETS.cluster,
    pendingMax: limits.storePendingMax,
    ...limits.remoteLedger,
  });
  return {
    url: cluster.url,
    clock: systemClock,
    tokens: new Tokens(DEV_SECRETS.jwt, systemClock, edgeLimits),
    catalog,
    ledger,
    sandboxUrl: cluster.sandboxUrl,
    sockets: { openCount: 0 },
    send,
    async close() {
      await Promise.all([catalog.close(), ledger.close()]);
    },
  };
}

export interface NamedActor extends Actor {
  readonly name: string;
}

/** By id, as a node that is alone gives ids in the order of creation: what ties are ordered by is the same in both. */
export async function openBots(stage: Stage, count: number): Promise<NamedActor[]> {
  const names = Array.from({ length: count }, (_, index) => `bot-${String(index + 1).padStart(4, "0")}`);
  const bots = await Promise.all(names.map(async (name) => ({ name, ...(await openActor(stage, name, "user")) })));
  return bots.sort((a, b) => a.id - b.id);
}
