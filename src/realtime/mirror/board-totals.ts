import { type Contest, isPlayed } from "../../domain/contest.ts";
import type { Clock } from "../../domain/clock.ts";
import type { ContestId, EntryId, MatchId } from "../../domain/ids.ts";
import { paise } from "../../domain/money.ts";
import { PrizeSchedule } from "../../domain/prizes.ts";
import type { MatchState } from "../../domain/match.ts";
import type { Metrics } from "../../metrics.ts";
import { repeat } from "../../repeat.ts";
import type { Catalog } from "../../stores/catalog/port.ts";
import type { EntryTotal, TeamStore } from "../../stores/team-store/port.ts";
import { StoreUnavailable } from "../../stores/unavailable.ts";
import { prizesOf } from "../../transaction/payouts.ts";
import { compactStanding } from "../board/compact-standing.ts";
import type { MatchBoards } from "../match-boards.ts";
import type { ContestScores } from "../whole-boards.ts";
import { encodeBoardCopy } from "./board-copy.ts";
import { BestEntries } from "./best-entries.ts";
import { ContestCopies } from "./contest-copies.ts";

export interface BoardTotalsDeps {
  readonly teamStore: Pick<TeamStore, "markTotals" | "putTotals" | "totalsMark">;
  readonly catalog: Pick<Catalog, "contest" | "contests" | "match" | "matches">;
  readonly boards: Pick<MatchBoards, "has" | "points" | "settled">;
  /** The whole contest at one ball; null: nobody entered. Rejects with `SliceLoading`. */
  readonly scoresNow: (match: MatchId, contest: ContestId) => Promise<ContestScores | null>;
  /** Whether this node writes the totals of the contest. */
  readonly isOwn: (contest: ContestId) => boolean;
  readonly clock: Clock;
  readonly limits: TotalsLimits;
  readonly metrics: Metrics;
  readonly onTrouble: (error: unknown) => void;
}

export interface TotalsLimits {
  /** While a match is played, a contest is written at most so often. */
  readonly everyMs: number;
  readonly lookEveryMs: number;
  readonly writesUnderWay: number;
  /** Rows in one call, and so what stands at most before the points log or the teams in the store. */
  readonly rowsMax: number;
  /** Contests up to this size have their whole board in the mark, others the best `topCount`. */
  readonly wholeEntriesMax: number;
  readonly topCount: number;
  /** A match that began longer ago was finished by whoever ran then. */
  readonly resumeForMs: number;
}

/** No points can be behind it. */
const NEVER_BEHIND = Number.MAX_SAFE_INTEGER;
const ENDED: ReadonlySet<MatchState | undefined> = new Set(["review", "settled", "released"]);

interface TotalsOfMatch {
  readonly copies: ContestCopies;
  /** By position among the contests: when it was written last. */
  readonly writtenMs: Float64Array;
}

/**
 * Score, rank and prize of every entry, written through to the team store: now and then while a match is played, and at its end
 * exactly. Each contest is written by one node, from all slices, in order of entry id, as settlement reads it; so prizes are those
 * that are paid, to the paisa.
 *
 * Whoever writes a contest says first that its rows are of two versions, and at last that they are of one. A crash in between, or two
 * writers at a change of slices, leave a mark that is behind, and the contest is written again. `isComplete` is what a board must wait for
 * before it gives its memory back. Boards wait for nothing here: a slow store only makes the lag grow.
 */
export class BoardTotals {
  readonly #deps: BoardTotalsDeps;
  readonly #matches = new Map<MatchId, Promise<TotalsOfMatch>>();
  readonly #loaded = new Map<MatchId, TotalsOfMatch>();
  readonly #writers: readonly { stop(): Promise<void> }[];
  readonly #rows;
  #isStopping = false;

  constructor(deps: BoardTotalsDeps) {
    this.#deps = deps;
    const { limits, metrics, onTrouble } = deps;
    this.#rows = metrics.counter("powerplay_totals_rows_total", "Totals of entries that were written.").of({});
    const behind = "Contests of this node whose totals in the team store are behind their points.";
    metrics.gaugeRead("powerplay_totals_behind_contests", behind, () => this.behindCount);
    const lag = "For how long the totals that are furthest behind have been behind.";
    metrics.gaugeRead("powerplay_totals_lag_seconds", lag, () => this.lagMs / 1_000);
    this.#writers = Array.from({ length: limits.writesUnderWay }, () =>
      repeat(() => this.#drain(), limits.lookEveryMs, onTrouble),
    );
  }

  /** The match has new points, or boards that were not there. */
  published(match: MatchId): void {
    if (!this.#deps.boards.has(match)) return;
    const atMs = performance.now();
    this.#totalsOf(match).then(
      ({ copies }) => copies.shows(this.#deps.boards.points(match).pointsVersion, atMs),
      // The next ball, or the next look at what is open, tries again.
      (error: unknown) => error instanceof StoreUnavailable || this.#deps.onTrouble(error),
    );
  }

  /** Other contests than before may be this node's. */
  slicesChanged(): void {
    const matches = [...this.#matches.keys()];
    this.#matches.clear();
    this.#loaded.clear();
    for (const match of matches) this.published(match);
  }

  /** Whether the totals of every contest of the match are written and of its newest points. Rejects with `StoreUnavailable`. */
  async isComplete(match: MatchId): Promise<boolean> {
    const { boards, catalog, teamStore } = this.#deps;
    const contests = await catalog.contests(match);
    const { pointsVersion } = boards.points(match);
    for (const contest of contests) {
      if (contest.seatsTaken === 0) continue;
      const mark = await teamStore.totalsMark(contest.id);
      if (mark?.isWhole !== true || mark.pointsVersion < pointsVersion || mark.hasPrizes !== hasPrizes(contest)) {
        this.#writeAgain(match, contest.id);
        return false;
      }
    }
    this.#forget(match);
    return true;
  }

  /** Opens the boards of matches whose prizes were released and whose totals a crash left behind. */
  async resume(open: (match: MatchId) => Promise<unknown>): Promise<void> {
    const { boards, catalog, clock, limits } = this.#deps;
    await boards.settled();
    const sinceMs = clock.nowMs() - limits.resumeForMs;
    for (const { id, startMs } of await catalog.matches({ states: ["released"], limit: 100_000 })) {
      if (startMs >= sinceMs && !(await this.isComplete(id))) await open(id);
    }
  }

  get behindCount(): number {
    return [...this.#loaded.values()].reduce((sum, { copies }) => sum + copies.behindCount(), 0);
  }

  get lagMs(): number {
    const nowMs = performance.now();
    return Math.max(0, ...[...this.#loaded.values()].map(({ copies }) => nowMs - (copies.behindSinceMs() ?? nowMs)));
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    await Promise.all(this.#writers.map((writer) => writer.stop()));
  }

  async #drain(): Promise<void> {
    const { boards, catalog, limits } = this.#deps;
    for (const [match, totals] of this.#loaded) {
      if (!boards.has(match)) {
        this.#forget(match);
        continue;
      }
      if (totals.copies.behindCount() === 0) continue;
      const state = (await catalog.match(match))?.state;
      if (state === "abandoned") {
        this.#forget(match);
        continue;
      }
      const isDue = (index: number) =>
        ENDED.has(state) || performance.now() - totals.writtenMs[index]! >= limits.everyMs;
      for (let index; !this.#isStopping && (index = totals.copies.takeNext(isDue)) !== null;) {
        if (!(await this.#write(match, totals, index))) break;
      }
    }
  }

  /** false: a store is away, or a slice of the match is; there is no use in going on with it at once. */
  async #write(match: MatchId, { copies, writtenMs }: TotalsOfMatch, index: number): Promise<boolean> {
    const { boards, catalog, onTrouble, scoresNow, teamStore } = this.#deps;
    const id = copies.contests[index]!;
    let written: number | null = null;
    try {
      const contest = (await catalog.contest(id))!;
      const mark = await teamStore.totalsMark(id);
      const isPaid = hasPrizes(contest);
      const newest = boards.points(match).pointsVersion;
      if (mark?.isWhole === true && mark.hasPrizes === isPaid && mark.pointsVersion >= newest) {
        written = mark.pointsVersion;
        return true;
      }
      const now = await scoresNow(match, id);
      if (now === null) {
        // Nobody entered, and nobody can any more.
        const board = new Uint8Array(0);
        await teamStore.markTotals(id, { pointsVersion: newest, hasPrizes: isPaid, isWhole: true, board });
        written = NEVER_BEHIND;
        return true;
      }
      if (mark?.isWhole === true) await teamStore.markTotals(id, { ...mark, isWhole: false });
      const board = await this.#putAll(contest, isPaid, now);
      const { pointsVersion } = now;
      await teamStore.markTotals(id, { pointsVersion, hasPrizes: isPaid, isWhole: true, board });
      written = pointsVersion;
      return true;
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) onTrouble(error);
      return false;
    } finally {
      if (written !== null) writtenMs[index] = performance.now();
      copies.putBack(index, written);
    }
  }

  /** Answers the board as it is copied. */
  async #putAll(contest: Contest, isPaid: boolean, { scores, standing }: ContestScores): Promise<Uint8Array> {
    const { isOwn, limits, teamStore } = this.#deps;
    const schedule = isPaid
      ? new PrizeSchedule(contest.prizes, contest.prizePoolPaise)
      : new PrizeSchedule([], paise(0));
    const isCopiedWhole = standing.entryCount <= limits.wholeEntriesMax;
    const best = new BestEntries(standing, isCopiedWhole ? standing.entryCount : limits.topCount);
    for await (const { entries, prizesPaise, scoresQp } of prizesOf(schedule, scores)) {
      best.add(entries, scoresQp);
      for (let from = 0; from < entries.length; from += limits.rowsMax) {
        if (this.#isStopping || !isOwn(contest.id)) throw new StoreUnavailable("TeamStore", "another node goes on");
        const rows: EntryTotal[] = [];
        for (let at = from; at < Math.min(from + limits.rowsMax, entries.length); at++) {
          const scoreQp = scoresQp[at]!;
          const rank = standing.rank(scoreQp);
          rows.push({ entryId: entries[at]! as EntryId, scoreQp, rank, prizePaise: prizesPaise[at]! });
        }
        await teamStore.putTotals(contest.id, rows);
        this.#rows.add(rows.length);
      }
    }
    return encodeBoardCopy({ compact: compactStanding(standing), entries: best.inOrder() });
  }

  #totalsOf(match: MatchId): Promise<TotalsOfMatch> {
    let totals = this.#matches.get(match);
    if (totals === undefined) {
      const loading = this.#load(match).then((loaded) => {
        if (this.#matches.get(match) === loading) this.#loaded.set(match, loaded);
        return loaded;
      });
      this.#matches.set(match, (totals = loading));
      loading.catch(() => this.#matches.get(match) === loading && this.#matches.delete(match));
    }
    return totals;
  }

  async #load(match: MatchId): Promise<TotalsOfMatch> {
    const own = (await this.#deps.catalog.contests(match)).filter(
      ({ id, seatsTaken }) => seatsTaken > 0 && this.#deps.isOwn(id),
    );
    const copies = new ContestCopies(own.map(({ id }) => id));
    return { copies, writtenMs: new Float64Array(own.length).fill(Number.NEGATIVE_INFINITY) };
  }

  #writeAgain(match: MatchId, contest: ContestId): void {
    const copies = this.#loaded.get(match)?.copies;
    const index = copies?.contests.indexOf(contest) ?? -1;
    if (index >= 0) copies!.lost(index, copies!.writtenVersion(index), performance.now());
    else this.published(match);
  }

  #forget(match: MatchId): void {
    this.#matches.delete(match);
    this.#loaded.delete(match);
  }
}

/** Whether those who win in the contest are paid; otherwise all fees went back, or will. */
const hasPrizes = (contest: Contest): boolean =>
  contest.state !== "cancelling" && contest.state !== "cancelled" && isPlayed(contest, contest.seatsTaken);
