import { policies, types } from "cassandra-driver";

type Decision = policies.retry.DecisionInfo;
type Operation = policies.retry.OperationInfo;

/**
 * Once more, of what may be done twice, which everything here is. More is the caller's: a consumer repeats its whole batch after
 * a pause, and a question is answered by 503 sooner than by waiting.
 */
export class RepeatOnce extends policies.retry.RetryPolicy {
  override onUnavailable(info: Operation): Decision {
    return this.#once(info, false);
  }

  override onReadTimeout(info: Operation): Decision {
    return this.#once(info, true);
  }

  override onWriteTimeout(info: Operation): Decision {
    return this.#once(info, true);
  }

  override onRequestError(info: Operation): Decision {
    return this.#once(info, false);
  }

  #once({ executionOptions, nbRetry }: Operation, useCurrentHost: boolean): Decision {
    return nbRetry === 0 && executionOptions.isIdempotent()
      ? this.retryResult(types.consistencies.localQuorum, useCurrentHost)
      : this.rethrowResult();
  }
}
