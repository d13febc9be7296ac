import { readFileSync } from "node:fs";
import type { LocalNode } from "../../src/testing/local-cluster.ts";

const POLL_MS = 20;

export const pidOf = ({ described }: LocalNode): number =>
  Number(readFileSync(described.how.local.pidFile, "utf8").split(" ")[0]);

/** Resolves when the nodes' consumers have come to the end of the log. */
export async function caughtUp(nodes: readonly LocalNode[]): Promise<void> {
  const lagOf = async ({ described }: LocalNode) => {
    const text = await (await fetch(`http://${described.ops}/metrics`)).text();
    const lags = text.matchAll(/^powerplay_consumer_lag_records\{[^}]*\} (\d+)$/gm);
    return Array.from(lags).reduce((sum, [, lag]) => sum + Number(lag), 0);
  };
  for (;;) {
    const lags = await Promise.all(nodes.map(lagOf));
    if (lags.every((lag) => lag === 0)) return;
    await Bun.sleep(POLL_MS);
  }
}
