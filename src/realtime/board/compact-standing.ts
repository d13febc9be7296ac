import type { PointsQp } from "../../domain/points.ts";
import type { ContestId } from "../../domain/ids.ts";
import type { Board } from "./board.ts";
import type { Standing } from "./standing.ts";
import type { Generation } from "./standings-file.ts";

/** The published points, and the compact standings of the contests from some size on. */
export interface CompactBoard {
  readonly generation: Generation;
  readonly standings: ReadonlyMap<ContestId, Uint8Array>;
}

/** All of one version, or undefined. */
export function compactBoard(board: Board, entryCountMin: number): CompactBoard | undefined {
  const generation = board.published();
  if (generation === undefined) return undefined;
  const standings = new Map<ContestId, Uint8Array>();
  for (const [contestId, { entryCount }] of board.contests) {
    if (entryCount < entryCountMin) continue;
    const { pointsVersion, standing } = board.standing(contestId)!;
    if (pointsVersion !== generation.pointsVersion) return undefined;
    standings.set(contestId, compactStanding(standing));
  }
  return { generation, standings };
}

/**
 * A standing without its top list, for keeping hundreds of them: the lowest score as a varint (zigzag), then, from the
 * lowest score up, how many entries have it, one varint each. About a byte a score: 5 KB for a contest of 12 M.
 */
export function compactStanding(standing: Standing): Uint8Array {
  const bytes: number[] = [];
  pushVarint(bytes, standing.minQp < 0 ? -2 * standing.minQp - 1 : 2 * standing.minQp);
  let higher = standing.entryCount;
  for (let scoreQp = standing.minQp; scoreQp <= standing.maxQp; scoreQp++) {
    const above = standing.countAbove(scoreQp);
    pushVarint(bytes, higher - above);
    higher = above;
  }
  return Uint8Array.from(bytes);
}

/** How many entries score more. Walks the bytes once. */
export function countAboveInCompact(bytes: Uint8Array, scoreQp: PointsQp): number {
  let above = 0;
  forEachCount(bytes, (score, count) => {
    if (score > scoreQp) above += count;
  });
  return above;
}

/** Every score from the lowest to the highest, those that nobody has included. */
export function forEachCount(bytes: Uint8Array, visit: (scoreQp: PointsQp, count: number) => void): void {
  let at = 0;
  const next = (): number => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = bytes[at++]!;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  };
  const zigzag = next();
  let score = zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2;
  for (; at < bytes.length; score++) visit(score, next());
}

function pushVarint(bytes: number[], value: number): void {
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  bytes.push(rest);
}
