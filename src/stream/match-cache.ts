import { LRUCache } from "lru-cache";
import type { Clock } from "../domain/clock.ts";
import type { MatchId, PlayerId } from "../domain/ids.ts";
import type { Match } from "../domain/match.ts";
import { ROSTER_RULES, type RosterRules } from "../domain/roster.ts";
import { poolIndexById, type Squad } from "../domain/squad.ts";
import type { Catalog } from "../stores/catalog/port.ts";
import { orWhileAway } from "../stores/patience.ts";

export interface MatchInfo {
  readonly match: Match;
  /** null until an admin has put one. */
  readonly squad: Squad | null;
  readonly poolIndex: ReadonlyMap<PlayerId, number>;
  readonly rosterRules: RosterRules;
}

export interface MatchCacheLimits {
  readonly matchesMax: number;
  readonly ttlMs: number;
  /** A catalog that takes longer counts as away, where what it said before will do. Absent: any time is given to it. */
  readonly patienceMs?: number;
}

/**
 * Matches and squads as the hot path reads them: at most `ttlMs` old, and one catalog read however many ask at once. The
 * deadline is safe with it, for a match's start never changes.
 *
 * While the catalog is away, what it said last is said again: nobody can change a match or a squad then, and whoever must know
 * that a match is not locked asks the catalog itself.
 */
export class MatchCache {
  readonly #cache: LRUCache<MatchId, Promise<MatchInfo | null>>;
  /** However old. */
  readonly #lastKnown: LRUCache<MatchId, MatchInfo>;
  readonly #catalog: Pick<Catalog, "match" | "squad">;
  readonly #patienceMs: number | undefined;
  #forgotten = 0;

  /** `clock`: what the age is counted on, where that is not real time. */
  constructor(catalog: Pick<Catalog, "match" | "squad">, limits: MatchCacheLimits, clock?: Clock) {
    this.#catalog = catalog;
    this.#patienceMs = limits.patienceMs;
    // A time of 0 is none to lru-cache, and what came then would never age.
    const timing = clock && { perf: { now: () => 1 + clock.nowMs() }, ttlResolution: 0 };
    this.#cache = new LRUCache({ max: limits.matchesMax, ttl: limits.ttlMs, ...timing });
    this.#lastKnown = new LRUCache({ max: limits.matchesMax });
  }

  /** Rejects with `StoreUnavailable` when the catalog is away and has not told of the match before. */
  get(id: MatchId): Promise<MatchInfo | null> {
    const cached = this.#cache.get(id);
    if (cached) return cached;
    const loading = this.#loadOrKnown(id);
    this.#cache.set(id, loading);
    // A failure is not remembered, nor is a match that is not there yet.
    const drop = () => void this.#cache.delete(id);
    loading.then((info) => info === null && drop(), drop);
    return loading;
  }

  /** The match has changed. */
  forget(id: MatchId): void {
    this.#forgotten++;
    this.#cache.delete(id);
    this.#lastKnown.delete(id);
  }

  #loadOrKnown(id: MatchId): Promise<MatchInfo | null> {
    const known = this.#lastKnown.get(id);
    const loading = this.#load(id);
    return known === undefined ? loading : orWhileAway(loading, known, this.#patienceMs);
  }

  async #load(id: MatchId): Promise<MatchInfo | null> {
    const forgotten = this.#forgotten;
    const [match, squad] = await Promise.all([this.#catalog.match(id), this.#catalog.squad(id)]);
    if (match === null) return null;
    const rosterRules = ROSTER_RULES[match.rosterRules];
    if (rosterRules === undefined) throw new Error(`match ${id} names unknown roster rules "${match.rosterRules}"`);
    const info = { match, squad, poolIndex: poolIndexById(squad ?? { players: [] }), rosterRules };
    // What was asked for before a change may be from before it.
    if (forgotten === this.#forgotten) this.#lastKnown.set(id, info);
    return info;
  }
}
