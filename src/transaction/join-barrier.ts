import type { MatchId } from "../domain/ids.ts";
import type { Catalog } from "../stores/catalog/port.ts";
import { StoreUnavailable } from "../stores/unavailable.ts";
import type { JoinSagas } from "./join-saga.ts";
import type { OutboxPublisher } from "./outbox.ts";
import type { JoinRecovery } from "./recovery.ts";

export interface JoinBarrierDeps {
  readonly catalog: Pick<Catalog, "reservedJoinCount">;
  readonly sagas: Pick<JoinSagas, "drained">;
  readonly recovery: Pick<JoinRecovery, "sweep">;
  readonly outbox: Pick<OutboxPublisher, "drain">;
  readonly pause: (ms: number) => Promise<void>;
  readonly pollMs: number;
}

/**
 * Between the deadline and the building of the boards: resolves when the set of the match's entries is final and wholly
 * announced in `contest-joins`.
 *
 * The order is the proof. Joins of this node that passed the deadline check end first, so that none begins any more; those
 * that a crash left are ended by the recovery; once none is left no entry is added; so an outbox that is empty after that
 * stays empty. Stores that are away make it wait, never pass.
 *
 * Where several nodes take joins, the match is moved to `locked` before: the catalog then begins no join of it, whichever
 * node asks and however late its question arrives.
 */
export async function joinsSettled(deps: JoinBarrierDeps, match: MatchId): Promise<void> {
  const { catalog, sagas, recovery, outbox, pause, pollMs } = deps;
  await sagas.drained(match);
  for (;;) {
    try {
      if ((await catalog.reservedJoinCount(match)) === 0) {
        await outbox.drain(match);
        return;
      }
      await recovery.sweep();
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
    }
    await pause(pollMs);
  }
}
