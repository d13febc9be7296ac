/**
 * Spreads a round of work over a while: one step, then everything else that the event loop has to do, then the next. Without
 * it a ball would block the node for as long as it takes to write to every socket.
 */
export class Pacer {
  readonly #startMs = performance.now();

  constructor(
    private readonly stepCount: number,
    private readonly spreadMs: number,
  ) {}

  /** Waits after step `index` (from 0) until the next is due. */
  async after(index: number): Promise<void> {
    if (index + 1 >= this.stepCount) return;
    const dueMs = this.#startMs + ((index + 1) * this.spreadMs) / this.stepCount;
    const waitMs = dueMs - performance.now();
    if (waitMs >= 1) await Bun.sleep(waitMs);
    else await new Promise<void>((resolve) => setImmediate(resolve));
  }
}
