import type { Slices } from "../cluster/slices.ts";
import type { MatchId } from "../domain/ids.ts";
import { isBeforeDeadline } from "../domain/match.ts";
import { type EventLog, forEachRecord, type LogBatch, partitionsOf } from "../stores/event-log/port.ts";
import type { TeamStore, TeamVersion } from "../stores/team-store/port.ts";
import { Consumer, type ConsumerOptions } from "./consumer.ts";
import type { MatchCache } from "./match-cache.ts";
import { Progress } from "./progress.ts";
import { decodeTeamSave, isSpooled } from "./records.ts";
import type { SaveFence } from "./save-fence.ts";

/** Of the team store, for what comes out of a spool. */
const READS_AT_ONCE = 64;

export interface MaterialiserDeps {
  readonly log: EventLog;
  readonly teamStore: TeamStore;
  readonly matches: MatchCache;
  readonly fence: SaveFence;
  readonly slices: Slices;
  /** How often the team store is asked how far another node has come. */
  readonly pollMs: number;
  readonly consumer: Pick<ConsumerOptions, "bytesMax" | "waitMs" | "retryMs" | "onTrouble" | "lags" | "pause">;
}

/**
 * Turns `team-saves` into team versions, on the node that has the slice. Guard two of three: a record whose server time is
 * not before the match's deadline is dropped, whoever wrote it, and so is one that reached the log after the lock.
 *
 * For moments two nodes may do it: one that lost the slice finishes the batch that it has in hand. Both write the same rows,
 * for a version is its record's offset and what is dropped is decided once for all (stream/save-fence.ts), and the stored
 * position never goes back.
 */
export class Materialiser {
  readonly #deps: MaterialiserDeps;
  /** Of the partitions that this node has, by partition. */
  readonly #consumers = new Map<number, Consumer>();
  /** Those that end with the batch in hand. */
  readonly #ending = new Set<Promise<void>>();
  /** By partition, of whichever node. */
  readonly #progress: readonly Progress[];
  readonly #stopListening: () => void;

  constructor(deps: MaterialiserDeps) {
    this.#deps = deps;
    const { consumer, pollMs, slices, teamStore } = deps;
    this.#progress = partitionsOf("team-saves").map(
      (partition) =>
        new Progress({
          read: () => teamStore.teamsPosition(partition),
          pollMs,
          ...(consumer.pause && { pause: consumer.pause }),
        }),
    );
    this.#stopListening = slices.onChange(() => this.#follow());
    this.#follow();
  }

  /**
   * Resolves when what the partition holds now is in the team store, whichever node brings it there. Rejects with
   * `StoreUnavailable` when a store that this takes is away.
   */
  async materialised(partition: number): Promise<void> {
    const end = await this.#deps.log.endOffset("team-saves", partition);
    const consumer = this.#consumers.get(partition);
    try {
      if (consumer !== undefined) return await consumer.reached(end);
    } catch (error) {
      if (this.#consumers.get(partition) === consumer) throw error;
    }
    // The slice is another node's, or went there meanwhile.
    await this.#progress[partition]!.reached(end);
  }

  async stop(): Promise<void> {
    this.#stopListening();
    for (const partition of this.#consumers.keys()) this.#end(partition);
    for (const progress of this.#progress) progress.stop();
    await Promise.all(this.#ending);
  }

  #follow(): void {
    const { slices } = this.#deps;
    const owned = new Set([...slices.owned].flatMap((slice) => slices.partitionsOf(slice)));
    for (const partition of this.#consumers.keys()) if (!owned.has(partition)) this.#end(partition);
    for (const partition of owned) {
      if (!this.#consumers.has(partition)) this.#consumers.set(partition, this.#begin(partition));
    }
  }

  #begin(partition: number): Consumer {
    const { consumer, log, teamStore } = this.#deps;
    return new Consumer({
      ...consumer,
      log,
      topic: "team-saves",
      partition,
      position: () => teamStore.teamsPosition(partition),
      handle: (batch) => this.#store(partition, batch),
    });
  }

  #end(partition: number): void {
    const consumer = this.#consumers.get(partition)!;
    this.#consumers.delete(partition);
    const ending = consumer.stop().finally(() => this.#ending.delete(ending));
    this.#ending.add(ending);
  }

  async #store(partition: number, batch: LogBatch): Promise<void> {
    const versions: TeamVersion[] = [];
    const spooled = new Set<TeamVersion>();
    forEachRecord(batch, (value, offset) => {
      const { entryId, matchId, serverTsMs, roster } = decodeTeamSave(value);
      const version = { matchId, entryId, version: offset + 1, savedAtMs: serverTsMs, roster };
      versions.push(version);
      if (isSpooled(value)) spooled.add(version);
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
    const rows = await this.#counting(inTime, spooled);
    await this.#deps.teamStore.appendTeams(partition, rows, batch.firstOffset + batch.ends.length);
  }

  /**
   * The rows that count: one out of a spool does not where the save before it has a later server time (records.ts). A repeat
   * after a crash comes to the same, for it looks at what lies before each row.
   */
  async #counting(rows: readonly TeamVersion[], spooled: ReadonlySet<TeamVersion>): Promise<readonly TeamVersion[]> {
    if (spooled.size === 0) return rows;
    const teamOf = ({ entryId, matchId }: TeamVersion): string => `${matchId} ${entryId}`;
    const firstOf = new Map<string, TeamVersion>();
    for (const row of rows) if (!firstOf.has(teamOf(row))) firstOf.set(teamOf(row), row);
    const before = new Map<string, TeamVersion>();
    const asked = [...firstOf.values()].filter((row) => spooled.has(row));
    for (let at = 0; at < asked.length; at += READS_AT_ONCE) {
      const reads = asked.slice(at, at + READS_AT_ONCE).map(async (row) => {
        const stored = await this.#deps.teamStore.versions(row.matchId, row.entryId);
        const newest = stored.findLast(({ version }) => version < row.version);
        if (newest !== undefined) before.set(teamOf(row), newest);
      });
      await Promise.all(reads);
    }
    return rows.filter((row) => {
      const newest = before.get(teamOf(row));
      if (spooled.has(row) && newest !== undefined && newest.savedAtMs > row.savedAtMs) return false;
      before.set(teamOf(row), row);
      return true;
    });
  }
}
