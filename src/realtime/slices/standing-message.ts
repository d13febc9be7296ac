import { POOL_SIZE_MAX } from "../../domain/points.ts";
import { Standing } from "../board/standing.ts";
import type { StandingAt } from "../board/standings-file.ts";

/** What the owner of a slice tells those who watch a contest: `slice, points version, time` as f64, the points, the standing. */
export interface SliceStanding extends StandingAt {
  readonly slice: number;
}

const HEAD_BYTES = 24;
const STANDING_AT = HEAD_BYTES + 2 * POOL_SIZE_MAX;

export function encodeSliceStanding({ points, pointsVersion, slice, standing, timeMs }: SliceStanding): Uint8Array {
  const message = new Uint8Array(STANDING_AT + standing.bytes.length);
  new Float64Array(message.buffer, 0, 3).set([slice, pointsVersion, timeMs]);
  new Int16Array(message.buffer, HEAD_BYTES, POOL_SIZE_MAX).set(points);
  message.set(standing.bytes, STANDING_AT);
  return message;
}

export function decodeSliceStanding(message: Uint8Array): SliceStanding {
  // A copy: messages lie at any alignment, and keep their whole receive buffer alive.
  const bytes = new Uint8Array(message);
  const [slice, pointsVersion, timeMs] = new Float64Array(bytes.buffer, 0, 3);
  return {
    slice: slice!,
    pointsVersion: pointsVersion!,
    timeMs: timeMs!,
    points: new Int16Array(bytes.buffer, HEAD_BYTES, POOL_SIZE_MAX),
    standing: Standing.decode(bytes.subarray(STANDING_AT)),
  };
}
