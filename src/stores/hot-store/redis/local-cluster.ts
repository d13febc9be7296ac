import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { ENGINES, type Service, startService } from "../../../testing/services.ts";
import { portsOf } from "../../../../ops/services/service.ts";

export interface LocalCluster {
  readonly url: string;
  readonly nodes: readonly Service[];
  remove(): Promise<void>;
}

const MASTERS = 3;
const POLL_MS = 20;

/** For tests: three masters without replicas, each with a third of the slots. */
export async function startRedisCluster(): Promise<LocalCluster> {
  const directory = await mkdtemp(join(tmpdir(), "powerplay-cluster-"));
  const nodes = await Promise.all(
    Array.from({ length: MASTERS }, async (_, index) => {
      // The bus's own port is the client's plus 10,000, which free ports often have no room for.
      const [busPort] = await portsOf(ENGINES.redis);
      return startService("redis", {
        directory: join(directory, String(index)),
        settings: {
          "cluster-enabled": "yes",
          "cluster-port": String(busPort),
          "cluster-node-timeout": "1000",
          // The other slots stay in use while one node is away.
          "cluster-require-full-coverage": "no",
          appendonly: "no",
        },
      });
    }),
  );
  const hosts = nodes.map(({ port }) => `127.0.0.1:${port}`);
  const created = Bun.spawnSync(["redis-cli", "--cluster", "create", ...hosts, "--cluster-yes"]);
  if (created.exitCode !== 0) throw new Error(`redis-cli --cluster create: ${created.stdout}${created.stderr}`);
  await Promise.all(nodes.map(({ url }) => clusterOk(url)));
  return {
    url: `redis+cluster://${hosts.join(",")}`,
    nodes,
    async remove() {
      await Promise.all(nodes.map((node) => node.remove()));
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Resolves when the node knows who keeps each slot. */
async function clusterOk(url: string): Promise<void> {
  const client = new Redis(url);
  const knows = async () => {
    const info = await client.cluster("INFO");
    return /cluster_state:ok/.test(info) && new RegExp(`cluster_known_nodes:${MASTERS}`).test(info);
  };
  while (!(await knows())) await Bun.sleep(POLL_MS);
  client.disconnect();
}
