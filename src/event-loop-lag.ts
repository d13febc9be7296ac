import type { Histogram } from "./metrics.ts";

const EVERY_MS = 100;

/** Measures how much later than asked for a timer comes: what every request waits for before anybody looks at it. */
export function watchEventLoop(lagSeconds: Histogram, everyMs = EVERY_MS): { stop(): void } {
  const lag = lagSeconds.of({});
  let dueMs = performance.now() + everyMs;
  const timer = setInterval(() => {
    const nowMs = performance.now();
    lag.observe(Math.max(0, nowMs - dueMs) / 1_000);
    dueMs = nowMs + everyMs;
  }, everyMs);
  timer.unref();
  return { stop: () => clearInterval(timer) };
}
