import { createHmac, timingSafeEqual } from "node:crypto";

/**
 * How a feed provider proves that an event is its own: HMAC-SHA256, in lower-case hex, over the timestamp, a full stop and
 * the bytes of the body as sent. The timestamp (UTC milliseconds) is signed too, so a captured request is worthless once it
 * has left the replay window; within the window a replay changes nothing, because an event's version is applied once.
 */
export const FEED_TIMESTAMP_HEADER = "x-feed-timestamp";
export const FEED_SIGNATURE_HEADER = "x-feed-signature";

export interface SignedFeedHeaders {
  readonly [FEED_TIMESTAMP_HEADER]: string;
  readonly [FEED_SIGNATURE_HEADER]: string;
}

export function signFeed(secret: string, timestampMs: number, rawBody: string | Uint8Array): SignedFeedHeaders {
  return {
    [FEED_TIMESTAMP_HEADER]: String(timestampMs),
    [FEED_SIGNATURE_HEADER]: digest(secret, String(timestampMs), rawBody).toString("hex"),
  };
}

export type FeedVerdict = "genuine" | "signature_missing" | "signature_invalid" | "timestamp_outside_window";

export function verifyFeed(
  secret: string,
  headers: { readonly timestamp: string | null; readonly signature: string | null },
  rawBody: Uint8Array,
  nowMs: number,
  windowMs: number,
): FeedVerdict {
  const { timestamp, signature } = headers;
  if (timestamp === null || signature === null) return "signature_missing";
  if (!/^\d{1,15}$/.test(timestamp) || !/^[0-9a-f]{64}$/.test(signature)) return "signature_missing";
  // The signature first: to whoever can't sign, our clock is none of their business.
  if (!timingSafeEqual(digest(secret, timestamp, rawBody), Buffer.from(signature, "hex"))) return "signature_invalid";
  return Math.abs(nowMs - Number(timestamp)) <= windowMs ? "genuine" : "timestamp_outside_window";
}

function digest(secret: string, timestamp: string, rawBody: string | Uint8Array): Buffer {
  return createHmac("sha256", secret).update(`${timestamp}.`).update(rawBody).digest();
}
