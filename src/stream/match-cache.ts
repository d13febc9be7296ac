import { LRUCache } from "lru-cache";
import type { Clock } from "../domain/clock.ts";
import type { MatchId, PlayerId } from "../domain/ids.ts";
import type { Match } from "../domain/match.ts";
import { ROSTER_RULES, type RosterRules } from "../domain/roster.ts";
import { poolIndexById, type Squad } from "../domain/squad.ts";
import type { Catalog } from "../stores/catalog/port.ts";

export interface MatchInfo {
  readonly match: Match;
  /** null until an admin has put one. */
  readonly squad: Squad | null;
  readonly poolIndex: ReadonlyMap<PlayerId, number>;
  readonly rosterRules: RosterRules;
}

/**
 * Matches and squads as the hot path reads them: at most `ttlMs` old, and one catalog read however many ask at once. The
 * deadline is safe with it, for a match's start never changes.
 */
export class MatchCache {
  readonly #cache: LRUCache<MatchId, Promise<MatchInfo | null>>;
  readonly #catalog: Catalog;

  /** `clock`: what the age is counted on, where that is not real time. */
  constructor(catalog: Catalog, limits: { readonly matchesMax: number; readonly ttlMs: number }, clock?: Clock) {
    this.#catalog = catalog;
    const timing = clock && { perf: { now: () => clock.nowMs() }, ttlResolution: 0 };
    this.#cache = new LRUCache({ max: limits.matchesMax, ttl: limits.ttlMs, ...timing });
  }

  get(id: MatchId): Promise<MatchInfo | null> {
    const cached = this.#cache.get(id);
    if (cached) return cached;
    const loading = this.#load(id);
    this.#cache.set(id, loading);
    // A failure is not remembered, nor is a match that is not there yet.
    loading.then(
      (info) => info === null && this.forget(id),
      () => this.forget(id),
    );
    return loading;
  }

  forget(id: MatchId): void {
    this.#cache.delete(id);
  }

  async #load(id: MatchId): Promise<MatchInfo | null> {
    const [match, squad] = await Promise.all([this.#catalog.match(id), this.#catalog.squad(id)]);
    if (match === null) return null;
    const rosterRules = ROSTER_RULES[match.rosterRules];
    if (rosterRules === undefined) throw new Error(`match ${id} names unknown roster rules "${match.rosterRules}"`);
    return { match, squad, poolIndex: poolIndexById(squad ?? { players: [] }), rosterRules };
  }
}
