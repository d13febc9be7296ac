import type { Slices } from "../cluster/slices.ts";
import { commentaryLine } from "../domain/commentary.ts";
import type { FeedEvent } from "../domain/feed.ts";
import type { MatchId } from "../domain/ids.ts";
import type { CricketScore } from "../domain/scoring/cricket-score.ts";
import { createMatchScore } from "../domain/scoring/sports.ts";
import type { Catalog } from "../stores/catalog/port.ts";
import { type EventLog, forEachRecord, type LogBatch, partitionOf, TOPICS } from "../stores/event-log/port.ts";
import type { TeamStore } from "../stores/team-store/port.ts";
import { SharedRuns } from "../shared-runs.ts";
import { StoreUnavailable } from "../stores/unavailable.ts";
import { Consumer, type ConsumerOptions } from "./consumer.ts";
import type { MatchCache, MatchInfo } from "./match-cache.ts";
import { Progress } from "./progress.ts";
import { encodePointsUpdate, type PointsUpdate } from "./points-update.ts";
import { decodeScoreRecord, type ScoreEvent, type ScoreRecord } from "./score-event.ts";

export interface ScorerDeps {
  readonly log: EventLog;
  readonly catalog: Pick<Catalog, "match" | "moveMatch">;
  readonly teamStore: Pick<TeamStore, "appendPoints" | "newestPoints">;
  readonly matches: MatchCache;
  readonly slices: Slices;
  /** How often the team store is asked how far another node has published. */
  readonly pollMs: number;
  readonly consumer: Pick<ConsumerOptions, "bytesMax" | "waitMs" | "retryMs" | "onTrouble" | "lags">;
}

/** A match's points as this node has folded them. */
export interface ScoredMatch {
  readonly score: CricketScore;
  readonly updates: readonly PointsUpdate[];
}

interface FoldedMatch {
  readonly id: MatchId;
  readonly score: CricketScore;
  readonly updates: PointsUpdate[];
  /** Of the event behind each update. */
  readonly eventTypes: FeedEvent["type"][];
  /** Everything up to this version is in `player-points`; null: the team store has to be asked, for other nodes may have published. */
  publishedVersion: number | null;
  /** Settles when what was to be published has been, or has failed. One after another, so that versions are published in order. */
  publishing: Promise<void>;
  /** Everything up to this version is in the team store; null: it has to be asked. */
  recordedVersion: number | null;
  readonly recording: SharedRuns;
  recordingAgain: Timer | null;
  /** How far the match is published and recorded, by whichever node. */
  readonly progress: Progress;
  /** How many updates the state of the match has followed. */
  movedCount: number;
  /** Where this node has moved the match. */
  movedTo: "live" | "review" | null;
  /** Its prizes were released: what comes later does not count. */
  isReleased: boolean;
}

/**
 * Folds `score-events` into points, on every node; and publishes every change to `player-points`, on the one that has the
 * match's slice. That node brings the catalog's state of the match and the rows of the team store after, and again until
 * it is done: ranks follow the log and wait for neither.
 *
 * Its state is a pure function of the log, so it keeps no position: after a restart it folds the log again (a match is a few
 * hundred events) and publishes only what is not in the team store yet. So does a node that a match comes to, of what the
 * last publisher left; while the team store is away, everything. A crash before the row, or two publishers for a moment,
 * publish an update twice, which is harmless, for updates are absolute. Rows are written in order, so the newest says that
 * none below it is missing, and after the match has moved.
 */
export class Scorer {
  readonly #deps: ScorerDeps;
  readonly #folded = new Map<MatchId, FoldedMatch>();
  readonly #consumers: Consumer[];
  /** What the last publishers left, under way. */
  readonly #takingOver = new Set<Promise<void>>();
  readonly #stopListening: () => void;
  #isStopped = false;

  constructor(deps: ScorerDeps) {
    this.#deps = deps;
    this.#stopListening = deps.slices.onChange(({ gained }) => this.#takeOver(new Set(gained)));
    this.#consumers = Array.from(
      { length: TOPICS["score-events"].partitionCount },
      (_, partition) =>
        new Consumer({
          ...deps.consumer,
          log: deps.log,
          topic: "score-events",
          partition,
          position: async () => 0,
          handle: (batch) => this.#fold(batch),
        }),
    );
  }

  scored(match: MatchId): ScoredMatch | undefined {
    return this.#folded.get(match);
  }

  /**
   * Resolves when every event of the match that the log holds now is in its points here, published and recorded, by whichever
   * node. Rejects with `StoreUnavailable` while a store that this takes is away.
   */
  async settled(match: MatchId): Promise<void> {
    await this.#consumers[partitionOf("score-events", match)]!.caughtUp();
    const folded = this.#folded.get(match);
    const version = folded?.updates.at(-1)?.version;
    if (folded === undefined || version === undefined) return;
    if (this.#publishes(match)) {
      await this.#publishMissing(folded);
      await this.#record(folded);
    }
    if ((folded.recordedVersion ?? 0) < version) await folded.progress.reached(version);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#stopListening();
    const folded = [...this.#folded.values()];
    for (const { progress } of folded) progress.stop();
    await Promise.all([...this.#consumers.map((consumer) => consumer.stop()), ...this.#takingOver]);
    for (const { recordingAgain } of folded) clearTimeout(recordingAgain ?? undefined);
    // A row that is on its way ends before the store does.
    await Promise.allSettled(folded.map(({ recording }) => recording.run()));
  }

  async #fold(batch: LogBatch): Promise<void> {
    const records: { record: ScoreRecord; version: number }[] = [];
    forEachRecord(batch, (value, offset) => records.push({ record: decodeScoreRecord(value), version: offset + 1 }));
    for (const { record, version } of records) {
      const { matchId } = record;
      const info = await this.#infoOf(matchId);
      if (info === null || info.squad === null) continue;
      const folded = this.#open(matchId, info);
      if (record.kind === "release") folded.isReleased = true;
      if (record.kind === "release" || folded.isReleased) continue;
      this.#apply(folded, info, record, version);
      if (this.#publishes(matchId)) await this.#publishMissing(folded);
    }
  }

  /** A squad that another node put a moment ago may be missing in the cache, and every node has to fold the same. */
  async #infoOf(match: MatchId): Promise<MatchInfo | null> {
    const { matches } = this.#deps;
    const info = await matches.get(match);
    if (info === null || info.squad !== null) return info;
    matches.forget(match);
    return matches.get(match);
  }

  #open(id: MatchId, info: MatchInfo): FoldedMatch {
    const known = this.#folded.get(id);
    if (known) return known;
    const { pollMs, teamStore } = this.#deps;
    const read = async () => (await teamStore.newestPoints(id))?.version ?? 0;
    const folded: FoldedMatch = {
      id,
      score: createMatchScore(info.match.scoringRules, info.squad!),
      updates: [],
      eventTypes: [],
      publishedVersion: null,
      publishing: Promise.resolve(),
      recordedVersion: null,
      recording: new SharedRuns(() => this.#recordRest(folded)),
      recordingAgain: null,
      progress: new Progress({ read, pollMs }),
      movedCount: 0,
      movedTo: null,
      isReleased: false,
    };
    this.#folded.set(id, folded);
    return folded;
  }

  /** A batch that is repeated after a failure comes here again, with what is known. */
  #apply(folded: FoldedMatch, info: MatchInfo, scoreEvent: ScoreEvent, version: number): void {
    if (version <= (folded.updates.at(-1)?.version ?? 0)) return;
    const { event, matchId, receivedAtMs } = scoreEvent;
    const applied = folded.score.apply(event);
    if (!applied.applied) return;
    const players = info.squad!.players;
    folded.updates.push({
      matchId,
      version,
      atMs: receivedAtMs,
      eventId: event.id,
      commentary: commentaryLine(event, info.match, (player) => players[info.poolIndex.get(player)!]?.name ?? player),
      pointsQp: Array.from(folded.score.points()),
      changed: applied.changed,
      reasons: applied.reasons,
      scoreboard: folded.score.scoreboard(),
    });
    folded.eventTypes.push(event.type);
  }

  #publishes(match: MatchId): boolean {
    const { slices } = this.#deps;
    return !this.#isStopped && slices.owned.has(match % slices.count);
  }

  /** Of matches that this node folded for itself alone so far. A store that is away is tried again while they are ours. */
  #takeOver(slices: ReadonlySet<number>): void {
    const { onTrouble, retryMs } = this.#deps.consumer;
    for (const folded of this.#folded.values()) {
      if (!slices.has(folded.id % this.#deps.slices.count)) continue;
      folded.publishedVersion = null;
      folded.recordedVersion = null;
      const publish = async () => {
        while (this.#publishes(folded.id)) {
          try {
            return await this.#publishMissing(folded);
          } catch (error) {
            onTrouble(error);
            await Bun.sleep(retryMs);
          }
        }
      };
      const takingOver = publish().finally(() => this.#takingOver.delete(takingOver));
      this.#takingOver.add(takingOver);
    }
  }

  #publishMissing(folded: FoldedMatch): Promise<void> {
    const publishing = folded.publishing.catch(() => undefined).then(() => this.#publishRest(folded));
    folded.publishing = publishing;
    return publishing;
  }

  /** Ends early when the match goes to another node, which finds in the team store where. */
  async #publishRest(folded: FoldedMatch): Promise<void> {
    const { id, updates } = folded;
    if (updates.length === 0) return;
    folded.publishedVersion ??= await this.#lastRecorded(folded).catch(orZeroWhileAway);
    for (let index = indexAfter(updates, folded.publishedVersion); index < updates.length; index++) {
      if (!this.#publishes(id)) return;
      const update = updates[index]!;
      await this.#deps.log.append("player-points", id, encodePointsUpdate(update));
      folded.publishedVersion = update.version;
    }
    this.#record(folded).catch(() => undefined);
  }

  async #lastRecorded({ id }: FoldedMatch): Promise<number> {
    return (await this.#deps.teamStore.newestPoints(id))?.version ?? 0;
  }

  /** Settles as this attempt does; one that fails is followed by others while the match is ours. */
  #record(folded: FoldedMatch): Promise<void> {
    const recording = folded.recording.run();
    recording.catch((error: unknown) => this.#recordAgain(folded, error));
    return recording;
  }

  #recordAgain(folded: FoldedMatch, error: unknown): void {
    if (folded.recordingAgain !== null || !this.#publishes(folded.id)) return;
    const { onTrouble, retryMs } = this.#deps.consumer;
    onTrouble(error);
    folded.recordingAgain = setTimeout(() => {
      folded.recordingAgain = null;
      this.#record(folded).catch(() => undefined);
    }, retryMs);
  }

  /** What is published, in its order. The state first, for it waits for no other store. */
  async #recordRest(folded: FoldedMatch): Promise<void> {
    const { id, updates, eventTypes } = folded;
    if (!this.#publishes(id)) return;
    const publishedCount = indexAfter(updates, folded.publishedVersion ?? 0);
    for (; folded.movedCount < publishedCount; folded.movedCount++) {
      await this.#move(folded, eventTypes[folded.movedCount]!);
    }
    folded.recordedVersion ??= await this.#lastRecorded(folded);
    for (let index = indexAfter(updates, folded.recordedVersion); index < publishedCount; index++) {
      const { atMs, version } = updates[index]!;
      if (!this.#publishes(id)) return;
      const payload = encodePointsUpdate(updates[index]!);
      await this.#deps.teamStore.appendPoints({ matchId: id, version, atMs, payload });
      folded.recordedVersion = version;
    }
  }

  /** Asks the catalog, for another node may have moved the match a moment ago. */
  async #move(folded: FoldedMatch, eventType: FeedEvent["type"]): Promise<void> {
    const { catalog, matches } = this.#deps;
    const { id, movedTo } = folded;
    const to = eventType === "matchEnd" ? "review" : eventType === "ball" ? "live" : null;
    if (to === null || movedTo === to || movedTo === "review") return;
    const state = (await catalog.match(id))?.state;
    if (state === "locked") await catalog.moveMatch(id, "locked", "live");
    if (to === "review" && (state === "locked" || state === "live")) await catalog.moveMatch(id, "live", "review");
    if (state !== "upcoming") folded.movedTo = to;
    matches.forget(id);
  }
}

/** Where those after the version begin; usually near the end. */
function indexAfter(updates: readonly PointsUpdate[], version: number): number {
  let index = updates.length;
  while (index > 0 && updates[index - 1]!.version > version) index--;
  return index;
}

function orZeroWhileAway(error: unknown): number {
  if (error instanceof StoreUnavailable) return 0;
  throw error;
}
