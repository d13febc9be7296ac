import type { Clock } from "./domain/clock.ts";

const DAY_MS = 24 * 3_600_000;

/** How long from `nowMs` until the next time that it is `atUtcMinute` minutes after midnight UTC; never 0. */
export function msUntilMinute(nowMs: number, atUtcMinute: number): number {
  const since = (((nowMs - atUtcMinute * 60_000) % DAY_MS) + DAY_MS) % DAY_MS;
  return DAY_MS - since;
}

/** Does `work` once a day at that time, until stopped; what it throws is told, and tomorrow is another day. */
export function daily(
  work: () => Promise<unknown>,
  clock: Clock,
  atUtcMinute: number,
  onTrouble: (error: unknown) => void,
): { stop(): Promise<void> } {
  let running: Promise<unknown> = Promise.resolve();
  let timer: Timer | undefined;
  const schedule = () => {
    timer = setTimeout(
      () => {
        running = work().catch(onTrouble);
        schedule();
      },
      msUntilMinute(clock.nowMs(), atUtcMinute),
    );
  };
  schedule();
  return {
    async stop() {
      clearTimeout(timer);
      await running;
    },
  };
}
