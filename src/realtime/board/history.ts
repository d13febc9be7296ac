import { assert } from "../../domain/assert.ts";
import type { ContestId } from "../../domain/ids.ts";
import type { PointsQp, PointsVector } from "../../domain/points.ts";
import { type Roster, scoreRoster } from "../../domain/roster.ts";
import { rankInCompact } from "./compact-standing.ts";
import type { Generation } from "./standings-file.ts";

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

/** What a sample is taken from: a board, or the engine that has it in a worker. */
export interface SampledBoard {
  published(): Generation | undefined;
  /** undefined when a pass was published meanwhile. */
  compact(entryCountMin: number): Promise<CompactBoard | undefined>;
}

/** The published points, and the compact standings of the contests from some size on. */
export interface CompactBoard {
  readonly generation: Generation;
  readonly standings: ReadonlyMap<ContestId, Uint8Array>;
}

/** The rank history of all entries of a board, without a row an entry. */
export class BoardHistory {
  readonly #samples: BoardSample[] = [];

  constructor(readonly options: HistoryOptions = HISTORY_DEFAULTS) {}

  get samples(): readonly BoardSample[] {
    return this.#samples;
  }

  /** Takes a sample if one is due and the points have moved; returns it, for a store. One call at a time. */
  async sample(board: SampledBoard, nowMs: number): Promise<BoardSample | undefined> {
    const last = this.#samples.at(-1);
    const published = board.published();
    if (published === undefined || published.pointsVersion === last?.pointsVersion) return undefined;
    if (last !== undefined && nowMs - last.timeMs < this.options.everyMs) return undefined;
    const compact = await board.compact(this.options.keptEntryCountMin);
    // A pass was published in between; the next tick takes the sample.
    if (compact === undefined) return undefined;
    const sample = { ...compact.generation, timeMs: nowMs, standings: compact.standings };
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
