import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Config, loadConfig } from "../../src/config.ts";
import { openStores } from "../../src/stores/open.ts";
import { freePort } from "../../src/testing/free-port.ts";
import { LocalNode } from "../../src/testing/local-cluster.ts";
import type { Contender } from "./contender.ts";
import { caughtUp, pidOf } from "./node-process.ts";
import { checkStores, setStage } from "./stage.ts";
import { SyncCounter } from "./syncs.ts";

/** One node over its own SQLite files. */
export const openEmbedded = (): Contender => ({
  name: "embedded stores",
  nodeCount: 1,
  async open(plan) {
    const directory = mkdtempSync(join(tmpdir(), "powerplay-bench-cluster-"));
    const [port, ops] = [await freePort(), await freePort()];
    const syncs = new SyncCounter(directory, "node");
    const env = {
      HOST: "127.0.0.1",
      PORT: String(port),
      OPS_PORT: String(ops),
      DATA_DIR: join(directory, "data"),
      BOARD_DIR: join(directory, "boards"),
      LOG_FORMAT: "text",
    };
    const config = configOf(env);
    const before = await openStores(config);
    const stage = await setStage(before, plan);
    await before.close();
    const node = new LocalNode({
      name: "a1",
      group: "a",
      address: `127.0.0.1:${port}`,
      ops: `127.0.0.1:${ops}`,
      how: {
        local: {
          command: [process.execPath, new URL("../../src/main.ts", import.meta.url).pathname, "serve", "--dev"],
          env: { ...env, ...syncs.variables },
          pidFile: join(directory, "node.pid"),
          logFile: join(directory, "node.log"),
        },
      },
    });
    await node.start();
    return {
      urls: [node.url],
      stage,
      parts: { nodes: { pids: [pidOf(node)], syncs } },
      caughtUp: () => caughtUp([node]),
      async check(saves, joins) {
        await node.leave();
        const stores = await openStores(config);
        await checkStores(stores, stage, saves, joins);
        await stores.close();
      },
      async close() {
        await node.kill();
        rmSync(directory, { recursive: true, force: true });
      },
    };
  },
});

export function configOf(env: Readonly<Record<string, string>>): Config {
  const loaded = loadConfig(env, true);
  if (!loaded.ok) throw new Error(loaded.faults.join("\n"));
  return loaded.config;
}
