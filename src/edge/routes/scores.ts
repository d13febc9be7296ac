import { z } from "zod";
import { FEED_SIGNATURE_HEADER, FEED_TIMESTAMP_HEADER, verifyFeed } from "../feed-signature.ts";
import { Problem, refused } from "../problem.ts";
import { ok, route } from "../route.ts";
import { matchIdText } from "../schemas.ts";
import { parseJson } from "../request-body.ts";

export const scoreRoutes = {
  event: route(
    {
      method: "POST",
      path: "/v1/scores/{match}/event",
      summary:
        "One feed event, signed: HMAC-SHA256 over timestamp, full stop and raw body (X-Feed-Timestamp, X-Feed-Signature)",
      auth: "none",
      rate: "feed",
      raw: true,
      handle: async ({ params: { match }, rawBody, headers }, { game, clock, limits, feedSecret }) => {
        const signed = { timestamp: headers.get(FEED_TIMESTAMP_HEADER), signature: headers.get(FEED_SIGNATURE_HEADER) };
        const verdict = verifyFeed(feedSecret, signed, rawBody, clock.nowMs(), limits.feedReplayWindowMs);
        if (verdict !== "genuine") return refused(verdict);
        const event = parseJson(rawBody);
        if (event instanceof Problem) return event;
        const accepted = await game.feed.accept(match, event.value);
        if (accepted.ok) return ok({ applied: accepted.applied });
        if (accepted.refusal !== "invalid") return refused(accepted.refusal);
        const errors = accepted.faults;
        return new Problem("invalid_feed_event", errors.map((error) => `${error.field}: ${error.message}`).join("; "), {
          errors,
        });
      },
    },
    { params: z.strictObject({ match: matchIdText }) },
  ),
};
