import { signal } from "@preact/signals";
import { client } from "./node.ts";

const TICK_MS = 1_000;

/** The node's time, moved on once a second: what countdowns show. */
export const nowMs = signal(client.nowMs());

export function startClock(): void {
  setInterval(() => (nowMs.value = client.nowMs()), TICK_MS);
}
