import type { Clock } from "../domain/clock.ts";
import type { ContestId, MatchId } from "../domain/ids.ts";
import { POOL_SIZE_MAX, type PointsVector } from "../domain/points.ts";
import type { Catalog } from "../stores/catalog/port.ts";
import { type EventLog, forEachRecord, type LogBatch, type Topic, TOPICS } from "../stores/event-log/port.ts";
import type { BoardSample, TeamStore } from "../stores/team-store/port.ts";
import { Consumer, type ConsumerOptions } from "../stream/consumer.ts";
import { decodePointsUpdate, pointsVectorOf } from "../stream/points-update.ts";
import { IndexBuilder } from "./board/index-builder.ts";
import { MatchBoard } from "./board/match-board.ts";
import { Standing } from "./board/standing.ts";
import type { Kernel } from "./kernel/port.ts";

export interface MatchBoardsDeps {
  readonly log: EventLog;
  readonly catalog: Pick<Catalog, "match">;
  readonly teamStore: Pick<TeamStore, "appendSample">;
  readonly kernel: Kernel;
  readonly clock: Clock;
  readonly sampleEveryMs: number;
  readonly consumer: Pick<ConsumerOptions, "bytesMax" | "waitMs" | "retryMs" | "onTrouble">;
}

interface LatestPoints {
  readonly points: PointsVector;
  readonly version: number;
}

const INDEX_BYTES_MAX = 16 << 20;
const POINTS_BYTES = POOL_SIZE_MAX * 2;

/** The boards of all locked matches of this node: built from the log, re-scored by what `player-points` says. */
export class MatchBoards {
  readonly #deps: MatchBoardsDeps;
  readonly #boards = new Map<MatchId, MatchBoard>();
  readonly #latest = new Map<MatchId, LatestPoints>();
  readonly #sampled = new Map<MatchId, number>();
  readonly #consumers: readonly Consumer[];
  readonly #sampler: Timer;

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

  get(match: MatchId): MatchBoard | undefined {
    return this.#boards.get(match);
  }

  has(match: MatchId): boolean {
    return this.#boards.has(match);
  }

  /** Builds the boards of the match from the log as it stands. */
  async open(id: MatchId): Promise<void> {
    const match = await this.#deps.catalog.match(id);
    if (match === null) return;
    const builder = new IndexBuilder(match);
    await this.#readAll("team-saves", (batch) => builder.addTeamSaves(batch));
    await this.#readAll("contest-joins", (batch) => builder.addContestJoins(batch));
    const board = new MatchBoard(builder.build(), this.#deps.kernel);
    const latest = this.#latest.get(id);
    if (latest) board.rescore(latest.points, latest.version);
    this.#boards.set(id, board);
  }

  /** Resolves when every points update that the log holds now is on the boards. */
  async settled(): Promise<void> {
    await Promise.all(this.#consumers.map((consumer) => consumer.caughtUp()));
  }

  async stop(): Promise<void> {
    clearInterval(this.#sampler);
    await Promise.all(this.#consumers.map((consumer) => consumer.stop()));
  }

  async #take(batch: LogBatch): Promise<void> {
    const newest = new Map<MatchId, LatestPoints>();
    forEachRecord(batch, (value) => {
      const update = decodePointsUpdate(value);
      const known = newest.get(update.matchId) ?? this.#latest.get(update.matchId);
      if (known && known.version >= update.version) return;
      newest.set(update.matchId, { points: pointsVectorOf(update), version: update.version });
    });
    // Several balls in one batch cost one pass.
    for (const [match, latest] of newest) {
      this.#latest.set(match, latest);
      this.#boards.get(match)?.rescore(latest.points, latest.version);
    }
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

  /** Keeps the histogram of each contest whose points changed: with a roster it tells that entry's rank at this time. */
  async #sample(): Promise<void> {
    const { clock, teamStore } = this.#deps;
    for (const [match, board] of this.#boards) {
      if (board.version === 0 || this.#sampled.get(match) === board.version) continue;
      this.#sampled.set(match, board.version);
      const atMs = clock.nowMs();
      await Promise.all(board.contests().map((contest) => teamStore.appendSample(sampleOf(board, contest, atMs))));
    }
  }
}

/** Layout: the points vector, then the standing's slot. */
function sampleOf(board: MatchBoard, contestId: ContestId, atMs: number): BoardSample {
  const slot = board.standing(contestId)!.copy();
  const payload = new Uint8Array(POINTS_BYTES + slot.length);
  payload.set(new Uint8Array(board.points.buffer, board.points.byteOffset, POINTS_BYTES));
  payload.set(slot, POINTS_BYTES);
  return { contestId, atMs, pointsVersion: board.version, payload };
}

export function readSample({ payload }: BoardSample): { readonly points: PointsVector; readonly standing: Standing } {
  // A copy lies at the start of its own buffer, which is what typed arrays over it need.
  const { buffer } = payload.slice();
  return {
    points: new Int16Array(buffer, 0, POOL_SIZE_MAX),
    standing: new Standing(new Uint8Array(buffer, POINTS_BYTES)),
  };
}
