import { assert } from "../../domain/assert.ts";
import type { ContestId, EntryId } from "../../domain/ids.ts";
import type { PointsVector } from "../../domain/points.ts";
import type { Roster } from "../../domain/roster.ts";
import { WorkerCalls } from "../../worker-calls.ts";
import { workerModule } from "../../worker-module.ts";
import { assertPoints } from "../kernel/port.ts";
import { Board } from "./board.ts";
import type {
  BoardAnswers,
  BoardRequest,
  EntryRange,
  PlaceRange,
  RankedPage,
  ScoredEntries,
  ScoreUnder,
} from "./board-protocol.ts";
import type { CompactBoard } from "./compact-standing.ts";
import { type BoardIdentity, boardName } from "./shared-memory.ts";
import type { Generation, StandingAt } from "./standings-file.ts";

export interface BoardEngineOptions {
  /** Where boards live; /dev/shm/… on a real node. */
  readonly directory: string;
  readonly libraryPath?: string;
  /** Threads of one pass; by default all cores. */
  readonly threads?: number;
  readonly log?: (line: string) => void;
}

export type AttachResult = { readonly ok: true } | { readonly ok: false; readonly reason: string };

/** The pass that made a call's points (or newer ones) visible. */
export interface PassReport {
  readonly pointsVersion: number;
  readonly passMs: number;
}

interface RequestedPass {
  readonly generation: Generation;
  readonly waiters: PromiseWithResolvers<PassReport>[];
}

interface Attached {
  readonly board: Board;
  last: PassReport | undefined;
  running: RequestedPass | undefined;
  waiting: RequestedPass | undefined;
}

const startWorker = () =>
  new WorkerCalls<BoardRequest, BoardAnswers>(workerModule("realtime/board/board-worker.ts"), "the board engine");

/**
 * The boards of a node. Passes run in one worker (and in the kernel's threads), scans for pages and neighbours in another,
 * so that no question waits for a pass and no ball for the questions; standings are read here, straight from the shared
 * memory that passes publish into, without waiting for anything.
 */
export class BoardEngine {
  readonly #passes: ReturnType<typeof startWorker>;
  readonly #questions: ReturnType<typeof startWorker>;
  readonly #directory: string;
  readonly #boards = new Map<string, Attached>();
  /** Boards whose passes are under way. */
  readonly #passing = new Set<Promise<void>>();

  private constructor(
    passes: ReturnType<typeof startWorker>,
    questions: ReturnType<typeof startWorker>,
    directory: string,
    readonly kernelName: string,
  ) {
    this.#passes = passes;
    this.#questions = questions;
    this.#directory = directory;
  }

  static async start(options: BoardEngineOptions): Promise<BoardEngine> {
    const [passes, questions] = [startWorker(), startWorker()];
    const { directory, libraryPath } = options;
    const [{ kernelName, note }] = await Promise.all([
      passes.ask({ kind: "start", settings: { directory, libraryPath, threads: options.threads } }),
      // Many small scans at once use the cores better than each of them on all.
      questions.ask({ kind: "start", settings: { directory, libraryPath, threads: 1 } }),
    ]);
    if (note !== null) (options.log ?? console.warn)(note);
    return new BoardEngine(passes, questions, directory, kernelName);
  }

  /**
   * Takes a sealed board into service, after a seal as after a restart: checks every byte, keeps what was published. A board
   * that is refused is to be rebuilt from the log.
   */
  async attach(identity: BoardIdentity): Promise<AttachResult> {
    for (const worker of [this.#passes, this.#questions]) {
      const answer = await worker.ask({ kind: "attach", identity, owner: worker === this.#passes });
      if (!answer.ok) return answer;
    }
    const opening = Board.open(this.#directory, identity, { verify: false, owner: false });
    if (!opening.ok) return opening;
    const published = opening.board.published();
    this.#boards.set(boardName(identity), {
      board: opening.board,
      last: published === undefined ? undefined : { pointsVersion: published.pointsVersion, passMs: 0 },
      running: undefined,
      waiting: undefined,
    });
    return { ok: true };
  }

  /** Takes a board out of service and gives its memory back, once its match is settled. */
  async remove(identity: BoardIdentity): Promise<void> {
    this.#boards.delete(boardName(identity));
    await this.#questions.ask({ kind: "detach", identity, remove: false });
    await this.#passes.ask({ kind: "detach", identity, remove: true });
  }

  /** Whether this board is in service. */
  has(identity: BoardIdentity, board: Board): boolean {
    return this.#boards.get(boardName(identity))?.board === board;
  }

  board(identity: BoardIdentity): Board {
    return this.#attached(identity).board;
  }

  /**
   * Makes these points, or newer ones, the published ones. While a pass runs, later points wait and only the newest are
   * computed: a score depends on the points alone, so nothing is lost. Points not newer than the published change nothing.
   */
  rescore(identity: BoardIdentity, generation: Generation): Promise<PassReport> {
    assertPoints(generation.points);
    const attached = this.#attached(identity);
    const { last, running } = attached;
    const version = generation.pointsVersion;
    if (last !== undefined && version <= last.pointsVersion) return Promise.resolve(last);
    const waiter = Promise.withResolvers<PassReport>();
    if (running !== undefined && version <= running.generation.pointsVersion) {
      running.waiters.push(waiter);
      return waiter.promise;
    }
    if (attached.waiting === undefined || version > attached.waiting.generation.pointsVersion) {
      const waiters = attached.waiting?.waiters ?? [];
      attached.waiting = { generation: { ...generation, points: generation.points.slice() }, waiters };
    }
    attached.waiting.waiters.push(waiter);
    if (running === undefined) this.#startPasses(identity, attached);
    return waiter.promise;
  }

  /** The standing of a contest and the points that it is of; undefined before the first pass. Never waits. */
  standing(identity: BoardIdentity, contestId: ContestId): StandingAt | undefined {
    return this.#attached(identity).board.standing(contestId);
  }

  /** The locked roster of an entry. Never waits. */
  roster(identity: BoardIdentity, contestId: ContestId, entryId: EntryId): Roster | undefined {
    return this.#attached(identity).board.roster(contestId, entryId);
  }

  /** Up to `count` entries in total order from a 0-based place. */
  page(identity: BoardIdentity, contestId: ContestId, place: number, count: number): Promise<RankedPage | null> {
    return this.#questions.ask({ kind: "page", identity, contestId, place, count });
  }

  /** An entry with up to `radius` others before and after it. */
  neighbours(identity: BoardIdentity, contestId: ContestId, entryId: EntryId, radius = 5): Promise<RankedPage | null> {
    return this.#questions.ask({ kind: "neighbours", identity, contestId, entryId, radius });
  }

  /**
   * The published standings of the contests from some size on; compressing those of a final takes milliseconds. undefined
   * when a pass was published meanwhile.
   */
  compact(identity: BoardIdentity, entryCountMin: number): Promise<CompactBoard | undefined> {
    return this.#questions.ask({ kind: "compact", identity, entryCountMin });
  }

  /** How many entries of a contest on the board score more than each score, under the points given with it. */
  countsAbove(identity: BoardIdentity, contestId: ContestId, asked: readonly ScoreUnder[]): Promise<readonly number[]> {
    return this.#questions.ask({ kind: "countsAbove", identity, contestId, asked });
  }

  compactUnder(
    identity: BoardIdentity,
    contestId: ContestId,
    points: readonly PointsVector[],
  ): Promise<readonly Uint8Array[]> {
    return this.#questions.ask({ kind: "compactUnder", identity, contestId, points });
  }

  /** The standing of a contest on the board under any points, as bytes. */
  standingUnder(identity: BoardIdentity, contestId: ContestId, points: PointsVector): Promise<Uint8Array> {
    return this.#questions.ask({ kind: "standingUnder", identity, contestId, points });
  }

  entries(identity: BoardIdentity, contestId: ContestId, range: EntryRange): Promise<ScoredEntries> {
    return this.#questions.ask({ kind: "entries", identity, contestId, range });
  }

  /** Entries of a contest on the board in total order under any points. */
  ranked(identity: BoardIdentity, contestId: ContestId, range: PlaceRange): Promise<ScoredEntries> {
    return this.#questions.ask({ kind: "ranked", identity, contestId, range });
  }

  countTied(
    identity: BoardIdentity,
    contestId: ContestId,
    tie: ScoreUnder,
    below: readonly number[],
  ): Promise<readonly number[]> {
    return this.#questions.ask({ kind: "countTied", identity, contestId, tie, below });
  }

  stop(): void {
    this.#passes.stop();
    this.#questions.stop();
  }

  /** Resolves when no pass is under way: for work that no ball is to share the cores with. */
  async quiet(): Promise<void> {
    while (this.#passing.size > 0) await Promise.all(this.#passing);
  }

  #startPasses(identity: BoardIdentity, attached: Attached): void {
    const passing = this.#runPasses(identity, attached).finally(() => this.#passing.delete(passing));
    this.#passing.add(passing);
  }

  async #runPasses(identity: BoardIdentity, attached: Attached): Promise<void> {
    while (attached.waiting !== undefined) {
      const { generation, waiters } = (attached.running = attached.waiting);
      attached.waiting = undefined;
      try {
        const { passMs } = await this.#passes.ask({ kind: "rescore", identity, generation });
        attached.last = { pointsVersion: generation.pointsVersion, passMs };
        for (const waiter of waiters) waiter.resolve(attached.last);
      } catch (error) {
        for (const waiter of waiters) waiter.reject(error);
      }
    }
    attached.running = undefined;
  }

  #attached(identity: BoardIdentity): Attached {
    const attached = this.#boards.get(boardName(identity));
    assert(attached !== undefined, `${boardName(identity)} is attached`);
    return attached;
  }
}
