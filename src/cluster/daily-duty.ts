import type { Clock } from "../domain/clock.ts";
import type { HotStore } from "../stores/hot-store/port.ts";

export interface DailyDutyOptions {
  readonly name: string;
  readonly atUtcMinute: number;
  readonly clock: Clock;
  /** Whether the duty is this node's now. */
  readonly isOurs: () => boolean;
  readonly work: () => Promise<unknown>;
  /** Of all nodes: where the one that has done it says so. */
  readonly hotStore: Pick<HotStore, "get" | "set">;
}

const DAY_MS = 24 * 3_600_000;
const DONE = Uint8Array.of(1);

/**
 * Work that one of all nodes does once a day: at its time, or if the duty is nobody's then, as soon as it is somebody's. A hot
 * store that is away or has forgotten who did it may have it done a second time. What was due before a node's start is for those
 * that ran then. A day on which it failed is over for the node where it did: tomorrow is another one.
 */
export class DailyDuty {
  readonly #options: DailyDutyOptions;
  #overMs: number;

  constructor(options: DailyDutyOptions) {
    this.#options = options;
    this.#overMs = this.#dueMs();
  }

  /** Does what is due and this node's to do. Rejects with what the work throws. */
  async look(): Promise<void> {
    const { hotStore, isOurs, name, work } = this.#options;
    const dueMs = this.#dueMs();
    if (dueMs === this.#overMs || !isOurs()) return;
    const key = `daily:${name}:${dueMs}`;
    this.#overMs = dueMs;
    if ((await hotStore.get(key).catch(() => null)) !== null) return;
    await work();
    await hotStore.set(key, DONE, DAY_MS).catch(() => undefined);
  }

  /** When it was due last. */
  #dueMs(): number {
    const { atUtcMinute, clock } = this.#options;
    const atMs = atUtcMinute * 60_000;
    return Math.floor((clock.nowMs() - atMs) / DAY_MS) * DAY_MS + atMs;
  }
}
