import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Slices } from "../cluster/slices.ts";
import type { Clock } from "../domain/clock.ts";
import type { MatchId } from "../domain/ids.ts";
import type { Match } from "../domain/match.ts";
import { POOL_SIZE_MAX } from "../domain/points.ts";
import type { Catalog } from "../stores/catalog/port.ts";
import { type EventLog, forEachRecord, type LogBatch, TOPICS } from "../stores/event-log/port.ts";
import type { TeamStore } from "../stores/team-store/port.ts";
import { StoreUnavailable } from "../stores/unavailable.ts";
import { Consumer, type ConsumerOptions } from "../stream/consumer.ts";
import { decodePointsUpdate, pointsVectorOf } from "../stream/points-update.ts";
import type { SaveFence } from "../stream/save-fence.ts";
import type { BoardEngine } from "./board/engine.ts";
import { KEPT_ENTRY_COUNT_MIN, type PointsAt, SampleSchedule } from "./board/history.ts";
import { type BoardIdentity, boardsIn, removeUnfinished } from "./board/shared-memory.ts";
import { BeyondLog, commitBoard, MatchIndex } from "./index/match-index.ts";
import { LockedSlice } from "./locked-slice.ts";

export interface MatchBoardsDeps {
  readonly log: EventLog;
  readonly catalog: Pick<Catalog, "match">;
  readonly teamStore: Pick<TeamStore, "appendSample" | "samples">;
  readonly slices: Slices;
  readonly engine: BoardEngine;
  readonly fence: SaveFence;
  /** Where the engine's boards live. */
  readonly directory: string;
  readonly clock: Clock;
  readonly sampleEveryMs: number;
  /** How often it looks for boards that are needed no longer. */
  readonly lookEveryMs: number;
  /** The board of a match whose prizes are paid, when nobody asked for it so long, gives its memory back; a question brings it back. */
  readonly releasedIdleMs: number;
  /** Whether all that is kept of a match's end is written; rejects while that can't be asked. Until then its board stays. */
  readonly mayForget?: (match: MatchId) => Promise<boolean>;
  /** The log has all of a match for at least so long after its start: its retention, less how long teams are saved before. */
  readonly inLogMs: number;
  /** Told what each pass took, and how old a ball was when its ranks were there. */
  readonly times?: { boardPass(ms: number): void; ballOnBoard(ms: number): void };
  readonly consumer: Pick<ConsumerOptions, "bytesMax" | "waitMs" | "retryMs" | "onTrouble" | "lags">;
}

/**
 * The directory of one node's boards below the shared memory. Boards of another data directory, or of another catalog, must
 * never be taken for this node's: `identity` is the catalog's own, and boards of another one are removed.
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

/** A locked match: the slices of it that this node has open. */
interface LockedMatch {
  readonly slices: Map<number, LockedSlice>;
  /** Of the last question about the match. */
  usedMs: number;
}

const NO_POINTS: PointsAt = { points: new Int16Array(POOL_SIZE_MAX), pointsVersion: 0, timeMs: 0 };

/** The boards of this node's slices of all locked matches: attached or built from the log, re-scored by what `player-points` says. */
export class MatchBoards {
  readonly #deps: MatchBoardsDeps;
  readonly #matches = new Map<MatchId, LockedMatch>();
  readonly #latest = new Map<MatchId, PointsAt>();
  /** Matches whose boards can't be built again. */
  readonly #beyondLog = new Set<MatchId>();
  readonly #schedules = new Map<MatchId, SampleSchedule>();
  /** Of slices of matches whose board is still to be sealed. */
  readonly #indexes = new Map<MatchId, Map<number, MatchIndex>>();
  /** The last change of a match's boards that is under way. */
  readonly #turns = new Map<MatchId, Promise<void>>();
  /** Commitments and samples under way, which read or write a board and keep nobody waiting. */
  readonly #underWay = new Set<Promise<void>>();
  readonly #consumers: readonly Consumer[];
  readonly #looking: Timer;
  readonly #stopListening: () => void;
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
    this.#looking = setInterval(() => this.look().catch(deps.consumer.onTrouble), deps.lookEveryMs);
    this.#stopListening = deps.slices.onChange(() => void this.#dropForeign().catch(deps.consumer.onTrouble));
  }

  /** `listener` is told of a match whenever there is something new to show: its boards, or its points. */
  onPublished(listener: (match: MatchId) => void): void {
    this.#published = listener;
  }

  /** Whether every slice of the match that is this node's is open. */
  has(match: MatchId): boolean {
    const locked = this.#matches.get(match);
    return locked !== undefined && this.#missing(locked).length === 0;
  }

  /** undefined: not open here, be it not yet or not this node's. */
  slice(match: MatchId, slice: number): LockedSlice | undefined {
    const locked = this.#matches.get(match);
    if (locked !== undefined) locked.usedMs = this.#deps.clock.nowMs();
    return locked?.slices.get(slice);
  }

  /** What this node has open of the match, for what it does by itself: only a question keeps the boards of a match that is over. */
  openSlices(match: MatchId): readonly LockedSlice[] {
    return [...(this.#matches.get(match)?.slices.values() ?? [])];
  }

  /** The newest points of the match that this node has read; boards show them a pass later. */
  points(match: MatchId): PointsAt {
    return this.#latest.get(match) ?? NO_POINTS;
  }

  /**
   * Indexes what the log has of a match so far. Called now and then before the deadline, it leaves only the rest to be read
   * then; never called, the lock reads everything.
   */
  async follow(match: Pick<Match, "id" | "startMs">): Promise<void> {
    if (this.#matches.has(match.id)) return;
    const advances = [...this.#deps.slices.owned].map(async (slice) => {
      const index = this.#indexOf(match, slice);
      try {
        await index.advance();
      } catch (error) {
        this.#forgetIndex(match.id, slice);
        // A slice that went to another node meanwhile is followed there.
        if (this.#deps.slices.owned.has(slice)) throw error;
      }
    });
    await Promise.all(advances);
  }

  /** Takes the sealed boards of this node's slices of the match into service, or builds them from the log as it stands. */
  open(id: MatchId): Promise<void> {
    return this.#inTurn(id, () => this.#open(id));
  }

  async #open(id: MatchId): Promise<void> {
    const match = this.#beyondLog.has(id) ? null : await this.#deps.catalog.match(id);
    if (match === null) return;
    const locked = this.#matches.get(id) ?? { slices: new Map(), usedMs: this.#deps.clock.nowMs() };
    let opened: LockedSlice[];
    try {
      const opening = await Promise.all(this.#missing(locked).map((slice) => this.#openUnlessLost(match, slice)));
      opened = opening.filter((slice) => slice !== null);
    } catch (error) {
      // Ranks without the saves that are gone would be wrong; no later question changes that.
      if (error instanceof BeyondLog) this.#beyondLog.add(id);
      throw error;
    }
    for (const slice of opened) locked.slices.set(slice.identity.slice, slice);
    this.#matches.set(id, locked);
    // Updates may have come while the boards were being built.
    await Promise.all(opened.map((slice) => this.#rescore(slice, this.points(id))));
    for (const slice of opened) this.#commit(slice);
    // So may another share of the slices.
    await this.#dropForeignOf(id);
    this.#published(id);
  }

  /** Resolves when every points update that the log holds now is on the boards. */
  async settled(): Promise<void> {
    await Promise.all(this.#consumers.map((consumer) => consumer.caughtUp()));
  }

  /** Gives back the memory of matches that are over. */
  async look(): Promise<void> {
    const { catalog, clock, directory, engine, releasedIdleMs } = this.#deps;
    // A commitment is written into its board.
    await Promise.all(this.#underWay);
    for (const id of [...this.#matches.keys(), ...this.#indexes.keys()]) {
      const state = (await catalog.match(id))?.state;
      if (state === "abandoned") this.#forgetIndexes(id);
      const locked = this.#matches.get(id);
      const idle = locked !== undefined && clock.nowMs() - locked.usedMs >= releasedIdleMs;
      if (locked === undefined || !(state === "abandoned" || (state === "released" && idle))) continue;
      if (state === "released" && !(await this.#mayForget(id))) continue;
      await this.#inTurn(id, async () => {
        this.#matches.delete(id);
        for (const { identity } of locked.slices.values()) await engine.remove(identity);
      });
    }
    for (const identity of boardsIn(directory)) {
      await this.#inTurn(identity.matchId, async () => {
        if (await this.#isLeftOver(identity)) await engine.remove(identity);
      });
    }
  }

  async stop(): Promise<void> {
    clearInterval(this.#looking);
    this.#stopListening();
    await Promise.all(this.#consumers.map((consumer) => consumer.stop()));
    for (const match of this.#indexes.keys()) this.#forgetIndexes(match);
    // A node that gave its slices away is still giving their memory back.
    await Promise.all(this.#turns.values());
    await Promise.all(this.#underWay);
  }

  #missing({ slices }: LockedMatch): number[] {
    return [...this.#deps.slices.owned].filter((slice) => !slices.has(slice));
  }

  /**
   * A board of the process before this one that nobody will open: its slice went to another node meanwhile, or its match is over
   * and nobody asks. Before the group has spoken, no slice is another node's.
   */
  async #isLeftOver({ matchId, slice, sliceCount }: BoardIdentity): Promise<boolean> {
    const { catalog, clock, releasedIdleMs, slices } = this.#deps;
    if (sliceCount !== slices.count) return true;
    if (this.#matches.get(matchId)?.slices.has(slice) === true) return false;
    if (slices.owned.size > 0 && !slices.owned.has(slice)) return true;
    const state = (await catalog.match(matchId))?.state;
    if (state !== "released") return state === undefined || state === "abandoned";
    return clock.nowMs() - this.#startedMs >= releasedIdleMs && (await this.#mayForget(matchId));
  }

  async #mayForget(match: MatchId): Promise<boolean> {
    try {
      return (await this.#deps.mayForget?.(match)) ?? true;
    } catch (error) {
      if (error instanceof StoreUnavailable) return false;
      throw error;
    }
  }

  /** null: the slice went to another node meanwhile. */
  async #openUnlessLost(match: Match, slice: number): Promise<LockedSlice | null> {
    try {
      return await this.#openSlice(match, slice);
    } catch (error) {
      if (this.#deps.slices.owned.has(slice)) throw error;
      return null;
    }
  }

  async #openSlice(match: Match, slice: number): Promise<LockedSlice> {
    const { engine, fence, slices } = this.#deps;
    const identity: BoardIdentity = { matchId: match.id, slice, sliceCount: slices.count };
    try {
      if (!(await engine.attach(identity)).ok) {
        await this.#indexOf(match, slice).seal(identity, await fence.close(match.id));
        const sealed = await engine.attach(identity);
        if (!sealed.ok) {
          throw new Error(`slice ${slice} of match ${match.id} does not open after its seal: ${sealed.reason}`);
        }
      }
    } finally {
      this.#forgetIndex(match.id, slice);
    }
    const locked = new LockedSlice(identity, engine.board(identity));
    // A sample that is missing is computed when somebody asks for it.
    this.#aside(this.#restoreSamples(locked));
    await this.#rescore(locked, this.points(match.id));
    return locked;
  }

  /** Whoever has a slice now has built it, or will; what is left here would only cost memory. */
  async #dropForeign(): Promise<void> {
    const { slices } = this.#deps;
    // At once: a board that is being built for nobody ends here.
    for (const [match, indexes] of this.#indexes) {
      for (const slice of indexes.keys()) if (!slices.owned.has(slice)) this.#forgetIndex(match, slice);
    }
    const matches = [...this.#matches.keys()];
    await Promise.all(matches.map((match) => this.#inTurn(match, () => this.#dropForeignOf(match))));
  }

  async #dropForeignOf(match: MatchId): Promise<void> {
    const { engine, slices } = this.#deps;
    const open = this.#matches.get(match)?.slices;
    for (const [slice, { identity }] of open ?? []) {
      await Promise.all(this.#underWay);
      // It may have come back meanwhile.
      if (slices.owned.has(slice)) continue;
      open!.delete(slice);
      await engine.remove(identity);
    }
  }

  /** The boards of a match are opened and removed one after the other: a slice that goes and comes back is whole again. */
  #inTurn(match: MatchId, work: () => Promise<void>): Promise<void> {
    const done = (this.#turns.get(match) ?? Promise.resolve()).then(work);
    const turn = done.catch(() => undefined);
    this.#turns.set(match, turn);
    void turn.then(() => this.#turns.get(match) === turn && this.#turns.delete(match));
    return done;
  }

  #indexOf(match: Pick<Match, "id" | "startMs">, slice: number): MatchIndex {
    const indexes = this.#indexes.get(match.id) ?? new Map<number, MatchIndex>();
    this.#indexes.set(match.id, indexes);
    let index = indexes.get(slice);
    if (index === undefined) indexes.set(slice, (index = this.#newIndex(match, slice)));
    return index;
  }

  #newIndex(match: Pick<Match, "id" | "startMs">, slice: number): MatchIndex {
    const { clock, directory, fence, inLogMs, log, slices } = this.#deps;
    const isOpen = () => fence.isSurelyOpen(match);
    const mayHaveAged = () => clock.nowMs() - match.startMs > inLogMs;
    return new MatchIndex({ directory, log, isOpen, mayHaveAged }, match, slices.partitionsOf(slice));
  }

  #forgetIndexes(match: MatchId): void {
    for (const slice of this.#indexes.get(match)?.keys() ?? []) this.#forgetIndex(match, slice);
  }

  #forgetIndex(match: MatchId, slice: number): void {
    const indexes = this.#indexes.get(match);
    indexes?.get(slice)?.close();
    indexes?.delete(slice);
    if (indexes?.size === 0) this.#indexes.delete(match);
  }

  /** Ranks do not wait for the hashes of all teams; the commitment follows within seconds. */
  #commit({ board, identity, teams }: LockedSlice): void {
    if (teams.entryIds.length === 0 || board.commitment() !== null) return;
    this.#aside(commitBoard(this.#deps.directory, identity));
  }

  #aside(work: Promise<void>): void {
    const underWay = work.catch(this.#deps.consumer.onTrouble).finally(() => this.#underWay.delete(underWay));
    this.#underWay.add(underWay);
  }

  async #take(batch: LogBatch): Promise<void> {
    const newest = new Map<MatchId, PointsAt>();
    const samples = new Set<PointsAt>();
    const acceptedMs = new Map<MatchId, number[]>();
    forEachRecord(batch, (value) => {
      const update = decodePointsUpdate(value);
      const { matchId } = update;
      acceptedMs.set(matchId, [...(acceptedMs.get(matchId) ?? []), update.atMs]);
      const known = newest.get(matchId) ?? this.#latest.get(matchId);
      // The newest known comes again when its pass has failed; to boards that show it already it is nothing new.
      if (known && known.pointsVersion > update.version) return;
      const at = { points: pointsVectorOf(update), pointsVersion: update.version, timeMs: update.atMs };
      newest.set(matchId, at);
      if (this.#schedule(matchId).offer(at.pointsVersion, at.timeMs)) samples.add(at);
    });
    // Several balls in one batch cost one pass; those that come during the pass are the next batch.
    for (const [match, latest] of newest) {
      this.#latest.set(match, latest);
      const slices = this.openSlices(match);
      await Promise.all(slices.map((slice) => this.#rescore(slice, latest)));
      if (slices.length > 0) this.#time(acceptedMs.get(match) ?? []);
      this.#published(match);
      // A sample that was passed over is computed when somebody asks for it.
      if (samples.has(latest)) for (const slice of slices) this.#aside(this.#sample(slice, latest));
    }
  }

  #schedule(match: MatchId): SampleSchedule {
    let schedule = this.#schedules.get(match);
    if (schedule === undefined) {
      this.#schedules.set(match, (schedule = new SampleSchedule(this.#deps.sampleEveryMs)));
    }
    return schedule;
  }

  async #rescore({ board, identity }: LockedSlice, { points, pointsVersion }: PointsAt): Promise<void> {
    const { clock, engine, times } = this.#deps;
    // Its time is the node's: how old what is shown is, not how old the ball.
    const generation = { points, pointsVersion, timeMs: clock.nowMs() };
    try {
      const pass = await engine.rescore(identity, generation);
      times?.boardPass(pass.passMs);
    } catch (error) {
      // The slice went to another node meanwhile.
      if (engine.has(identity, board)) throw error;
    }
  }

  /** A ball from before this node started was shown by others, when it came. */
  #time(acceptedMs: readonly number[]): void {
    const nowMs = this.#deps.clock.nowMs();
    for (const atMs of acceptedMs) if (atMs >= this.#startedMs) this.#deps.times?.ballOnBoard(nowMs - atMs);
  }

  /** Keeps the standings of great contests; those of others follow from the points log. */
  async #sample(slice: LockedSlice, { pointsVersion, timeMs }: PointsAt): Promise<void> {
    const { engine, teamStore } = this.#deps;
    const compact = await engine.compact(slice.identity, KEPT_ENTRY_COUNT_MIN);
    if (compact?.generation.pointsVersion !== pointsVersion) return;
    for (const [contestId, payload] of compact.standings) {
      slice.keep(pointsVersion, contestId, payload);
      await teamStore.appendSample({ contestId, slice: slice.identity.slice, atMs: timeMs, pointsVersion, payload });
    }
  }

  async #restoreSamples(slice: LockedSlice): Promise<void> {
    for (const [contest, { entryCount }] of slice.board.contests) {
      if (entryCount < KEPT_ENTRY_COUNT_MIN) continue;
      for (const { pointsVersion, payload } of await this.#deps.teamStore.samples(contest, slice.identity.slice)) {
        slice.keep(pointsVersion, contest, payload);
      }
    }
  }
}
