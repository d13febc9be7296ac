import type { Clock } from "../domain/clock.ts";
import type { MatchId } from "../domain/ids.ts";
import { isBeforeDeadline, type Match } from "../domain/match.ts";
import type { Catalog } from "../stores/catalog/port.ts";
import type { MatchCache } from "./match-cache.ts";

export interface RosterLockDeps {
  readonly catalog: Pick<Catalog, "match" | "matches" | "moveMatch">;
  readonly matches: MatchCache;
  readonly clock: Clock;
  readonly checkEveryMs: number;
  /** From so long before its deadline on, a match is indexed while its saves and joins arrive. */
  readonly followBeforeMs: number;
  readonly followEveryMs: number;
  /** Resolves when no save that passed the deadline check is still on its way into the log. */
  readonly savesDrained: (match: MatchId) => Promise<void>;
  /** Resolves when every join of the match that began is entered and announced, or released. */
  readonly joinsSettled: (match: MatchId) => Promise<void>;
  readonly boards: {
    has(match: MatchId): boolean;
    /** Indexes what the log has so far. */
    follow(match: Match): Promise<void>;
    /** Attaches the boards of the match, or builds them from the log as it stands. */
    open(match: MatchId): Promise<void>;
  };
  readonly onTrouble: (error: unknown) => void;
}

export type LockResult = "locked" | "match_not_found" | "deadline_not_passed" | "wrong_state";

const MATCHES_PER_CHECK = 100;
/** Those of which a ball, a correction or the prizes are still to come. */
const PLAYED = ["locked", "live", "review", "settled"] as const;

/**
 * The deadline. Order is the law: first the match says that it is locked, from when on no join begins; then everything
 * that was accepted in time reaches the log; then the boards are built from it. Until they are, ranks are "loading". A
 * crash in between starts over where it stood, for the boards are a pure function of the log.
 */
export class RosterLock {
  readonly #deps: RosterLockDeps;
  readonly #running = new Map<MatchId, Promise<LockResult>>();
  readonly #following = new Map<MatchId, Promise<void>>();
  readonly #followedMs = new Map<MatchId, number>();
  #timer: Timer | undefined;
  #checking: Promise<void> = Promise.resolve();
  #isStopped = false;
  readonly #opened = Promise.withResolvers<void>();

  constructor(deps: RosterLockDeps) {
    this.#deps = deps;
  }

  /**
   * Locks every match whose deadline has passed, from now on, and opens the boards of those that were locked before. One
   * whose prizes are paid is opened when somebody asks for it.
   */
  start(): void {
    const check = (): void => {
      this.#checking = this.#check().then(this.#opened.resolve, this.#deps.onTrouble);
    };
    this.#timer = setInterval(check, this.#deps.checkEveryMs);
    check();
  }

  /** Resolves when the look that is under way has done its work. */
  checked(): Promise<void> {
    return this.#checking;
  }

  /** Resolves when the boards of all matches that were being played are open for the first time. */
  opened(): Promise<void> {
    return this.#opened.promise;
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    clearInterval(this.#timer);
    await Promise.allSettled([this.#checking, ...this.#running.values(), ...this.#following.values()]);
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
    if (this.#isStopped) return;
    const due = [
      ...upcoming.filter((match) => !isBeforeDeadline(match, clock.nowMs())),
      ...played.filter((match) => !boards.has(match.id)),
    ];
    for (const match of upcoming) this.#follow(match);
    await Promise.all(due.map((match) => this.lock(match.id)));
  }

  #follow(match: Match): void {
    const { boards, clock, followBeforeMs, followEveryMs, onTrouble } = this.#deps;
    const nowMs = clock.nowMs();
    const leftMs = match.startMs - nowMs;
    if (leftMs <= 0 || leftMs > followBeforeMs || this.#following.has(match.id)) return;
    if (nowMs - (this.#followedMs.get(match.id) ?? Number.NEGATIVE_INFINITY) < followEveryMs) return;
    const following = boards
      .follow(match)
      .catch(onTrouble)
      .finally(() => {
        this.#following.delete(match.id);
        this.#followedMs.set(match.id, clock.nowMs());
      });
    this.#following.set(match.id, following);
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
    this.#followedMs.delete(id);
    return "locked";
  }
}
