import type { Slices } from "../cluster/slices.ts";
import type { MatchId } from "../domain/ids.ts";
import { isBeforeDeadline } from "../domain/match.ts";
import { type EventLog, forEachRecord, type LogBatch, partitionsOf } from "../stores/event-log/port.ts";
import type { TeamStore, TeamVersion } from "../stores/team-store/port.ts";
import { Consumer, type ConsumerOptions } from "./consumer.ts";
import type { MatchCache } from "./match-cache.ts";
import { Progress } from "./progress.ts";
import { decodeTeamSave, isOvertaken, isSpooled } from "./records.ts";
import type { SaveFence } from "./save-fence.ts";

/** Of the team store, for what is older than what came before it. */
const READS_AT_ONCE = 64;

export interface MaterialiserDeps {
  readonly log: EventLog;
  readonly teamStore: TeamStore;
  readonly matches: MatchCache;
  readonly fence: SaveFence;
  readonly slices: Slices;
  /** How often the team store is asked how far another node has come. */
  readonly pollMs: number;
  readonly consumer: Pick<
    ConsumerOptions,
    "bytesMax" | "waitMs" | "retryMs" | "restMs" | "onTrouble" | "lags" | "pause"
  >;
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
    const { consumer, fence, log, teamStore } = this.#deps;
    // Its own: one that ends with the batch in hand knows nothing of what others have stored since.
    const before: Before = { newestMs: 0 };
    return new Consumer({
      ...consumer,
      log,
      topic: "team-saves",
      partition,
      async position() {
        const position = await teamStore.teamsPosition(partition);
        // Only now, for what lies before the position may have come while it was asked for.
        before.newestMs = fence.latestMs();
        return position;
      },
      handle: (batch) => this.#store(partition, batch, before),
    });
  }

  #end(partition: number): void {
    const consumer = this.#consumers.get(partition)!;
    this.#consumers.delete(partition);
    const ending = consumer.stop().finally(() => this.#ending.delete(ending));
    this.#ending.add(ending);
  }

  async #store(partition: number, batch: LogBatch, before: Before): Promise<void> {
    const versions: LoggedSave[] = [];
    forEachRecord(batch, (value, offset) => {
      const { entryId, matchId, serverTsMs, roster } = decodeTeamSave(value);
      const row = { matchId, entryId, version: offset + 1, savedAtMs: serverTsMs, roster };
      versions.push({ row, team: `${matchId} ${entryId}`, spooled: isSpooled(value) });
    });
    const matchIds = [...new Set(versions.map(({ row }) => row.matchId))];
    const limits = new Map<MatchId, { readonly startMs: number; readonly end: number }>();
    for (const id of matchIds) {
      const match = (await this.#deps.matches.get(id))?.match;
      if (match) limits.set(id, { startMs: match.startMs, end: await this.#deps.fence.endOf(match, partition) });
    }
    const inTime = versions.filter(({ row }) => {
      const limit = limits.get(row.matchId);
      return limit !== undefined && isBeforeDeadline(limit, row.savedAtMs) && row.version <= limit.end;
    });
    const newestBeforeMs = batch.firstOffset === 0 ? 0 : before.newestMs;
    const rows = countingOf(inTime, await this.#newestBefore(inTime, newestBeforeMs));
    await this.#deps.teamStore.appendTeams(partition, rows, batch.firstOffset + batch.ends.length);
    before.newestMs = versions.reduce((newest, { row }) => Math.max(newest, row.savedAtMs), newestBeforeMs);
  }

  /**
   * The newest server times of teams before this batch, where they may matter: the store is asked for those alone of which a
   * save is older than something in the partition may be, and that is seldom any.
   */
  async #newestBefore(saves: readonly LoggedSave[], newestMs: number): Promise<Map<string, number>> {
    const firstOf = new Map<string, TeamVersion>();
    for (const { row, team } of saves) if (!firstOf.has(team)) firstOf.set(team, row);
    const doubtful = saves.filter(({ row, spooled }) => isOvertaken(row.savedAtMs, newestMs, spooled));
    const asked = [...new Set(doubtful.map(({ team }) => team))];
    const before = new Map<string, number>();
    for (let at = 0; at < asked.length; at += READS_AT_ONCE) {
      const reads = asked.slice(at, at + READS_AT_ONCE).map(async (team) => {
        const first = firstOf.get(team)!;
        const stored = await this.#deps.teamStore.versions(first.matchId, first.entryId);
        const times = stored.filter(({ version }) => version < first.version).map(({ savedAtMs }) => savedAtMs);
        if (times.length > 0) before.set(team, Math.max(...times));
      });
      await Promise.all(reads);
    }
    return before;
  }
}

/** What a consumer knows of the records before its next batch: none has a later server time. */
interface Before {
  newestMs: number;
}

interface LoggedSave {
  readonly row: TeamVersion;
  readonly team: string;
  readonly spooled: boolean;
}

/**
 * The rows that count (records.ts), in the log's order; `newestMs` is of their teams, before them. A repeat after a crash comes
 * to the same, for it looks at what lies before each row.
 */
function countingOf(saves: readonly LoggedSave[], newestMs: Map<string, number>): TeamVersion[] {
  const rows: TeamVersion[] = [];
  for (const { row, team, spooled } of saves) {
    const beforeMs = newestMs.get(team) ?? row.savedAtMs;
    if (isOvertaken(row.savedAtMs, beforeMs, spooled)) continue;
    newestMs.set(team, Math.max(beforeMs, row.savedAtMs));
    rows.push(row);
  }
  return rows;
}
