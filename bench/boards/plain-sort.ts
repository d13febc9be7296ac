import { assert } from "../../src/domain/assert.ts";
import type { PointsVector } from "../../src/domain/points.ts";
import type { RankedEntry, Standing } from "../../src/realtime/board/standing.ts";
import { indexOfId } from "../../src/realtime/board/queries.ts";
import type { ContestColumns } from "../../src/realtime/kernel/port.ts";
import { typescriptKernel } from "../../src/realtime/kernel/typescript.ts";

/** The judge: every entry scored in TypeScript and all of them sorted. */
export class PlainSort {
  readonly #columns: ContestColumns;
  readonly scores: Int16Array;
  /** Positions in total order: score descending, entry id ascending. */
  readonly #order: Uint32Array;
  readonly #rankByScore = new Map<number, number>();
  readonly #tiedByScore = new Map<number, number>();

  constructor(columns: ContestColumns, points: PointsVector) {
    const { entryCount, tiles } = columns;
    this.#columns = columns;
    this.scores = new Int16Array(entryCount);
    typescriptKernel.score(points, tiles, entryCount, this.scores);
    // One number an entry sorts as the pair: scores are 16 bits, positions 32.
    const keys = new Float64Array(entryCount);
    for (let position = 0; position < entryCount; position++) {
      keys[position] = (32_767 - this.scores[position]!) * 2 ** 32 + position;
    }
    keys.sort();
    this.#order = new Uint32Array(entryCount);
    for (let place = 0; place < entryCount; place++) {
      const position = keys[place]! % 2 ** 32;
      this.#order[place] = position;
      const score = this.scores[position]!;
      if (!this.#rankByScore.has(score)) this.#rankByScore.set(score, place + 1);
      this.#tiedByScore.set(score, (this.#tiedByScore.get(score) ?? 0) + 1);
    }
  }

  rankOf(scoreQp: number): number | undefined {
    return this.#rankByScore.get(scoreQp);
  }

  entriesAt(place: number, count: number): RankedEntry[] {
    return Array.from(this.#order.subarray(place, place + count), (position) => {
      const scoreQp = this.scores[position]!;
      const entryId = this.#columns.entryIds[position]! as RankedEntry["entryId"];
      return { entryId, scoreQp, rank: this.#rankByScore.get(scoreQp)!, tiedCount: this.#tiedByScore.get(scoreQp)! };
    });
  }

  placeOf(entry: RankedEntry["entryId"]): number {
    return this.#order.indexOf(indexOfId(this.#columns.entryIds, entry));
  }

  /** Every rank of the contest, and its best hundred. */
  check(standing: Standing): void {
    for (const [scoreQp, rank] of this.#rankByScore) {
      assert(standing.rank(scoreQp) === rank, `score ${scoreQp} has rank ${rank}, not ${standing.rank(scoreQp)}`);
    }
    assert(sameEntries(standing.top(), this.entriesAt(0, 100)), "the best hundred are those of the sort");
  }
}

export const sameEntries = (actual: readonly RankedEntry[], expected: readonly RankedEntry[]): boolean =>
  actual.length === expected.length &&
  actual.every(({ entryId, rank, scoreQp, tiedCount }, index) => {
    const other = expected[index]!;
    return (
      entryId === other.entryId && scoreQp === other.scoreQp && rank === other.rank && tiedCount === other.tiedCount
    );
  });
