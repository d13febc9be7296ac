import { type Bench, BenchBoard } from "./bench.ts";
import { contestsOf } from "./entries.ts";
import { PlainSort } from "./plain-sort.ts";
import { IDENTITY } from "./entries.ts";
import { timed, type Times } from "./timing.ts";

export interface ManyResult {
  readonly entries: number;
  readonly contests: number;
  readonly rerank: Times;
}

const CONTESTS = 5;

/** (b) 60 M entries: as many as one ball of a final touches. */
export async function manyScenario(bench: Bench): Promise<ManyResult> {
  const { vectors } = bench.match;
  const board = await BenchBoard.open(
    bench,
    "many",
    contestsOf(Array.from({ length: CONTESTS }, () => bench.megaEntries)),
  );
  await board.rescore(vectors[0]!);
  const rerank = await timed(vectors.length, (ball) => board.rescore(vectors[ball]!));
  const last = board.contests.at(-1)!.contestId;
  const at = board.engine.standing(IDENTITY, last)!;
  new PlainSort(board.columns(last), at.points).check(at.standing);
  const entries = board.entryCount;
  await board.close();
  return { entries, contests: CONTESTS, rerank };
}
