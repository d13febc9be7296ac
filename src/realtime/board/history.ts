import type { PointsVector } from "../../domain/points.ts";

/** The points of one ball. With a locked roster they give that team's score, and in each contest its rank. */
export interface PointsAt {
  readonly pointsVersion: number;
  readonly timeMs: number;
  readonly points: PointsVector;
}

export interface RankAt {
  readonly timeMs: number;
  readonly pointsVersion: number;
  readonly scoreQp: number;
  readonly rank: number;
}

/**
 * From this size on a board keeps the standing of each sample (~5 KB); a smaller contest is ranked again from the points in
 * under 1 ms.
 */
export const KEPT_ENTRY_COUNT_MIN = 1_000_000;

/**
 * Which balls are samples of the rank history: the first, and then each that comes at least `everyMs` after the sample
 * before. It depends on the points log alone, so all nodes and all slices take the same ones, at any time.
 */
export class SampleSchedule {
  #dueMs = Number.NEGATIVE_INFINITY;
  #version = 0;

  constructor(readonly everyMs: number) {}

  /** Of the last ball that was offered. */
  get version(): number {
    return this.#version;
  }

  /** Whether this ball is a sample. Balls are offered in order; one that was offered before never is. */
  offer(pointsVersion: number, timeMs: number): boolean {
    if (pointsVersion <= this.#version) return false;
    this.#version = pointsVersion;
    if (timeMs < this.#dueMs) return false;
    this.#dueMs = timeMs + this.everyMs;
    return true;
  }
}
