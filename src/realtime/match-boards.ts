import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Clock } from "../domain/clock.ts";
import type { ContestId, EntryId, MatchId } from "../domain/ids.ts";
import { leafHash, MerkleTree } from "../domain/merkle.ts";
import { POOL_SIZE_MAX, type PointsVector } from "../domain/points.ts";
import { type Roster, ROSTER_SIZE } from "../domain/roster.ts";
import type { Catalog } from "../stores/catalog/port.ts";
import { type EventLog, forEachRecord, type LogBatch, type Topic, TOPICS } from "../stores/event-log/port.ts";
import type { TeamStore } from "../stores/team-store/port.ts";
import { Consumer, type ConsumerOptions } from "../stream/consumer.ts";
import { decodePointsUpdate, pointsVectorOf } from "../stream/points-update.ts";
import type { FinalBoard, TieChunk } from "../transaction/payouts.ts";
import type { RankedPage } from "./board/board-protocol.ts";
import { BoardWriter } from "./board/board-writer.ts";
import type { BoardEngine } from "./board/engine.ts";
import { BoardHistory, HISTORY_DEFAULTS, type RankAt } from "./board/history.ts";
import { IndexBuilder, indexOfId, type LockedIndex, type LockedTeams } from "./board/index-builder.ts";
import type { BoardIdentity } from "./board/shared-memory.ts";
import type { StandingAt } from "./board/standings-file.ts";

export interface MatchBoardsDeps {
  readonly log: EventLog;
  readonly catalog: Pick<Catalog, "match">;
  readonly teamStore: Pick<TeamStore, "appendSample" | "points" | "samples">;
  readonly engine: BoardEngine;
  /** Where the engine's boards live. */
  readonly directory: string;
  readonly clock: Clock;
  readonly sampleEveryMs: number;
  readonly consumer: Pick<ConsumerOptions, "bytesMax" | "waitMs" | "retryMs" | "onTrouble">;
}

const INDEX_BYTES_MAX = 16 << 20;
const POINTS_ROWS = 1_000;
/** Entries that settlement reads at a time. */
const FINAL_PAGE_ENTRIES = 1 << 14;

/** Names the data for as long as they live; data that were thrown away and made anew have another. */
export function dataIdentity(dataDir: string): string {
  mkdirSync(dataDir, { recursive: true });
  const identityFile = join(dataDir, "identity");
  if (!existsSync(identityFile)) writeFileSync(identityFile, crypto.randomUUID());
  return readFileSync(identityFile, "utf8");
}

/**
 * The directory of one node's boards below the shared memory. Boards of another data directory, or of data that was thrown
 * away, must never be taken for this node's: the data carries a random identity, and boards of another one are removed.
 */
export function boardDirectory(boardDir: string, dataDir: string): string {
  const identity = dataIdentity(dataDir);
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

/** What a node holds of a locked match beside the shared memory. */
export class LockedMatch {
  #tree: MerkleTree | null = null;

  constructor(
    readonly identity: BoardIdentity,
    /** false: nobody entered a contest, so there is no board. */
    readonly hasBoard: boolean,
    readonly teams: LockedTeams,
    readonly history: BoardHistory,
  ) {}

  /** The roster that the team had at the deadline; null for a team that was never saved in time. */
  rosterOf(entry: EntryId): Roster | null {
    const index = indexOfId(this.teams.entryIds, entry);
    return index < 0 ? null : this.teams.rosters.slice(index * ROSTER_SIZE, (index + 1) * ROSTER_SIZE);
  }

  leafIndexOf(entry: EntryId): number | null {
    const index = indexOfId(this.teams.entryIds, entry);
    return index < 0 ? null : index;
  }

  /** The Merkle tree over all locked teams in ascending order of entry id; null when nobody saved one. */
  commitment(): MerkleTree | null {
    const { entryIds } = this.teams;
    if (entryIds.length === 0) return null;
    this.#tree ??= new MerkleTree(
      Array.from(entryIds, (entry) => leafHash(entry as EntryId, this.rosterOf(entry as EntryId)!)),
    );
    return this.#tree;
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
  readonly #consumers: readonly Consumer[];
  readonly #sampler: Timer;
  #published: (match: MatchId) => void = () => undefined;

  constructor(deps: MatchBoardsDeps) {
    this.#deps = deps;
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
    this.#sampler = setInterval(() => this.#sample().catch(deps.consumer.onTrouble), deps.sampleEveryMs);
  }

  /** `listener` is told of a match whenever there is something new to show: its boards, or its points. */
  onPublished(listener: (match: MatchId) => void): void {
    this.#published = listener;
  }

  has(match: MatchId): boolean {
    return this.#matches.has(match);
  }

  get(match: MatchId): LockedMatch | undefined {
    return this.#matches.get(match);
  }

  /** The points that the boards of the match show now. */
  points(match: MatchId): LatestPoints {
    return this.#latest.get(match) ?? { points: new Int16Array(POOL_SIZE_MAX), version: 0 };
  }

  /** Takes the sealed board of the match into service, or builds it from the log as it stands. */
  async open(id: MatchId): Promise<void> {
    const { catalog, directory, engine } = this.#deps;
    const match = await catalog.match(id);
    if (match === null) return;
    const identity: BoardIdentity = { matchId: id, slice: 0, sliceCount: 1 };
    const builder = new IndexBuilder(match);
    await this.#readAll("team-saves", (batch) => builder.addTeamSaves(batch));
    const attached = await engine.attach(identity);
    let hasBoard = attached.ok;
    let index: LockedIndex | null = null;
    if (!attached.ok) {
      await this.#readAll("contest-joins", (batch) => builder.addContestJoins(batch));
      index = builder.build();
      hasBoard = index.contests.length > 0;
    }
    if (index !== null && hasBoard) {
      const writer = BoardWriter.create(directory, { ...identity, logPosition: "", contests: index.contests });
      for (const contest of index.contests) writer.append(contest.contestId, contest);
      writer.seal();
      const sealed = await engine.attach(identity);
      if (!sealed.ok) throw new Error(`the board of match ${id} does not open after its seal: ${sealed.reason}`);
    }
    const teams = index?.teams ?? builder.build().teams;
    const locked = new LockedMatch(identity, hasBoard, teams, await this.#historyOf(id, identity, hasBoard));
    if (hasBoard) await this.#rescore(locked, this.points(id));
    this.#matches.set(id, locked);
    // Updates may have come while the board was being built.
    if (hasBoard) await this.#rescore(locked, this.points(id));
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
    const locked = this.#matches.get(match);
    return locked?.hasBoard ? this.#deps.engine.page(locked.identity, contest, place, count) : null;
  }

  async neighbours(match: MatchId, contest: ContestId, entry: EntryId, radius: number): Promise<RankedPage | null> {
    const locked = this.#matches.get(match);
    return locked?.hasBoard ? this.#deps.engine.neighbours(locked.identity, contest, entry, radius) : null;
  }

  async rankHistory(match: MatchId, contest: ContestId, roster: Roster): Promise<readonly RankAt[]> {
    const locked = this.#matches.get(match);
    if (!locked?.hasBoard) return [];
    return this.#deps.engine.rankHistory(locked.identity, locked.history, contest, roster);
  }

  /** The board as settlement reads it. The points must be final, for it is read over a while. */
  final(match: MatchId, contest: ContestId): FinalBoard {
    return {
      entryCount: this.entryCount(match, contest),
      chunks: (fromPosition) => this.#finalChunks(match, contest, fromPosition),
    };
  }

  /** Resolves when every points update that the log holds now is on the boards. */
  async settled(): Promise<void> {
    await Promise.all(this.#consumers.map((consumer) => consumer.caughtUp()));
  }

  async stop(): Promise<void> {
    clearInterval(this.#sampler);
    await Promise.all(this.#consumers.map((consumer) => consumer.stop()));
  }

  async *#finalChunks(match: MatchId, contest: ContestId, fromPosition: number): AsyncGenerator<TieChunk> {
    const end = this.entryCount(match, contest);
    for (let place = fromPosition; place < end;) {
      const page = await this.page(match, contest, place, FINAL_PAGE_ENTRIES);
      const { standing } = this.standing(match, contest)!;
      yield* chunksOf(page!, place, (scoreQp) => standing.countAt(scoreQp));
      place += page!.entries.length;
    }
  }

  #board(match: MatchId) {
    const locked = this.#matches.get(match);
    return locked?.hasBoard ? this.#deps.engine.board(locked.identity) : undefined;
  }

  async #take(batch: LogBatch): Promise<void> {
    const newest = new Map<MatchId, LatestPoints>();
    forEachRecord(batch, (value) => {
      const update = decodePointsUpdate(value);
      const known = newest.get(update.matchId) ?? this.#latest.get(update.matchId);
      if (known && known.version >= update.version) return;
      newest.set(update.matchId, { points: pointsVectorOf(update), version: update.version });
    });
    // Several balls in one batch cost one pass; those that come during the pass are the next batch.
    for (const [match, latest] of newest) {
      this.#latest.set(match, latest);
      const locked = this.#matches.get(match);
      if (locked?.hasBoard) await this.#rescore(locked, latest);
      this.#published(match);
    }
  }

  async #rescore({ identity }: LockedMatch, { points, version }: LatestPoints): Promise<void> {
    await this.#deps.engine.rescore(identity, { points, pointsVersion: version, timeMs: this.#deps.clock.nowMs() });
  }

  async #readAll(topic: Topic, add: (batch: LogBatch) => void): Promise<void> {
    const { log } = this.#deps;
    for (let partition = 0; partition < TOPICS[topic].partitionCount; partition++) {
      const end = await log.endOffset(topic, partition);
      for (let offset = 0; offset < end;) {
        const batch = await log.read(topic, partition, offset, INDEX_BYTES_MAX, 0);
        add(batch);
        offset = batch.firstOffset + batch.ends.length;
      }
    }
  }

  /** Samples are points and, of great contests, their standings; the points are in the points log already. */
  async #historyOf(match: MatchId, identity: BoardIdentity, hasBoard: boolean): Promise<BoardHistory> {
    const { engine, sampleEveryMs, teamStore } = this.#deps;
    const history = new BoardHistory({ ...HISTORY_DEFAULTS, everyMs: sampleEveryMs });
    if (!hasBoard) return history;
    const kept = new Map<number, Map<ContestId, Uint8Array>>();
    for (const [contest, { entryCount }] of engine.board(identity).contests) {
      if (entryCount < HISTORY_DEFAULTS.keptEntryCountMin) continue;
      for (const { pointsVersion, payload } of await teamStore.samples(contest)) {
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

  async #sample(): Promise<void> {
    const { clock, engine, teamStore } = this.#deps;
    for (const { hasBoard, history, identity } of this.#matches.values()) {
      if (!hasBoard) continue;
      const board = engine.board(identity);
      if ((board.published()?.pointsVersion ?? 0) === 0) continue;
      const sample = history.sample(board, clock.nowMs());
      for (const [contestId, payload] of sample?.standings ?? []) {
        await teamStore.appendSample({
          contestId,
          atMs: sample!.timeMs,
          pointsVersion: sample!.pointsVersion,
          payload,
        });
      }
    }
  }
}

/** Runs of one rank within a page that begins at `place`. */
function* chunksOf(page: RankedPage, place: number, countAt: (scoreQp: number) => number): Generator<TieChunk> {
  const { entries } = page;
  for (let start = 0; start < entries.length;) {
    const { rank, scoreQp } = entries[start]!;
    let end = start + 1;
    while (end < entries.length && entries[end]!.rank === rank) end++;
    const ids = Float64Array.from(entries.slice(start, end), (entry) => entry.entryId);
    yield { rank, tiedCount: countAt(scoreQp), offset: place + start - (rank - 1), entries: ids };
    start = end;
  }
}
