import type { ContestId, MatchId } from "../../domain/ids.ts";
import type { Metrics } from "../../metrics.ts";
import { repeat } from "../../repeat.ts";
import type { BoardEntries, BoardHead, MirroredBoards } from "../../stores/hot-store/boards.ts";
import { StoreUnavailable } from "../../stores/unavailable.ts";
import { compactStanding } from "../board/compact-standing.ts";
import type { BoardEngine } from "../board/engine.ts";
import type { StandingAt } from "../board/standings-file.ts";
import type { LockedSlice } from "../locked-slice.ts";
import type { MatchBoards } from "../match-boards.ts";
import { ContestCopies } from "./contest-copies.ts";

export interface BoardMirrorDeps {
  readonly hotStore: MirroredBoards;
  readonly boards: Pick<MatchBoards, "openSlices">;
  readonly engine: Pick<BoardEngine, "has" | "quiet" | "ranked">;
  /** Of all slices together; rejects with `SliceLoading`. */
  readonly entryCounts: (match: MatchId) => Promise<ReadonlyMap<ContestId, number>>;
  /** Contests of the match that somebody follows. */
  readonly followed: (match: MatchId) => Iterable<ContestId>;
  readonly limits: MirrorLimits;
  readonly metrics: Metrics;
  readonly onTrouble: (error: unknown) => void;
}

interface CopiedSlice {
  readonly slice: LockedSlice;
  readonly copies: ContestCopies;
}

export interface MirrorLimits {
  /** Contests up to this size are copied whole, of larger ones each slice's `topCount` best entries. */
  readonly wholeEntriesMax: number;
  readonly topCount: number;
  /** Entries that one step takes out of a board: 10 bytes each, for each write under way. */
  readonly pieceEntries: number;
  readonly writesUnderWay: number;
  readonly ttlMs: number;
  /** The pause after a write that failed. */
  readonly retryMs: number;
  /** How often it is checked what of the copies is still there. */
  readonly checkEveryMs: number;
  /** Contests in one question of the check. */
  readonly checkContests: number;
  /** How long a contest that was asked for goes first. */
  readonly askedForMs: number;
}

/**
 * Copies the boards of this node's slices into the hot store, contest by contest, for when this node can't be asked.
 *
 * A contest is behind from the pass that changed it until its copy is written; what changes again while it waits is written once, with
 * the newest points. No copy is begun while a pass is under way, for both want the cores. Nobody waits for the copies: a pass leaves a note of one line a slice, and a store that is slow or away only
 * makes the lag grow. What the store has lost is found by the check, and is behind again.
 */
export class BoardMirror {
  readonly #deps: BoardMirrorDeps;
  readonly #slices = new Map<LockedSlice, CopiedSlice>();
  readonly #counts = new Map<MatchId, Promise<ReadonlyMap<ContestId, number>>>();
  readonly #askedMs = new Map<ContestId, number>();
  /** Whose turn it is. */
  readonly #turns: CopiedSlice[] = [];
  readonly #writers: readonly { stop(): Promise<void> }[];
  readonly #check: { stop(): Promise<void> };
  #wake = Promise.withResolvers<void>();
  #isStopping = false;
  readonly #writes;
  readonly #failures;

  constructor(deps: BoardMirrorDeps) {
    this.#deps = deps;
    const { limits, metrics, onTrouble } = deps;
    this.#writes = metrics
      .counter("powerplay_mirror_writes_total", "Copies of contests' slices that were written.")
      .of({});
    this.#failures = metrics
      .counter("powerplay_mirror_failures_total", "Writes of copies that failed and are tried again.")
      .of({});
    this.#writers = Array.from({ length: limits.writesUnderWay }, () =>
      repeat(() => this.#drain(), limits.retryMs, onTrouble),
    );
    this.#check = repeat(() => this.#findLost(), limits.checkEveryMs, onTrouble);
  }

  /** This node's slices of the match show new points. */
  published(match: MatchId): void {
    const nowMs = performance.now();
    for (const known of this.#slices.values()) {
      if (known.slice.identity.matchId === match && !this.#isOpen(known)) this.#forget(known);
    }
    for (const slice of this.#deps.boards.openSlices(match)) {
      const version = slice.board.published()?.pointsVersion;
      if (version === undefined) continue;
      let copied = this.#slices.get(slice);
      if (copied === undefined) {
        copied = { slice, copies: new ContestCopies(slice.board.contests.keys()) };
        this.#slices.set(slice, copied);
        this.#turns.push(copied);
      }
      copied.copies.shows(version, nowMs);
      for (const contest of this.#deps.followed(match)) copied.copies.hasten(contest);
      for (const contest of this.#askedMs.keys()) copied.copies.hasten(contest);
    }
    this.#wakeUp();
  }

  /** Somebody looks at the contest now. */
  asked(contest: ContestId): void {
    const nowMs = performance.now();
    // Deleted first, so that the oldest are at the front.
    this.#askedMs.delete(contest);
    this.#askedMs.set(contest, nowMs);
    for (const [other, atMs] of this.#askedMs) {
      if (atMs > nowMs - this.#deps.limits.askedForMs) break;
      this.#askedMs.delete(other);
    }
    for (const copied of this.#turns) copied.copies.hasten(contest);
  }

  get behindCount(): number {
    return this.#turns.reduce((sum, copied) => sum + copied.copies.behindCount(), 0);
  }

  get lagMs(): number {
    const nowMs = performance.now();
    return Math.max(0, ...this.#turns.map((copied) => nowMs - (copied.copies.behindSinceMs() ?? nowMs)));
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#wakeUp();
    await Promise.all([...this.#writers, this.#check].map((worker) => worker.stop()));
  }

  async #drain(): Promise<void> {
    while (!this.#isStopping) {
      await this.#deps.engine.quiet();
      const next = this.#next();
      if (next === null) await this.#wake.promise;
      else if (!(await this.#write(next.copied, next.index))) return;
    }
  }

  /** Of contests that are behind: first what is looked at, then one slice after the other. */
  #next(): { readonly copied: CopiedSlice; readonly index: number } | null {
    for (const copied of this.#turns) {
      const index = copied.copies.takeFirst();
      if (index !== null) return { copied, index };
    }
    for (let turn = 0; turn < this.#turns.length; turn++) {
      const copied = this.#turns.shift()!;
      this.#turns.push(copied);
      const index = copied.copies.takeNext();
      if (index !== null) return { copied, index };
    }
    return null;
  }

  /** false: the store is away, or another slice is; there is no use in going on at once. */
  async #write(copied: CopiedSlice, index: number): Promise<boolean> {
    const { copies, slice } = copied;
    const { hotStore, limits, onTrouble } = this.#deps;
    const contestId = copies.contests[index]!;
    let written: number | null = null;
    try {
      const at = slice.board.standing(contestId)!;
      const contestEntryCount = (await this.#entryCounts(slice.identity.matchId)).get(contestId)!;
      const { entryCount } = at.standing;
      const head: BoardHead = {
        contestId,
        slice: slice.identity.slice,
        pointsVersion: at.pointsVersion,
        contestEntryCount,
        entryCount,
        heldCount: contestEntryCount <= limits.wholeEntriesMax ? entryCount : Math.min(entryCount, limits.topCount),
        compact: compactStanding(at.standing),
      };
      await hotStore.putBoard(head, this.#entries(slice, contestId, at, head.heldCount), limits.ttlMs);
      written = at.pointsVersion;
      this.#writes.add();
      return true;
    } catch (error) {
      if (!this.#isOpen(copied)) {
        this.#forget(copied);
        return true;
      }
      this.#failures.add();
      if (!(error instanceof StoreUnavailable)) onTrouble(error);
      return false;
    } finally {
      copies.putBack(index, written);
    }
  }

  async *#entries(
    { identity }: LockedSlice,
    contest: ContestId,
    { points, standing }: StandingAt,
    heldCount: number,
  ): AsyncGenerator<BoardEntries> {
    const { engine, limits } = this.#deps;
    const read = async (place: number) => {
      if (this.#isStopping) throw new StoreUnavailable("HotStore", "this node stops");
      await engine.quiet();
      const count = Math.min(limits.pieceEntries, heldCount - place);
      return engine.ranked(identity, contest, { points, standing: standing.bytes, place, count });
    };
    // The next piece is read while one is written.
    let next = read(0);
    for (let place = limits.pieceEntries; place < heldCount; place += limits.pieceEntries) {
      const piece = await next;
      next = read(place);
      next.catch(() => undefined);
      yield piece;
    }
    yield await next;
  }

  /** Entries are locked, so they are counted once. */
  #entryCounts(match: MatchId): Promise<ReadonlyMap<ContestId, number>> {
    let counts = this.#counts.get(match);
    if (counts === undefined) {
      counts = this.#deps.entryCounts(match);
      this.#counts.set(match, counts);
      counts.catch(() => this.#counts.delete(match));
    }
    return counts;
  }

  /** Asks the store what it has of all that was written. */
  async #findLost(): Promise<void> {
    const { hotStore, limits } = this.#deps;
    for (const copied of this.#slices.values()) {
      if (!this.#isOpen(copied)) {
        this.#forget(copied);
        continue;
      }
      const { copies } = copied;
      const { slice } = copied.slice.identity;
      for (let from = 0; from < copies.contests.length; from += limits.checkContests) {
        if (this.#isStopping) return;
        const some = copies.contests.slice(from, from + limits.checkContests);
        const before = some.map((_, offset) => copies.writtenVersion(from + offset));
        try {
          const kept = await hotStore.boardVersions(some);
          for (const [offset, version] of before.entries()) {
            if ((kept[offset]!.get(slice) ?? -1) < version) copies.lost(from + offset, version, performance.now());
          }
        } catch (error) {
          if (error instanceof StoreUnavailable) return;
          throw error;
        }
      }
    }
    if (this.behindCount > 0) this.#wakeUp();
  }

  #isOpen({ slice }: CopiedSlice): boolean {
    return this.#deps.engine.has(slice.identity, slice.board);
  }

  #forget(copied: CopiedSlice): void {
    const { matchId } = copied.slice.identity;
    this.#slices.delete(copied.slice);
    const turn = this.#turns.indexOf(copied);
    if (turn >= 0) this.#turns.splice(turn, 1);
    if (!this.#turns.some(({ slice }) => slice.identity.matchId === matchId)) this.#counts.delete(matchId);
  }

  #wakeUp(): void {
    this.#wake.resolve();
    this.#wake = Promise.withResolvers<void>();
  }
}

/** A node without copies is never behind. */
export function showLag(metrics: Metrics, mirror: BoardMirror | null): void {
  const behind = "Contests' slices whose copy in the hot store is behind the board.";
  metrics.gaugeRead("powerplay_mirror_behind_contests", behind, () => mirror?.behindCount ?? 0);
  const lag = "For how long the copy that is furthest behind has been behind its board.";
  metrics.gaugeRead("powerplay_mirror_lag_seconds", lag, () => (mirror?.lagMs ?? 0) / 1_000);
}
