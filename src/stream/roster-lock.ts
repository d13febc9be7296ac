import type { Clock } from "../domain/clock.ts";
import type { MatchId } from "../domain/ids.ts";
import { isBeforeDeadline } from "../domain/match.ts";
import type { Catalog } from "../stores/catalog/port.ts";
import type { MatchCache } from "./match-cache.ts";

export interface RosterLockDeps {
  readonly catalog: Catalog;
  readonly matches: MatchCache;
  readonly clock: Clock;
  readonly checkEveryMs: number;
  /** Resolves when no save that passed the deadline check is still on its way into the log. */
  readonly savesDrained: (match: MatchId) => Promise<void>;
  /** Resolves when every join of the match that began is entered and announced, or released. */
  readonly joinsSettled: (match: MatchId) => Promise<void>;
  /** Builds the boards of the match from the log as it stands. */
  readonly buildBoards: (match: MatchId) => Promise<void>;
  readonly onTrouble: (error: unknown) => void;
}

export type LockResult = "locked" | "match_not_found" | "deadline_not_passed" | "wrong_state";

/**
 * The deadline. Order is the law: first everything that was accepted in time reaches the log, then the boards are built
 * from it, then the match says that it is locked and the feed may begin. A crash in between starts over, for the boards
 * are a pure function of the log.
 */
export class RosterLock {
  readonly #deps: RosterLockDeps;
  readonly #running = new Map<MatchId, Promise<LockResult>>();
  #timer: Timer | undefined;

  constructor(deps: RosterLockDeps) {
    this.#deps = deps;
  }

  /** Locks every match whose deadline has passed, from now on. */
  start(): void {
    this.#timer = setInterval(() => this.#check().catch(this.#deps.onTrouble), this.#deps.checkEveryMs);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.allSettled(this.#running.values());
  }

  /** Repeatable: a match that is locked already, or further, answers `locked`. */
  lock(match: MatchId): Promise<LockResult> {
    const running = this.#running.get(match);
    if (running) return running;
    const locking = this.#lock(match).finally(() => this.#running.delete(match));
    this.#running.set(match, locking);
    return locking;
  }

  async #check(): Promise<void> {
    const { catalog, clock } = this.#deps;
    const upcoming = await catalog.matches({ states: ["upcoming"], limit: 100 });
    const due = upcoming.filter((match) => !isBeforeDeadline(match, clock.nowMs()) && !this.#running.has(match.id));
    await Promise.all(due.map((match) => this.lock(match.id)));
  }

  async #lock(id: MatchId): Promise<LockResult> {
    const { catalog, clock, matches, savesDrained, joinsSettled, buildBoards } = this.#deps;
    const match = await catalog.match(id);
    if (match === null) return "match_not_found";
    if (match.state === "abandoned") return "wrong_state";
    if (match.state !== "upcoming") return "locked";
    if (isBeforeDeadline(match, clock.nowMs())) return "deadline_not_passed";
    await Promise.all([savesDrained(id), joinsSettled(id)]);
    await buildBoards(id);
    const locked = await catalog.moveMatch(id, "upcoming", "locked");
    matches.forget(id);
    return locked ? "locked" : "wrong_state";
  }
}
