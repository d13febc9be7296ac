import type { BoardEntries } from "../../stores/hot-store/boards.ts";
import type { Standing } from "../board/standing.ts";

/** The best of a contest, gathered while all of its entries go by in ascending order of id. */
export class BestEntries {
  readonly #minQp: number;
  /** How many of the lowest score are among them: those with the lowest ids. */
  #tiedLeft: number;
  readonly #found: { readonly entryId: number; readonly scoreQp: number }[] = [];

  /** `standing`: of the contest. */
  constructor(standing: Standing, countMax: number) {
    const count = Math.min(countMax, standing.entryCount);
    this.#minQp = standing.scoreAtPlace(count - 1);
    this.#tiedLeft = count - standing.countAbove(this.#minQp);
  }

  add(entryIds: Float64Array, scoresQp: Int16Array): void {
    for (let index = 0; index < entryIds.length; index++) {
      const scoreQp = scoresQp[index]!;
      if (scoreQp < this.#minQp || (scoreQp === this.#minQp && this.#tiedLeft-- <= 0)) continue;
      this.#found.push({ entryId: entryIds[index]!, scoreQp });
    }
  }

  /** In total order. */
  inOrder(): BoardEntries {
    const ordered = this.#found.toSorted((a, b) => b.scoreQp - a.scoreQp || a.entryId - b.entryId);
    return {
      entryIds: Float64Array.from(ordered, ({ entryId }) => entryId),
      scoresQp: Int16Array.from(ordered, ({ scoreQp }) => scoreQp),
    };
  }
}
