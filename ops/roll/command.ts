import { readCluster } from "../cluster.ts";
import { roll } from "./roll.ts";

/**
 * `make roll GROUP=a`: restarts the nodes of a group of the cluster file CLUSTER (ops/cluster.json) one after the other. DRY=1 says what
 * it would do, FORCE=1 begins although other nodes are not ready. Exit status 1 at the first failure, 2 where nothing was begun.
 */
const { CLUSTER = "ops/cluster.json", DRY = "", FORCE = "", GROUP = "" } = process.env;
try {
  if (GROUP === "") throw new Error("GROUP: which group of nodes? make roll GROUP=a");
  const { nodes } = readCluster(CLUSTER);
  const done = await roll({ nodes, group: GROUP, dry: DRY === "1", force: FORCE === "1", say: console.log });
  if (!done.ok) {
    console.error(`roll: ${done.failed === "" ? "" : `${done.failed} failed: `}${done.reason}`);
    if (done.rolled.length > 0) console.error(`roll: restarted before: ${done.rolled.join(", ")}`);
    if (done.left.length > 0) console.error(`roll: not touched: ${done.left.join(", ")}`);
    process.exit(done.failed === "" ? 2 : 1);
  }
  console.log(`roll: ${done.rolled.join(", ")} ${DRY === "1" ? "would be restarted" : "restarted"}`);
} catch (error) {
  console.error(`roll: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(2);
}
