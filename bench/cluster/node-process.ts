import { readFileSync } from "node:fs";
import type { LocalNode } from "../../src/testing/local-cluster.ts";

const POLL_MS = 20;

export const pidOf = ({ described }: LocalNode): number =>
  Number(readFileSync(described.how.local.pidFile, "utf8").split(" ")[0]);

/** Resolves when the nodes hold nothing that the log has not, and their consumers have come to its end. */
export async function caughtUp(nodes: readonly LocalNode[]): Promise<void> {
  const lagOf = async ({ described }: LocalNode) => {
    const text = await (await fetch(`http://${described.ops}/metrics`)).text();
    const waiting = text.matchAll(/^powerplay_(?:consumer_lag_records\{[^}]*\}|spool_records) (\d+)$/gm);
    return Array.from(waiting).reduce((sum, [, count]) => sum + Number(count), 0);
  };
  for (;;) {
    const lags = await Promise.all(nodes.map(lagOf));
    if (lags.every((lag) => lag === 0)) return;
    await Bun.sleep(POLL_MS);
  }
}
