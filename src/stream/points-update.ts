import type { MatchId } from "../domain/ids.ts";
import type { PointsQp, PointsVector } from "../domain/points.ts";
import { POOL_SIZE_MAX } from "../domain/points.ts";
import type { InningsBoard } from "../domain/scoring/innings.ts";
import type { PointsChange, ReasonLine } from "../domain/scoring/sport.ts";

/**
 * Value of the topic `player-points`: the whole points vector after one event, so that applying it twice, or only the
 * newest of several, is right; with what changed and why for those who show it.
 */
export interface PointsUpdate {
  readonly matchId: MatchId;
  /** Offset of the event in its partition of `score-events`, plus one: the same however often it is computed. */
  readonly version: number;
  readonly atMs: number;
  readonly eventId: string;
  readonly commentary: string;
  /** By pool index. */
  readonly pointsQp: readonly PointsQp[];
  readonly changed: readonly PointsChange[];
  readonly reasons: readonly ReasonLine[];
  readonly scoreboard: readonly InningsBoard[];
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export const encodePointsUpdate = (update: PointsUpdate): Uint8Array => encoder.encode(JSON.stringify(update));

export const decodePointsUpdate = (bytes: Uint8Array): PointsUpdate =>
  JSON.parse(decoder.decode(bytes)) as PointsUpdate;

export function pointsVectorOf(update: Pick<PointsUpdate, "pointsQp">): PointsVector {
  const vector = new Int16Array(POOL_SIZE_MAX);
  vector.set(update.pointsQp);
  return vector;
}
