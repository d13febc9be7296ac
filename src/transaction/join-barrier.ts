import { assert } from "../domain/assert.ts";
import type { MatchId } from "../domain/ids.ts";
import type { Catalog } from "../stores/catalog/port.ts";
import { StoreUnavailable } from "../stores/unavailable.ts";
import type { OutboxPublisher } from "./outbox.ts";
import type { JoinRecovery } from "./recovery.ts";

export interface JoinBarrierDeps {
  readonly catalog: Pick<Catalog, "match" | "reservedJoinCount">;
  readonly recovery: Pick<JoinRecovery, "sweep">;
  readonly outbox: Pick<OutboxPublisher, "drain">;
  readonly pause: (ms: number) => Promise<void>;
  readonly pollMs: number;
}

/**
 * Between the lock and the building of the boards: resolves when the set of the match's entries is final and wholly
 * announced in `contest-joins`.
 *
 * The order is the proof. The match is locked, so no join begins; joins under way only end, on their own or by the
 * recovery; once none is left no entry is added; so an outbox that is empty after that stays empty. Stores that are away
 * make it wait, never pass.
 */
export async function joinsSettled(deps: JoinBarrierDeps, match: MatchId): Promise<void> {
  const { catalog, recovery, outbox, pause, pollMs } = deps;
  for (;;) {
    try {
      const locked = await catalog.match(match);
      assert(locked !== null && locked.state !== "upcoming", `match ${match} is locked before its joins are settled`);
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
