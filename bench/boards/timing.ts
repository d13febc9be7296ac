export interface Times {
  readonly medianMs: number;
  readonly p99Ms: number;
  readonly minMs: number;
  readonly maxMs: number;
  readonly count: number;
}

export function timesOf(samplesMs: readonly number[]): Times {
  const sorted = samplesMs.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  return { medianMs: at(0.5), p99Ms: at(0.99), minMs: at(0), maxMs: at(1), count: sorted.length };
}

/** Runs `operate` `count` times and times each. */
export async function timed(count: number, operate: (index: number) => unknown): Promise<Times> {
  const samplesMs: number[] = [];
  for (let index = 0; index < count; index++) {
    const start = performance.now();
    await operate(index);
    samplesMs.push(performance.now() - start);
  }
  return timesOf(samplesMs);
}

/** For operations too short to time one by one, none of which waits: the mean of each of nine batches. */
export function timedBatches(batch: number, operate: (index: number) => number): Times {
  const samplesMs: number[] = [];
  let kept = 0;
  for (let round = 0; round < 9; round++) {
    const start = performance.now();
    for (let index = 0; index < batch; index++) kept += operate(index);
    samplesMs.push((performance.now() - start) / batch);
  }
  if (Number.isNaN(kept)) throw new Error("an operation gave no number");
  return timesOf(samplesMs);
}
