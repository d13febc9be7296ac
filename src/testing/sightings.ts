/**
 * What happened in a run, counted: a simulation that finds nothing has proven nothing about what never occurred in it, so
 * the test asks that all of it did.
 */
export class Sightings {
  readonly #counts = new Map<string, number>();

  saw(what: string, count = 1): void {
    if (count > 0) this.#counts.set(what, (this.#counts.get(what) ?? 0) + count);
  }

  counts(): Record<string, number> {
    return Object.fromEntries([...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}
