import type { FieldError } from "../edge/problem.ts";

/** `now`: the same call would be refused again · `later`: after `retryAfterMs` · `afterAuthentication`: log in first. */
export type RetryAdvice = "no" | "later" | "afterAuthentication";

/** A call that was not done. `code` is the node's stable name for the reason, or one of `LocalCode`. */
export interface Refusal {
  readonly code: string;
  readonly message: string;
  readonly retry: RetryAdvice;
  readonly retryAfterMs: number;
  readonly errors: readonly FieldError[];
}

/** What the client says itself. `disconnected`: whether the call was done is not known. */
export type LocalCode = "closed" | "disconnected" | "timeout" | "squad_not_found" | "roster_rules";

/** Refusals are expected, so they are values; only a bug throws. */
export type Answer<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly refusal: Refusal };

export const done = <T>(value: T): Answer<T> => ({ ok: true, value });

export const notDone = (
  code: LocalCode,
  message: string,
  retry: RetryAdvice = "later",
  errors: readonly FieldError[] = [],
): { readonly ok: false; readonly refusal: Refusal } => ({
  ok: false,
  refusal: { code, message, retry, retryAfterMs: 0, errors },
});
