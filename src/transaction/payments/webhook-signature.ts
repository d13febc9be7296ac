import { createHmac, timingSafeEqual } from "node:crypto";

/** Razorpay's scheme: lower-case hex of HMAC-SHA256 over the raw body. */
export const signWebhook = (rawBody: Uint8Array | string, secret: string): string =>
  createHmac("sha256", secret).update(rawBody).digest("hex");

/** In constant time, so that an answer's delay tells nothing about how much of a guess was right. */
export function isSignedBy(rawBody: Uint8Array, signature: string, secret: string): boolean {
  const expected = Buffer.from(signWebhook(rawBody, secret));
  const given = Buffer.from(signature);
  return given.length === expected.length && timingSafeEqual(given, expected);
}
