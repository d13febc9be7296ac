import { readCluster } from "../cluster.ts";
import { haproxyConfig } from "./config.ts";

/** write.ts CLUSTER_FILE: the balancer's configuration for the nodes of a cluster file, on stdout. */
const [file] = process.argv.slice(2);
if (file === undefined) {
  console.error("usage: write.ts CLUSTER_FILE > haproxy.cfg");
  process.exit(2);
}
const { listen, nodes } = readCluster(file);
process.stdout.write(
  haproxyConfig({
    listen,
    nodes: nodes.map(({ name, address, ops }) => ({ name, address, opsPort: Number(ops.split(":")[1]) })),
  }),
);
