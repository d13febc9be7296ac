import type { MatchId } from "../domain/ids.ts";
import { userOfEntry } from "../domain/ids.ts";
import type { Catalog } from "../stores/catalog/port.ts";
import type { EventLog } from "../stores/event-log/port.ts";
import { encodeContestJoin } from "../stream/records.ts";

export interface OutboxDeps {
  readonly catalog: Pick<Catalog, "outbox" | "outboxSent" | "outboxCount">;
  readonly eventLog: Pick<EventLog, "append">;
  readonly batchEntries: number;
}

/**
 * Announces entries in `contest-joins`. At least once: a crash between the log and the mark announces the same entry
 * again, and a board holds an entry once however often it is announced.
 */
export class OutboxPublisher {
  readonly #deps: OutboxDeps;
  #publishing: Promise<number> | null = null;

  constructor(deps: OutboxDeps) {
    this.#deps = deps;
  }

  /** Announces the oldest batch; how many there were. Callers at the same time share one batch. */
  publish(): Promise<number> {
    this.#publishing ??= this.#publishBatch().finally(() => (this.#publishing = null));
    return this.#publishing;
  }

  /** Resolves when every entry that the match has now is announced. */
  async drain(match: MatchId): Promise<void> {
    while ((await this.#deps.catalog.outboxCount(match)) > 0) await this.publish();
  }

  async #publishBatch(): Promise<number> {
    const { catalog, eventLog, batchEntries } = this.#deps;
    const rows = await catalog.outbox(batchEntries);
    if (rows.length === 0) return 0;
    const appends = await Promise.allSettled(
      rows.map(({ entry }) =>
        eventLog.append(
          "contest-joins",
          userOfEntry(entry.entryId),
          encodeContestJoin({
            contestId: entry.contestId,
            matchId: entry.matchId,
            entryId: entry.entryId,
            serverTsMs: entry.joinedAtMs,
          }),
        ),
      ),
    );
    const sent = rows.filter((_, index) => appends[index]!.status === "fulfilled");
    if (sent.length > 0) await catalog.outboxSent(sent.map((row) => row.outboxId));
    const failed = appends.find((append) => append.status === "rejected");
    if (failed) throw failed.reason;
    return rows.length;
  }
}
