import { afterMs } from "../repeat.ts";
import { StoreUnavailable } from "./unavailable.ts";

/**
 * What a store answers, or `instead` while it is away: it says so, or has said nothing for `patienceMs`. Absent: any time is given
 * to it. Other errors are the caller's.
 */
export function orWhileAway<Answer, Instead>(
  asking: Promise<Answer>,
  instead: Instead,
  patienceMs?: number,
): Promise<Answer | Instead> {
  const { promise, reject, resolve } = Promise.withResolvers<Answer | Instead>();
  const callOff = patienceMs === undefined ? null : afterMs(patienceMs, () => resolve(instead));
  asking
    .then(resolve, (error: unknown) => (error instanceof StoreUnavailable ? resolve(instead) : reject(error as Error)))
    .finally(() => callOff?.());
  return promise;
}
