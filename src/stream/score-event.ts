import type { FeedEvent } from "../domain/feed.ts";
import type { MatchId } from "../domain/ids.ts";

/** Value of the topic `score-events`: a feed event that the intake has checked, as JSON. */
export interface ScoreEvent {
  readonly matchId: MatchId;
  readonly receivedAtMs: number;
  readonly event: FeedEvent;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export const encodeScoreEvent = (scoreEvent: ScoreEvent): Uint8Array => encoder.encode(JSON.stringify(scoreEvent));

export const decodeScoreEvent = (bytes: Uint8Array): ScoreEvent => JSON.parse(decoder.decode(bytes)) as ScoreEvent;
