import type { Clock } from "../domain/clock.ts";
import { parseFeedEvent, unknownPlayers } from "../domain/feed.ts";
import type { MatchId } from "../domain/ids.ts";
import type { Feed, FeedResult } from "../edge/game.ts";
import type { Catalog } from "../stores/catalog/port.ts";
import { type EventLog, forEachRecord, type LogPosition } from "../stores/event-log/port.ts";
import type { HotStore } from "../stores/hot-store/port.ts";
import { orWhileAway } from "../stores/patience.ts";
import { InFlight } from "./in-flight.ts";
import type { MatchCache } from "./match-cache.ts";
import { decodeScoreRecord, encodeScoreRecord } from "./score-event.ts";

export interface FeedIntakeDeps {
  readonly log: EventLog;
  readonly catalog: Pick<Catalog, "match" | "moveMatch">;
  readonly hotStore: HotStore;
  readonly matches: MatchCache;
  readonly clock: Clock;
  readonly dedupTtlMs: number;
  /** A catalog that takes longer to say that a match is not released counts as away. Absent: any time is given to it. */
  readonly patienceMs?: number;
}

/**
 * The door for the feed: checks an event and makes it durable in `score-events`. The duplicate check only spares work, for
 * scoring counts each (event, version) once whatever comes twice; it is written after the append, so that a failed append
 * can be sent again.
 *
 * Corrections: until the prizes are released they count, and one of a match whose result was approved re-opens its review;
 * afterwards they are refused. Between the two the match's state decides, and of what is already on its way to the log the
 * release mark there: what comes before it counts and is acknowledged, what comes after it neither, whichever nodes are at
 * work.
 */
export class FeedIntake implements Feed {
  readonly #deps: FeedIntakeDeps;
  readonly #inFlight = new InFlight();

  constructor(deps: FeedIntakeDeps) {
    this.#deps = deps;
  }

  async accept(match: MatchId, json: unknown): Promise<FeedResult> {
    const { matches, hotStore, log, clock, dedupTtlMs } = this.#deps;
    const parsed = parseFeedEvent(json);
    if (!parsed.ok) return { ok: false, refusal: "invalid", faults: parsed.faults };
    const { event } = parsed;
    const info = await matches.get(match);
    if (info === null) return { ok: false, refusal: "match_not_found" };
    const { state } = info.match;
    if (state === "upcoming") return { ok: false, refusal: "match_not_locked" };
    if (state === "released" || state === "abandoned") return { ok: false, refusal: "match_over" };
    const strangers = unknownPlayers(event, info.poolIndex);
    if (strangers.length > 0) return { ok: false, refusal: "invalid", faults: strangers };

    return this.#inFlight.track(match, async (): Promise<FeedResult> => {
      const isCorrection = state === "review" || state === "settled";
      if (isCorrection && !(await this.#reopenReview(match))) return { ok: false, refusal: "match_over" };
      const seenKey = `event:${match}:${event.id}:${event.version}`;
      if ((await hotStore.get(seenKey).catch(() => null)) !== null) return { ok: true, applied: false };
      const record = { kind: "event", matchId: match, receivedAtMs: clock.nowMs(), event } as const;
      const position = await log.append("score-events", match, encodeScoreRecord(record));
      if (await this.#isReleasedBefore(match, position)) return { ok: false, refusal: "match_over" };
      await hotStore.set(seenKey, SEEN, dedupTtlMs).catch(() => undefined);
      return { ok: true, applied: true };
    });
  }

  /** Ends the match's points in the log. Repeatable: the first mark counts. */
  async close(match: MatchId): Promise<void> {
    await this.#deps.log.append("score-events", match, encodeScoreRecord({ kind: "release", matchId: match }));
  }

  /** Resolves when no accepted event of the match is still on its way into the log. */
  drained(match: MatchId): Promise<void> {
    return this.#inFlight.drained(match);
  }

  /** true: the match is in review now, whether it was or was settled. Asks the catalog, for the cache may be old. */
  async #reopenReview(match: MatchId): Promise<boolean> {
    const { catalog, matches } = this.#deps;
    const inReview = await catalog.moveMatch(match, "settled", "review");
    matches.forget(match);
    return inReview;
  }

  /**
   * Reads the log only where the release came between the check and the append, or nobody but the log can tell: balls are not
   * kept waiting for a catalog that is away or hangs.
   */
  async #isReleasedBefore(match: MatchId, { partition, offset: end }: LogPosition): Promise<boolean> {
    const { catalog, log, patienceMs } = this.#deps;
    const asking = catalog.match(match).then((found) => found?.state === "released");
    if ((await orWhileAway(asking, null, patienceMs)) === false) return false;
    let marksBefore = 0;
    for (let offset = 0; offset < end;) {
      const batch = await log.read("score-events", partition, offset, READ_BYTES, 0);
      forEachRecord(batch, (value, at) => {
        const record = decodeScoreRecord(value);
        if (at < end && record.kind === "release" && record.matchId === match) marksBefore++;
      });
      offset = batch.firstOffset + batch.ends.length;
    }
    return marksBefore > 0;
  }
}

const READ_BYTES = 1 << 20;
const SEEN = Uint8Array.of(1);
