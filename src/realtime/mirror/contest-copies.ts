import type { ContestId } from "../../domain/ids.ts";

/** Nothing was written, or what was written is lost. */
const NONE = -1;

/** Which of a match's contests are behind what is shown, and since when: for each the version of its copy. */
export class ContestCopies {
  readonly contests: readonly ContestId[];
  readonly #index: ReadonlyMap<ContestId, number>;
  readonly #written: Float64Array;
  readonly #underWay: Uint8Array;
  /** Since when a contest that was lost is behind, though it shows no new points. */
  readonly #lostMs = new Map<number, number>();
  /** Versions that the board showed, and when, from the oldest that some copy may be at. */
  #shown: { readonly version: number; readonly atMs: number }[] = [];
  /** Contests that come before all others. */
  readonly #first = new Set<number>();
  #cursor = 0;

  constructor(contests: Iterable<ContestId>) {
    this.contests = [...contests];
    this.#index = new Map(this.contests.map((contest, index) => [contest, index]));
    this.#written = new Float64Array(this.contests.length).fill(NONE);
    this.#underWay = new Uint8Array(this.contests.length);
  }

  get #version(): number {
    return this.#shown.at(-1)?.version ?? NONE;
  }

  /** The boards show this version. */
  shows(version: number, atMs: number): void {
    if (this.#shown.length > 0 && version <= this.#version) return;
    const oldest = this.#oldestWritten();
    // What every copy has passed tells nobody's lag.
    this.#shown = this.#shown.filter((shown) => shown.version > oldest);
    this.#shown.push({ version, atMs });
  }

  writtenVersion(index: number): number {
    return this.#written[index]!;
  }

  /** The contest goes before all others, if it is behind. */
  hasten(contest: ContestId): void {
    const index = this.#index.get(contest);
    if (index !== undefined && this.#written[index]! < this.#version) this.#first.add(index);
  }

  /** The place of one that was hastened and is behind, taken for a write; null: there is none that is not being written. */
  takeFirst(): number | null {
    for (const index of this.#first) {
      this.#first.delete(index);
      if (this.#take(index)) return index;
    }
    return null;
  }

  /** The next one that is behind, in turn, of those that may be written now. */
  takeNext(may: (index: number) => boolean = () => true): number | null {
    for (let looked = 0; looked < this.contests.length; looked++) {
      const index = this.#cursor;
      this.#cursor = (index + 1) % this.contests.length;
      if (may(index) && this.#take(index)) return index;
    }
    return null;
  }

  /** `version`: what was written; null: nothing. */
  putBack(index: number, version: number | null): void {
    this.#underWay[index] = 0;
    if (version === null) return;
    this.#written[index] = version;
    this.#lostMs.delete(index);
  }

  /** The store has lost what was written as `version`, unless another was written since. */
  lost(index: number, version: number, atMs: number): void {
    if (this.#written[index] !== version || version === NONE || this.#underWay[index] === 1) return;
    this.#written[index] = NONE;
    this.#lostMs.set(index, atMs);
  }

  behindCount(): number {
    let count = 0;
    for (const version of this.#written) if (version < this.#version) count++;
    return count;
  }

  /** Of the contest that is behind longest; null: none is. */
  behindSinceMs(): number | null {
    let oldest = this.#version;
    for (const [index, version] of this.#written.entries()) {
      if (version < oldest && !this.#lostMs.has(index)) oldest = version;
    }
    const since = [...this.#lostMs.values(), this.#shown.find(({ version }) => version > oldest)?.atMs];
    const known = since.filter((atMs) => atMs !== undefined);
    return known.length === 0 ? null : Math.min(...known);
  }

  #take(index: number): boolean {
    if (this.#underWay[index] === 1 || this.#written[index]! >= this.#version) return false;
    this.#underWay[index] = 1;
    return true;
  }

  #oldestWritten(): number {
    let oldest = Number.POSITIVE_INFINITY;
    for (const [index, version] of this.#written.entries()) {
      if (!this.#lostMs.has(index)) oldest = Math.min(oldest, version);
    }
    return oldest;
  }
}
