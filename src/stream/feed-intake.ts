import type { Clock } from "../domain/clock.ts";
import { parseFeedEvent, unknownPlayers } from "../domain/feed.ts";
import type { MatchId } from "../domain/ids.ts";
import type { Feed, FeedResult } from "../edge/game.ts";
import type { EventLog } from "../stores/event-log/port.ts";
import type { HotStore } from "../stores/hot-store/port.ts";
import { InFlight } from "./in-flight.ts";
import type { MatchCache } from "./match-cache.ts";
import { encodeScoreEvent } from "./score-event.ts";

export interface FeedIntakeDeps {
  readonly log: EventLog;
  readonly hotStore: HotStore;
  readonly matches: MatchCache;
  readonly clock: Clock;
  readonly dedupTtlMs: number;
}

/**
 * The door for the feed: checks an event and makes it durable in `score-events`. The duplicate check only spares work, for
 * scoring counts each (event, version) once whatever comes twice; it is written after the append, so that a failed append
 * can be sent again.
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
    if (state === "settled" || state === "abandoned") return { ok: false, refusal: "match_over" };
    const strangers = unknownPlayers(event, info.poolIndex);
    if (strangers.length > 0) return { ok: false, refusal: "invalid", faults: strangers };

    return this.#inFlight.track(match, async () => {
      const seenKey = `event:${match}:${event.id}:${event.version}`;
      if ((await hotStore.get(seenKey).catch(() => null)) !== null) return { ok: true, applied: false };
      await log.append("score-events", match, encodeScoreEvent({ matchId: match, receivedAtMs: clock.nowMs(), event }));
      await hotStore.set(seenKey, SEEN, dedupTtlMs).catch(() => undefined);
      return { ok: true, applied: true };
    });
  }

  /** Resolves when no accepted event of the match is still on its way into the log. */
  drained(match: MatchId): Promise<void> {
    return this.#inFlight.drained(match);
  }
}

const SEEN = Uint8Array.of(1);
