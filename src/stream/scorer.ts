import { commentaryLine } from "../domain/commentary.ts";
import type { FeedEvent } from "../domain/feed.ts";
import type { MatchId } from "../domain/ids.ts";
import type { CricketScore } from "../domain/scoring/cricket-score.ts";
import { createMatchScore } from "../domain/scoring/sports.ts";
import type { Catalog } from "../stores/catalog/port.ts";
import { type EventLog, forEachRecord, type LogBatch, partitionOf, TOPICS } from "../stores/event-log/port.ts";
import type { TeamStore } from "../stores/team-store/port.ts";
import { Consumer, type ConsumerOptions } from "./consumer.ts";
import type { MatchCache, MatchInfo } from "./match-cache.ts";
import { encodePointsUpdate, type PointsUpdate } from "./points-update.ts";
import { decodeScoreRecord, type ScoreEvent, type ScoreRecord } from "./score-event.ts";

export interface ScorerDeps {
  readonly log: EventLog;
  readonly catalog: Catalog;
  readonly teamStore: TeamStore;
  readonly matches: MatchCache;
  readonly consumer: Pick<ConsumerOptions, "bytesMax" | "waitMs" | "retryMs" | "onTrouble" | "lags">;
}

/** A match's points as this node has folded them. */
export interface ScoredMatch {
  readonly score: CricketScore;
  readonly updates: readonly PointsUpdate[];
}

interface FoldedMatch {
  readonly score: CricketScore;
  readonly updates: PointsUpdate[];
  /** Newest version in the team store when this node started; what is not above it was published before. */
  readonly publishedVersion: number;
  /** Its prizes were released: what comes later does not count. */
  isReleased: boolean;
}

/**
 * Folds `score-events` into points and publishes every change to `player-points` and the team store.
 *
 * Its state is a pure function of the log, so it keeps no position: after a restart it folds the log again (a match is a few
 * hundred events) and publishes only what is not in the team store yet. A crash between the two writes publishes an update
 * twice, which is harmless, for updates are absolute.
 */
export class Scorer {
  readonly #deps: ScorerDeps;
  readonly #folded = new Map<MatchId, FoldedMatch>();
  readonly #consumers: Consumer[];

  constructor(deps: ScorerDeps) {
    this.#deps = deps;
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

  /** Resolves when every event of the match that the log holds now is in its points and published. */
  async settled(match: MatchId): Promise<void> {
    await this.#consumers[partitionOf("score-events", match)]!.caughtUp();
  }

  async stop(): Promise<void> {
    await Promise.all(this.#consumers.map((consumer) => consumer.stop()));
  }

  async #fold(batch: LogBatch): Promise<void> {
    const records: { record: ScoreRecord; version: number }[] = [];
    forEachRecord(batch, (value, offset) => records.push({ record: decodeScoreRecord(value), version: offset + 1 }));
    for (const { record, version } of records) {
      const { matchId } = record;
      const info = await this.#deps.matches.get(matchId);
      if (info === null || info.squad === null) continue;
      const folded = await this.#open(matchId, info);
      if (record.kind === "release") folded.isReleased = true;
      if (record.kind === "release" || folded.isReleased) continue;
      const update = this.#apply(folded, info, record, version);
      if (update === null) continue;
      if (version > folded.publishedVersion) await this.#publish(update);
      await this.#move(matchId, record.event);
    }
  }

  async #open(match: MatchId, info: MatchInfo): Promise<FoldedMatch> {
    const known = this.#folded.get(match);
    if (known) return known;
    const newest = await this.#deps.teamStore.newestPoints(match);
    const folded: FoldedMatch = {
      score: createMatchScore(info.match.scoringRules, info.squad!),
      updates: [],
      publishedVersion: newest?.version ?? 0,
      isReleased: false,
    };
    this.#folded.set(match, folded);
    return folded;
  }

  /** null when the event changed nothing that is not known; a batch that is repeated after a failure comes here again. */
  #apply(folded: FoldedMatch, info: MatchInfo, scoreEvent: ScoreEvent, version: number): PointsUpdate | null {
    if (version <= (folded.updates.at(-1)?.version ?? 0)) {
      return folded.updates.find((update) => update.version === version) ?? null;
    }
    const { event, matchId, receivedAtMs } = scoreEvent;
    const applied = folded.score.apply(event);
    if (!applied.applied) return null;
    const players = info.squad!.players;
    const update: PointsUpdate = {
      matchId,
      version,
      atMs: receivedAtMs,
      eventId: event.id,
      commentary: commentaryLine(event, info.match, (player) => players[info.poolIndex.get(player)!]?.name ?? player),
      pointsQp: Array.from(folded.score.points()),
      changed: applied.changed,
      reasons: applied.reasons,
      scoreboard: folded.score.scoreboard(),
    };
    folded.updates.push(update);
    return update;
  }

  async #publish(update: PointsUpdate): Promise<void> {
    const { log, teamStore } = this.#deps;
    const payload = encodePointsUpdate(update);
    await log.append("player-points", update.matchId, payload);
    // Last, for it is what says that the update was published.
    await teamStore.appendPoints({ matchId: update.matchId, version: update.version, atMs: update.atMs, payload });
  }

  async #move(match: MatchId, event: FeedEvent): Promise<void> {
    const { catalog, matches } = this.#deps;
    const state = (await matches.get(match))?.match.state;
    if (event.type === "ball" && state === "locked") await catalog.moveMatch(match, "locked", "live");
    else if (event.type === "matchEnd" && state === "locked") {
      await catalog.moveMatch(match, "locked", "live");
      await catalog.moveMatch(match, "live", "review");
    } else if (event.type === "matchEnd" && state === "live") await catalog.moveMatch(match, "live", "review");
    else return;
    matches.forget(match);
  }
}
