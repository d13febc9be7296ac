import { Problem } from "./problem.ts";

const KEY_CHARACTERS_MAX = 100;

/** The client's name for what must be done once; null when it gave none. */
export function idempotencyKeyOf(headers: Pick<Headers, "get">): string | null | Problem {
  const key = headers.get("idempotency-key");
  if (key === null || (key.length > 0 && key.length <= KEY_CHARACTERS_MAX)) return key;
  const errors = [{ field: "Idempotency-Key", message: `must have 1 to ${KEY_CHARACTERS_MAX} characters` }];
  return new Problem("invalid_request", `Idempotency-Key: ${errors[0]!.message}`, { errors });
}
