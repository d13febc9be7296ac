/** Collects durations; percentiles by nearest rank. */
export class Latencies {
  readonly #valuesMs: number[] = [];

  /** Measures from call to answer. */
  async time<T>(work: () => Promise<T>): Promise<T> {
    const startMs = performance.now();
    const result = await work();
    this.#valuesMs.push(performance.now() - startMs);
    return result;
  }

  get count(): number {
    return this.#valuesMs.length;
  }

  percentileMs(percent: number): number {
    const sorted = this.#valuesMs.toSorted((a, b) => a - b);
    return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? 0;
  }

  summary(): string {
    const [median, p99] = [50, 99].map((percent) => this.percentileMs(percent).toFixed(1));
    return `p50 ${median} ms, p99 ${p99} ms over ${this.count}`;
  }
}
