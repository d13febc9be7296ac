import { assert } from "../../domain/assert.ts";
import type { ContestId } from "../../domain/ids.ts";
import type { PointsQp, PointsVector } from "../../domain/points.ts";
import { type Roster, scoreRoster } from "../../domain/roster.ts";
import { compactStanding, rankInCompact } from "./compact-standing.ts";
import type { Generation } from "./standings-file.ts";
import type { Standing } from "./standing.ts";

/** One sample of a board. With a locked roster it gives that team's score, and in each contest its rank. */
export interface BoardSample extends Generation {
  /** Compact standings of the contests too large to rank again for a question. */
  readonly standings: ReadonlyMap<ContestId, Uint8Array>;
}

export interface RankAt {
  readonly timeMs: number;
  readonly pointsVersion: number;
  readonly scoreQp: PointsQp;
  readonly rank: number;
}

export interface HistoryOptions {
  readonly everyMs: number;
  /** From this size on a sample keeps the standing (~5 KB); a smaller contest is re-ranked from the points in under 1 ms. */
  readonly keptEntryCountMin: number;
}

export const HISTORY_DEFAULTS: HistoryOptions = { everyMs: 30_000, keptEntryCountMin: 1_000_000 };

interface SampledBoard {
  readonly contests: ReadonlyMap<ContestId, { readonly entryCount: number }>;
  standing(contestId: ContestId): { readonly pointsVersion: number; readonly standing: Standing } | undefined;
  published(): Generation | undefined;
}

/** The rank history of all entries of a board, without a row an entry. */
export class BoardHistory {
  readonly #samples: BoardSample[] = [];

  constructor(readonly options: HistoryOptions = HISTORY_DEFAULTS) {}

  get samples(): readonly BoardSample[] {
    return this.#samples;
  }

  /** Takes a sample if one is due and the points have moved; returns it, for a store. */
  sample(board: SampledBoard, nowMs: number): BoardSample | undefined {
    const last = this.#samples.at(-1);
    const published = board.published();
    if (published === undefined || published.pointsVersion === last?.pointsVersion) return undefined;
    if (last !== undefined && nowMs - last.timeMs < this.options.everyMs) return undefined;
    const standings = new Map<ContestId, Uint8Array>();
    for (const [contestId, { entryCount }] of board.contests) {
      if (entryCount < this.options.keptEntryCountMin) continue;
      const standing = board.standing(contestId)!;
      // A pass was published in between; the next tick takes the sample.
      if (standing.pointsVersion !== published.pointsVersion) return undefined;
      standings.set(contestId, compactStanding(standing.standing));
    }
    const sample = { ...published, timeMs: nowMs, standings };
    this.#samples.push(sample);
    return sample;
  }

  /** Takes back a sample read from a store; in order of time. */
  restore(sample: BoardSample): void {
    const last = this.#samples.at(-1);
    assert(last === undefined || last.timeMs <= sample.timeMs, "samples are restored in order of time");
    this.#samples.push(sample);
  }

  /**
   * The history of one team in one contest. `rankUnder` ranks a score in a contest under earlier points; it is asked for the
   * samples that kept no standing of this contest, all at once.
   */
  async ranks(
    contestId: ContestId,
    roster: Roster,
    rankUnder: (asked: readonly { points: PointsVector; scoreQp: PointsQp }[]) => Promise<readonly number[]>,
  ): Promise<RankAt[]> {
    const asked = this.#samples.filter((sample) => !sample.standings.has(contestId));
    const answers = await rankUnder(asked.map(({ points }) => ({ points, scoreQp: scoreRoster(roster, points) })));
    const rankOf = new Map(asked.map((sample, index) => [sample, answers[index]!]));
    return this.#samples.map((sample) => {
      const scoreQp = scoreRoster(roster, sample.points);
      const kept = sample.standings.get(contestId);
      const rank = kept === undefined ? rankOf.get(sample)! : rankInCompact(kept, scoreQp);
      return { timeMs: sample.timeMs, pointsVersion: sample.pointsVersion, scoreQp, rank };
    });
  }
}
