import { type Actor, openActor, type Stage } from "../demo/actor.ts";
import type { Send } from "../demo/api-client.ts";
import { PowerplayClient } from "../client/index.ts";
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

/**
 * Connected, or about to be: at first to `firstUrl`, where that is given, as if the balancer had chosen that node, and later to whichever
 * the balancer chooses.
 */
export async function openClient(
  { tokens, url }: Stage,
  { id, name, role }: NamedActor,
  firstUrl = url,
): Promise<PowerplayClient> {
  const issued = await tokens.issue({ id, role });
  const socketUrl = (of: string) => `${of.replace("http", "ws")}/v1/socket`;
  let next = socketUrl(firstUrl);
  const client = new PowerplayClient({
    url: socketUrl(url),
    session: { userId: id, userName: name, role, ...issued },
    openSocket: (balanced, subprotocol) => {
      const socket = new WebSocket(next, subprotocol);
      next = balanced;
      return socket;
    },
  });
  client.connect();
  return client;
}
