import type { FeedEvent } from "../domain/feed.ts";
import type { MatchId } from "../domain/ids.ts";

/** A feed event that the intake has checked. */
export interface ScoreEvent {
  readonly kind: "event";
  readonly matchId: MatchId;
  readonly receivedAtMs: number;
  readonly event: FeedEvent;
}

/**
 * The prizes of the match were released here: what comes after it in the log does not count. In the log, and not only in
 * the catalog, so that every node that folds it, however late, ends at the points that the prizes were paid by.
 */
export interface ReleaseMark {
  readonly kind: "release";
  readonly matchId: MatchId;
}

/** Value of the topic `score-events`, as JSON. */
export type ScoreRecord = ScoreEvent | ReleaseMark;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export const encodeScoreRecord = (record: ScoreRecord): Uint8Array => encoder.encode(JSON.stringify(record));

export const decodeScoreRecord = (bytes: Uint8Array): ScoreRecord => JSON.parse(decoder.decode(bytes)) as ScoreRecord;
