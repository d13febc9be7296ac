import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Clock } from "../domain/clock.ts";
import type { ContestId, EntryId, MatchId } from "../domain/ids.ts";
import type { Match } from "../domain/match.ts";
import { POOL_SIZE_MAX, type PointsVector } from "../domain/points.ts";
import { type Roster, ROSTER_SIZE } from "../domain/roster.ts";
import type { Catalog } from "../stores/catalog/port.ts";
import { type EventLog, forEachRecord, type LogBatch, TOPICS } from "../stores/event-log/port.ts";
import type { TeamStore } from "../stores/team-store/port.ts";
import { Consumer, type ConsumerOptions } from "../stream/consumer.ts";
import type { SaveFence } from "../stream/save-fence.ts";
import { decodePointsUpdate, pointsVectorOf } from "../stream/points-update.ts";
import type { RankedPage } from "./board/board-protocol.ts";
import type { Board } from "./board/board.ts";
import type { Commitment } from "./board/commitment.ts";
import type { BoardEngine } from "./board/engine.ts";
import { BoardHistory, HISTORY_DEFAULTS, type RankAt } from "./board/history.ts";
import { indexOfId } from "./board/queries.ts";
import { type BoardIdentity, removeUnfinished } from "./board/shared-memory.ts";
import type { StandingAt } from "./board/standings-file.ts";
import { commitBoard, MatchIndex } from "./index/match-index.ts";
import type { LockedTeams } from "./index/port.ts";

export interface MatchBoardsDeps {
  readonly log: EventLog;
  readonly catalog: Pick<Catalog, "match">;
  readonly teamStore: Pick<TeamStore, "appendSample" | "points" | "samples">;
  readonly engine: BoardEngine;
  readonly fence: SaveFence;
  /** Where the engine's boards live. */
  readonly directory: string;
  readonly clock: Clock;
  readonly sampleEveryMs: number;
  /** The board of a match whose prizes are paid, when nobody asked for it so long, gives its memory back; a question brings it back. */
  readonly releasedIdleMs: number;
  /** Told what each pass took, and how old a ball was when its ranks were there. */
  readonly times?: { boardPass(ms: number): void; ballOnBoard(ms: number): void };
  readonly consumer: Pick<ConsumerOptions, "bytesMax" | "waitMs" | "retryMs" | "onTrouble" | "lags">;
}

const POINTS_ROWS = 1_000;

/**
 * The directory of one node's boards below the shared memory. Boards of another data directory, or of another catalog
 * (`identity`, as `Catalog.identity` answers), must never be taken for this node's: those of another catalog are removed.
 */
export function boardDirectory(boardDir: string, dataDir: string, identity: string): string {
  const name = createHash("sha256").update(resolve(dataDir)).digest("hex").slice(0, 16);
  const directory = join(boardDir, `powerplay-${name}`);
  const ownerFile = join(directory, "identity");
  if (!existsSync(ownerFile) || readFileSync(ownerFile, "utf8") !== identity) {
    rmSync(directory, { recursive: true, force: true });
    mkdirSync(directory, { recursive: true });
    writeFileSync(ownerFile, identity);
  }
  return directory;
}

/** A locked match whose board this node has open. */
export class LockedMatch {
  constructor(
    readonly identity: BoardIdentity,
    readonly board: Board,
    readonly history: BoardHistory,
    /** Of the last question about the match. */
    public usedMs: number,
  ) {}

  get teams(): LockedTeams {
    return this.board.teams;
  }

  /** The roster that the team had at the deadline; null for a team that was never saved in time. */
  rosterOf(entry: EntryId): Roster | null {
    const index = this.leafIndexOf(entry);
    return index === null ? null : this.teams.rosters.slice(index * ROSTER_SIZE, (index + 1) * ROSTER_SIZE);
  }

  leafIndexOf(entry: EntryId): number | null {
    const index = indexOfId(this.teams.entryIds, entry);
    return index < 0 ? null : index;
  }

  /** null: being computed, for a few seconds after the deadline. */
  commitment(): Commitment | null {
    return this.board.commitment();
  }
}

interface LatestPoints {
  readonly points: PointsVector;
  readonly version: number;
}

/** The boards of all locked matches of this node: attached or built from the log, re-scored by what `player-points` says. */
export class MatchBoards {
  readonly #deps: MatchBoardsDeps;
  readonly #matches = new Map<MatchId, LockedMatch>();
  readonly #latest = new Map<MatchId, LatestPoints>();
  /** Of matches whose board is still to be sealed. */
  readonly #indexes = new Map<MatchId, MatchIndex>();
  /** Commitments under way. */
  readonly #committing = new Set<Promise<void>>();
  readonly #consumers: readonly Consumer[];
  readonly #looking: Timer;
  readonly #startedMs: number;
  #published: (match: MatchId) => void = () => undefined;

  constructor(deps: MatchBoardsDeps) {
    this.#deps = deps;
    this.#startedMs = deps.clock.nowMs();
    removeUnfinished(deps.directory);
    this.#consumers = Array.from(
      { length: TOPICS["player-points"].partitionCount },
      (_, partition) =>
        new Consumer({
          ...deps.consumer,
          log: deps.log,
          topic: "player-points",
          partition,
          // Updates are absolute, so reading all of them again after a restart costs time and nothing else.
          position: async () => 0,
          handle: (batch) => this.#take(batch),
        }),
    );
    this.#looking = setInterval(() => this.look().catch(deps.consumer.onTrouble), deps.sampleEveryMs);
  }

  /** What is due now and then: samples for the rank history, and the memory of matches that are over. */
  async look(): Promise<void> {
    await this.#sample();
    await this.#retire();
  }

  /** `listener` is told of a match whenever there is something new to show: its boards, or its points. */
  onPublished(listener: (match: MatchId) => void): void {
    this.#published = listener;
  }

  has(match: MatchId): boolean {
    return this.#matches.has(match);
  }

  get(match: MatchId): LockedMatch | undefined {
    const locked = this.#matches.get(match);
    if (locked !== undefined) locked.usedMs = this.#deps.clock.nowMs();
    return locked;
  }

  /** The points that the boards of the match show now. */
  points(match: MatchId): LatestPoints {
    return this.#latest.get(match) ?? { points: new Int16Array(POOL_SIZE_MAX), version: 0 };
  }

  /**
   * Indexes what the log has of a match so far. Called now and then before the deadline, it leaves only the rest to be read
   * then; never called, the lock reads everything.
   */
  async follow(match: Pick<Match, "id" | "startMs">): Promise<void> {
    if (this.#matches.has(match.id)) return;
    const index = this.#indexOf(match);
    try {
      await index.advance();
    } catch (error) {
      this.#forgetIndex(match.id);
      throw error;
    }
  }

  /** Takes the sealed board of the match into service, or builds it from the log as it stands. */
  async open(id: MatchId): Promise<void> {
    const { catalog, clock, engine, fence } = this.#deps;
    const match = await catalog.match(id);
    if (match === null) return;
    const identity: BoardIdentity = { matchId: id, slice: 0, sliceCount: 1 };
    try {
      if (!(await engine.attach(identity)).ok) {
        await this.#indexOf(match).seal(identity, await fence.close(id));
        const sealed = await engine.attach(identity);
        if (!sealed.ok) throw new Error(`the board of match ${id} does not open after its seal: ${sealed.reason}`);
      }
    } finally {
      this.#forgetIndex(id);
    }
    const board = engine.board(identity);
    const locked = new LockedMatch(identity, board, await this.#historyOf(id, board), clock.nowMs());
    await this.#rescore(locked, this.points(id));
    this.#matches.set(id, locked);
    // Updates may have come while the board was being built.
    await this.#rescore(locked, this.points(id));
    this.#commit(locked);
    this.#published(id);
  }

  /** 0 for a contest that nobody entered. */
  entryCount(match: MatchId, contest: ContestId): number {
    return this.#board(match)?.contests.get(contest)?.entryCount ?? 0;
  }

  /** null for a contest that nobody entered. */
  standing(match: MatchId, contest: ContestId): StandingAt | null {
    return this.#board(match)?.standing(contest) ?? null;
  }

  /** null when the entry is not in the contest. */
  roster(match: MatchId, contest: ContestId, entry: EntryId): Roster | null {
    return this.#board(match)?.roster(contest, entry) ?? null;
  }

  async page(match: MatchId, contest: ContestId, place: number, count: number): Promise<RankedPage | null> {
    const locked = this.get(match);
    return locked ? this.#deps.engine.page(locked.identity, contest, place, count) : null;
  }

  async neighbours(match: MatchId, contest: ContestId, entry: EntryId, radius: number): Promise<RankedPage | null> {
    const locked = this.get(match);
    return locked ? this.#deps.engine.neighbours(locked.identity, contest, entry, radius) : null;
  }

  async rankHistory(match: MatchId, contest: ContestId, roster: Roster): Promise<readonly RankAt[]> {
    const locked = this.get(match);
    if (!locked) return [];
    return this.#deps.engine.rankHistory(locked.identity, locked.history, contest, roster);
  }

  /** Resolves when every points update that the log holds now is on the boards. */
  async settled(): Promise<void> {
    await Promise.all(this.#consumers.map((consumer) => consumer.caughtUp()));
  }

  async stop(): Promise<void> {
    clearInterval(this.#looking);
    await Promise.all(this.#consumers.map((consumer) => consumer.stop()));
    for (const match of this.#indexes.keys()) this.#forgetIndex(match);
    await Promise.all(this.#committing);
  }

  #board(match: MatchId): Board | undefined {
    return this.get(match)?.board;
  }

  #indexOf(match: Pick<Match, "id" | "startMs">): MatchIndex {
    let index = this.#indexes.get(match.id);
    if (index === undefined) this.#indexes.set(match.id, (index = this.#newIndex(match)));
    return index;
  }

  #newIndex(match: Pick<Match, "id" | "startMs">): MatchIndex {
    const { directory, fence, log } = this.#deps;
    return new MatchIndex({ directory, log, isOpen: () => fence.isSurelyOpen(match) }, match);
  }

  #forgetIndex(match: MatchId): void {
    this.#indexes.get(match)?.close();
    this.#indexes.delete(match);
  }

  /** Ranks do not wait for the hashes of all teams; the commitment follows within seconds. */
  #commit({ board, identity, teams }: LockedMatch): void {
    if (teams.entryIds.length === 0 || board.commitment() !== null) return;
    const committing = commitBoard(this.#deps.directory, identity)
      .catch(this.#deps.consumer.onTrouble)
      .finally(() => this.#committing.delete(committing));
    this.#committing.add(committing);
  }

  async #take(batch: LogBatch): Promise<void> {
    const newest = new Map<MatchId, LatestPoints>();
    const acceptedMs = new Map<MatchId, number[]>();
    forEachRecord(batch, (value) => {
      const update = decodePointsUpdate(value);
      acceptedMs.set(update.matchId, [...(acceptedMs.get(update.matchId) ?? []), update.atMs]);
      const known = newest.get(update.matchId) ?? this.#latest.get(update.matchId);
      if (known && known.version >= update.version) return;
      newest.set(update.matchId, { points: pointsVectorOf(update), version: update.version });
    });
    // Several balls in one batch cost one pass; those that come during the pass are the next batch.
    for (const [match, latest] of newest) {
      this.#latest.set(match, latest);
      const locked = this.#matches.get(match);
      if (locked) {
        await this.#rescore(locked, latest);
        this.#time(acceptedMs.get(match) ?? []);
      }
      this.#published(match);
    }
  }

  async #rescore({ identity }: LockedMatch, { points, version }: LatestPoints): Promise<void> {
    const { clock, engine, times } = this.#deps;
    const pass = await engine.rescore(identity, { points, pointsVersion: version, timeMs: clock.nowMs() });
    times?.boardPass(pass.passMs);
  }

  /** A ball from before this node started was shown by others, when it came. */
  #time(acceptedMs: readonly number[]): void {
    const nowMs = this.#deps.clock.nowMs();
    for (const atMs of acceptedMs) if (atMs >= this.#startedMs) this.#deps.times?.ballOnBoard(nowMs - atMs);
  }

  /** Samples are points and, of great contests, their standings; the points are in the points log already. */
  async #historyOf(match: MatchId, board: Board): Promise<BoardHistory> {
    const { sampleEveryMs, teamStore } = this.#deps;
    const history = new BoardHistory({ ...HISTORY_DEFAULTS, everyMs: sampleEveryMs });
    const kept = new Map<number, Map<ContestId, Uint8Array>>();
    for (const [contest, { entryCount }] of board.contests) {
      if (entryCount < HISTORY_DEFAULTS.keptEntryCountMin) continue;
      for (const { pointsVersion, payload } of await teamStore.samples(contest, 0)) {
        const standings = kept.get(pointsVersion) ?? new Map<ContestId, Uint8Array>();
        kept.set(pointsVersion, standings.set(contest, payload));
      }
    }
    let dueMs = Number.NEGATIVE_INFINITY;
    for (let after = 0; ;) {
      const rows = await teamStore.points(match, after, POINTS_ROWS);
      for (const { atMs, version, payload } of rows) {
        after = version;
        if (atMs < dueMs) continue;
        dueMs = atMs + sampleEveryMs;
        const points = pointsVectorOf(decodePointsUpdate(payload));
        history.restore({ timeMs: atMs, pointsVersion: version, points, standings: kept.get(version) ?? new Map() });
      }
      if (rows.length < POINTS_ROWS) return history;
    }
  }

  /** Gives back the memory of matches that are over. */
  async #retire(): Promise<void> {
    const { catalog, clock, engine, releasedIdleMs } = this.#deps;
    // A commitment is written into its board.
    await Promise.all(this.#committing);
    for (const id of [...this.#matches.keys(), ...this.#indexes.keys()]) {
      const state = (await catalog.match(id))?.state;
      if (state === "abandoned") this.#forgetIndex(id);
      const locked = this.#matches.get(id);
      const idle = locked !== undefined && clock.nowMs() - locked.usedMs >= releasedIdleMs;
      if (locked === undefined || !(state === "abandoned" || (state === "released" && idle))) continue;
      this.#matches.delete(id);
      await engine.remove(locked.identity);
    }
  }

  async #sample(): Promise<void> {
    const { clock, engine, teamStore } = this.#deps;
    for (const { board, history, identity } of this.#matches.values()) {
      if ((board.published()?.pointsVersion ?? 0) === 0) continue;
      const sample = await history.sample(engine.sampled(identity), clock.nowMs());
      for (const [contestId, payload] of sample?.standings ?? []) {
        await teamStore.appendSample({
          contestId,
          slice: identity.slice,
          atMs: sample!.timeMs,
          pointsVersion: sample!.pointsVersion,
          payload,
        });
      }
    }
  }
}
