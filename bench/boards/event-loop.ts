import { timesOf, type Times } from "./timing.ts";

export interface TimerDelays extends Times {
  readonly over2Ms: number;
}

const WARM_UP = 100;

/**
 * How late a 1 ms timer of this thread fires while `work` goes on, or for `idleMs` when there is none: what a request would
 * wait for the thread. The machine's own noise is the idle one.
 */
export async function timerDelays(idleMs: number, work?: () => Promise<void>): Promise<TimerDelays> {
  const delaysMs: number[] = [];
  let due = performance.now() + 1;
  let timer = setTimeout(tick, 1);
  function tick(): void {
    const now = performance.now();
    delaysMs.push(Math.max(0, now - due));
    due = performance.now() + 1;
    timer = setTimeout(tick, 1);
  }
  await (work === undefined ? Bun.sleep(idleMs) : work());
  clearTimeout(timer);
  const warm = delaysMs.length > 2 * WARM_UP ? delaysMs.slice(WARM_UP) : delaysMs;
  return { ...timesOf(warm), over2Ms: warm.filter((delayMs) => delayMs > 2).length };
}
