import type { Clock } from "../domain/clock.ts";
import type { Catalog } from "../stores/catalog/port.ts";
import { StoreUnavailable } from "../stores/unavailable.ts";
import type { JoinSagas } from "./join-saga.ts";

export interface JoinRecoveryDeps {
  readonly catalog: Pick<Catalog, "reservedJoins">;
  readonly sagas: Pick<JoinSagas, "advance">;
  readonly clock: Clock;
  /**
   * A saga younger than this is left to whoever drives it. Only spares work: two drivers at once do no harm.
   */
  readonly abandonedAfterMs: number;
  readonly batchSagas: number;
}

export interface RecoverySweep {
  readonly finished: number;
  readonly refused: number;
  /** Could not be taken on now, because a store is away. */
  readonly left: number;
}

/** Takes to their end the joins that a crash, or a store that went away, left half-done. */
export class JoinRecovery {
  readonly #deps: JoinRecoveryDeps;

  constructor(deps: JoinRecoveryDeps) {
    this.#deps = deps;
  }

  /** One batch, oldest first. Rejects with `StoreUnavailable` when there is not even a list. */
  async sweep(): Promise<RecoverySweep> {
    const { catalog, sagas, clock, abandonedAfterMs, batchSagas } = this.#deps;
    const abandoned = await catalog.reservedJoins(clock.nowMs() - abandonedAfterMs, batchSagas);
    const ends = await Promise.allSettled(abandoned.map((saga) => sagas.advance(saga)));
    let finished = 0;
    let refused = 0;
    let left = 0;
    for (const end of ends) {
      if (end.status === "rejected") {
        if (!(end.reason instanceof StoreUnavailable)) throw end.reason;
        left++;
      } else if (end.value.ok) finished++;
      else refused++;
    }
    return { finished, refused, left };
  }
}
