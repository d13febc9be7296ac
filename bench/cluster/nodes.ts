import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openStores } from "../../src/stores/open.ts";
import { LocalCluster } from "../../src/testing/local-cluster.ts";
import { CpuShares } from "./cpu-shares.ts";
import type { Contender } from "./contender.ts";
import { configOf } from "./embedded.ts";
import { caughtUp, pidOf } from "./node-process.ts";
import { type Servers, serverParts } from "./servers.ts";
import { checkStores, setStage } from "./stage.ts";
import { SyncCounter } from "./syncs.ts";

/** So many nodes over the real servers. `share`: of one core that each of them has; null: what it can get. */
export const openNodes = (servers: Servers, nodeCount: number, share: number | null = null): Contender => ({
  name: `${nodeCount} node${nodeCount === 1 ? "" : "s"} ${share === null ? "" : `of ${share} core `}over servers`,
  nodeCount,
  async open(plan) {
    const directory = mkdtempSync(join(tmpdir(), "powerplay-bench-cluster-"));
    const syncs = new SyncCounter(directory, "nodes");
    const names = Array.from({ length: nodeCount }, (_, index) => `a${index + 1}`);
    const aerospike = servers.aerospike?.service.url;
    const prefix = crypto.randomUUID().slice(0, 8);
    const cluster = await LocalCluster.prepare({
      names,
      env: {
        ...syncs.variables,
        DRAIN_MS: "0",
        ...(aerospike === undefined ? {} : { LEDGER_URL: `${aerospike}?prefix=${prefix}` }),
      },
    });
    const config = configOf({ ...cluster.env, NODE_ID: "bench", DATA_DIR: join(directory, "bench") });
    const stores = await openStores(config);
    const stage = await setStage(stores, plan);
    await cluster.start(names);
    const shares = new CpuShares();
    if (share !== null) for (const node of cluster.nodes) shares.limit(pidOf(node), share);
    return {
      urls: cluster.nodes.map(({ url }) => url),
      stage,
      parts: {
        nodes: { pids: cluster.nodes.map(pidOf), syncs },
        ...(aerospike === undefined ? { ledger: { pids: [cluster.ledgerPid], syncs: null } } : {}),
        ...serverParts(servers, ["kafka", "redis", "postgres", "cassandra", "aerospike"]),
      },
      caughtUp: () => caughtUp(cluster.nodes),
      check: (saves, joins) => checkStores(stores, stage, saves, joins),
      async close() {
        await stores.close();
        await Promise.all(cluster.nodes.map((node) => node.leave()));
        await cluster.dispose();
        shares.remove();
        rmSync(directory, { recursive: true, force: true });
      },
    };
  },
});
