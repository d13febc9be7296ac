import { join } from "node:path";
import { assert } from "../../src/domain/assert.ts";
import type { ContestId } from "../../src/domain/ids.ts";
import type { PointsVector } from "../../src/domain/points.ts";
import { BoardEngine } from "../../src/realtime/board/engine.ts";
import type { ContestSize } from "../../src/realtime/board/board-writer.ts";
import type { ContestColumns } from "../../src/realtime/kernel/port.ts";
import { contestsOf, IDENTITY, writeBoard } from "./entries.ts";
import type { BenchMatch } from "./match.ts";

/** What one run of the benchmark measures; the same scenarios with a few thousand entries are its test. */
export interface Bench {
  /** Empty and ours; in shared memory. */
  readonly directory: string;
  readonly match: BenchMatch;
  /** Entries of the mega contest; 12 M in a real run. */
  readonly megaEntries: number;
  readonly threads: number;
  readonly log: (line: string) => void;
}

/** An attached board and the one counter of its points versions. */
export class BenchBoard {
  #version = 0;

  private constructor(
    readonly engine: BoardEngine,
    readonly contests: readonly ContestSize[],
  ) {}

  static async open(bench: Bench, name: string, contests: readonly ContestSize[]): Promise<BenchBoard> {
    const directory = join(bench.directory, name);
    writeBoard(directory, contests, bench.match.rosters);
    const engine = await BoardEngine.start({ directory, log: bench.log });
    const attached = await engine.attach(IDENTITY);
    assert(attached.ok, "a board that was just sealed attaches");
    return new BenchBoard(engine, contests);
  }

  static openMega(bench: Bench): Promise<BenchBoard> {
    return BenchBoard.open(bench, "mega", contestsOf([bench.megaEntries]));
  }

  /** From the call to the new standings being readable here, as a node does it at every ball. */
  async rescore(points: PointsVector): Promise<void> {
    const pointsVersion = ++this.#version;
    const report = await this.engine.rescore(IDENTITY, { pointsVersion, timeMs: pointsVersion, points });
    assert(report.pointsVersion === pointsVersion, "the pass that was asked for is published");
  }

  columns(contest: ContestId): ContestColumns {
    const columns = this.engine.board(IDENTITY).contests.get(contest);
    assert(columns !== undefined, `contest ${contest} is on the board`);
    return columns;
  }

  get largest(): ContestId {
    return this.contests.reduce((a, b) => (b.entryCount > a.entryCount ? b : a)).contestId;
  }

  get entryCount(): number {
    return this.contests.reduce((sum, { entryCount }) => sum + entryCount, 0);
  }

  async close(): Promise<void> {
    await this.engine.remove(IDENTITY);
    this.engine.stop();
  }
}
