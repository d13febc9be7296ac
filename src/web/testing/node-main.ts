/**
 * A node in a process of its own, for tests that kill it. Its clock is real time that its parent can push forward; it
 * begins as far ahead as the one before it was.
 */
import { loadConfig } from "../../config.ts";
import type { Clock } from "../../domain/clock.ts";
import { startNode } from "../../main.ts";

export type FromParent = { readonly aheadMs: number };
export type ToParent = { readonly url: string } | { readonly aheadMs: number };

let aheadMs = Number(process.argv[2] ?? 0);
const clock: Clock = { nowMs: () => Date.now() + aheadMs };
const loaded = loadConfig(process.env, true);
if (!loaded.ok) throw new Error(loaded.faults.join("\n"));
const node = await startNode(loaded.config, { clock, sampleEveryMs: 100 });

process.on("message", (message: FromParent) => {
  aheadMs = message.aheadMs;
  process.send!({ aheadMs } satisfies ToParent);
});
// A parent that failed leaves nobody behind.
process.on("disconnect", () => process.exit(1));
process.send!({ url: node.url } satisfies ToParent);
