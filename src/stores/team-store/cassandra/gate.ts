/** So many at a time, the others in the order in which they came. */
export class Gate {
  readonly #waiting = new Set<() => void>();
  #inside = 0;

  constructor(
    private readonly insideMax: number,
    private readonly waitingMax: number,
  ) {}

  /** Whoever asks should be sent away rather than let wait. */
  get isFull(): boolean {
    return this.#waiting.size >= this.waitingMax;
  }

  async pass<T>(act: () => Promise<T>): Promise<T> {
    if (this.#inside < this.insideMax) this.#inside++;
    // Whoever leaves hands the place over.
    else await new Promise<void>((enter) => this.#waiting.add(enter));
    try {
      return await act();
    } finally {
      const [next] = this.#waiting;
      if (next === undefined) this.#inside--;
      else {
        this.#waiting.delete(next);
        next();
      }
    }
  }
}
