import { join } from "node:path";
import { assert } from "../../src/domain/assert.ts";
import { Board } from "../../src/realtime/board/board.ts";
import type { Bench } from "./bench.ts";
import { finalContests, IDENTITY, MEGA_ENTRIES, writeBoard } from "./entries.ts";
import { type NodeReport, runNode } from "./node.ts";
import { PlainSort } from "./plain-sort.ts";

export interface FinalResult {
  readonly entries: number;
  readonly contests: number;
  readonly writeMs: number;
  /** Of a node that found the board as another left it. */
  readonly node: NodeReport;
}

const CHECKED = 40;
const IDLE_MS_PER_ENTRY = 3_000 / 150e6;

/** (c) and (f): the whole final in one node, its restart, its memory, and its event loop during passes. */
export async function finalScenario(bench: Bench): Promise<FinalResult> {
  const directory = join(bench.directory, "final");
  const contests = finalContests(bench.megaEntries / MEGA_ENTRIES);
  const entries = contests.reduce((sum, { entryCount }) => sum + entryCount, 0);
  const start = performance.now();
  writeBoard(directory, contests, bench.match.rosters);
  const writeMs = performance.now() - start;

  const { vectors } = bench.match;
  const largest = contests[0]!.contestId;
  const plan = { directory, largest, idleMs: Math.max(50, entries * IDLE_MS_PER_ENTRY) };
  // The first node publishes, so the second finds what a restarted one finds.
  await runNode({ ...plan, vectors: [[...vectors[0]!]] });
  const node = await runNode({ ...plan, vectors: vectors.map((vector) => [...vector]) });
  assert(node.foundVersion !== null, "a restarted node shows what was published before");

  const opening = Board.open(directory, IDENTITY, { verify: false, owner: false });
  assert(opening.ok, "the board opens");
  for (let index = 0; index < CHECKED; index++) {
    const { contestId } = contests[Math.floor((index * contests.length) / CHECKED)]!;
    const at = opening.board.standing(contestId)!;
    new PlainSort(opening.board.contests.get(contestId)!, at.points).check(at.standing);
  }
  Board.remove(directory, IDENTITY);
  return { entries, contests: contests.length, writeMs, node };
}
