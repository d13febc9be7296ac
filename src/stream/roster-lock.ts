import type { Clock } from "../domain/clock.ts";
import type { MatchId } from "../domain/ids.ts";
import { isBeforeDeadline } from "../domain/match.ts";
import type { Catalog } from "../stores/catalog/port.ts";
import type { MatchCache } from "./match-cache.ts";

export interface RosterLockDeps {
  readonly catalog: Pick<Catalog, "match" | "matches" | "moveMatch">;
  readonly matches: MatchCache;
  readonly clock: Clock;
  readonly checkEveryMs: number;
  /** Resolves when no save that passed the deadline check is still on its way into the log. */
  readonly savesDrained: (match: MatchId) => Promise<void>;
  /** Resolves when every join of the match that began is entered and announced, or released. */
  readonly joinsSettled: (match: MatchId) => Promise<void>;
  readonly boards: {
    has(match: MatchId): boolean;
    /** Attaches the boards of the match, or builds them from the log as it stands. */
    open(match: MatchId): Promise<void>;
  };
  readonly onTrouble: (error: unknown) => void;
}

export type LockResult = "locked" | "match_not_found" | "deadline_not_passed" | "wrong_state";

const MATCHES_PER_CHECK = 100;
const PLAYED = ["locked", "live", "review", "settled", "released"] as const;

/**
 * The deadline. Order is the law: first the match says that it is locked, from when on no join begins; then everything
 * that was accepted in time reaches the log; then the boards are built from it. Until they are, ranks are "loading". A
 * crash in between starts over where it stood, for the boards are a pure function of the log.
 */
export class RosterLock {
  readonly #deps: RosterLockDeps;
  readonly #running = new Map<MatchId, Promise<LockResult>>();
  #timer: Timer | undefined;

  constructor(deps: RosterLockDeps) {
    this.#deps = deps;
  }

  /** Locks every match whose deadline has passed, from now on, and opens the boards of those that were locked before. */
  start(): void {
    const check = () => this.#check().catch(this.#deps.onTrouble);
    this.#timer = setInterval(check, this.#deps.checkEveryMs);
    void check();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.allSettled(this.#running.values());
  }

  /** Resolves when the boards are open. Repeatable: a match that is locked already, or further, answers `locked`. */
  lock(match: MatchId): Promise<LockResult> {
    const running = this.#running.get(match);
    if (running) return running;
    const locking = this.#lock(match).finally(() => this.#running.delete(match));
    this.#running.set(match, locking);
    return locking;
  }

  async #check(): Promise<void> {
    const { boards, catalog, clock } = this.#deps;
    const upcoming = await catalog.matches({ states: ["upcoming"], limit: MATCHES_PER_CHECK });
    const played = await catalog.matches({ states: PLAYED, limit: MATCHES_PER_CHECK });
    const due = [
      ...upcoming.filter((match) => !isBeforeDeadline(match, clock.nowMs())),
      ...played.filter((match) => !boards.has(match.id)),
    ];
    await Promise.all(due.map((match) => this.lock(match.id)));
  }

  async #lock(id: MatchId): Promise<LockResult> {
    const { boards, catalog, clock, joinsSettled, matches, savesDrained } = this.#deps;
    const match = await catalog.match(id);
    if (match === null) return "match_not_found";
    if (match.state === "abandoned") return "wrong_state";
    if (match.state === "upcoming") {
      if (isBeforeDeadline(match, clock.nowMs())) return "deadline_not_passed";
      const locked = await catalog.moveMatch(id, "upcoming", "locked");
      matches.forget(id);
      if (!locked) return "wrong_state";
    }
    if (boards.has(id)) return "locked";
    await Promise.all([savesDrained(id), joinsSettled(id)]);
    await boards.open(id);
    return "locked";
  }
}
