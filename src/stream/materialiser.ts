import type { MatchId } from "../domain/ids.ts";
import { isBeforeDeadline } from "../domain/match.ts";
import { type EventLog, forEachRecord, type LogBatch, TOPICS } from "../stores/event-log/port.ts";
import type { TeamStore, TeamVersion } from "../stores/team-store/port.ts";
import { Consumer, type ConsumerOptions } from "./consumer.ts";
import type { MatchCache } from "./match-cache.ts";
import { decodeTeamSave } from "./records.ts";
import type { SaveFence } from "./save-fence.ts";

export interface MaterialiserDeps {
  readonly log: EventLog;
  readonly teamStore: TeamStore;
  readonly matches: MatchCache;
  readonly fence: SaveFence;
  readonly consumer: Pick<ConsumerOptions, "bytesMax" | "waitMs" | "retryMs" | "onTrouble" | "lags" | "pause">;
}

/**
 * Turns `team-saves` into team versions. Guard two of three: a record whose server time is not before the match's deadline
 * is dropped, whoever wrote it, and so is one that reached the log after the lock.
 */
export class Materialiser {
  readonly #deps: MaterialiserDeps;
  readonly #consumers: Consumer[];

  constructor(deps: MaterialiserDeps) {
    this.#deps = deps;
    this.#consumers = Array.from(
      { length: TOPICS["team-saves"].partitionCount },
      (_, partition) =>
        new Consumer({
          ...deps.consumer,
          log: deps.log,
          topic: "team-saves",
          partition,
          position: () => deps.teamStore.teamsPosition(partition),
          handle: (batch) => this.#store(partition, batch),
        }),
    );
  }

  /** Resolves when what the partition holds now is in the team store. */
  async materialised(partition: number): Promise<void> {
    await this.#consumers[partition]!.caughtUp();
  }

  async stop(): Promise<void> {
    await Promise.all(this.#consumers.map((consumer) => consumer.stop()));
  }

  async #store(partition: number, batch: LogBatch): Promise<void> {
    const versions: TeamVersion[] = [];
    forEachRecord(batch, (value, offset) => {
      const { entryId, matchId, serverTsMs, roster } = decodeTeamSave(value);
      versions.push({ matchId, entryId, version: offset + 1, savedAtMs: serverTsMs, roster });
    });
    const matchIds = [...new Set(versions.map((row) => row.matchId))];
    const limits = new Map<MatchId, { readonly startMs: number; readonly end: number }>();
    for (const id of matchIds) {
      const match = (await this.#deps.matches.get(id))?.match;
      if (match) limits.set(id, { startMs: match.startMs, end: await this.#deps.fence.endOf(match, partition) });
    }
    const inTime = versions.filter((row) => {
      const limit = limits.get(row.matchId);
      return limit !== undefined && isBeforeDeadline(limit, row.savedAtMs) && row.version <= limit.end;
    });
    await this.#deps.teamStore.appendTeams(partition, inTime, batch.firstOffset + batch.ends.length);
  }
}
