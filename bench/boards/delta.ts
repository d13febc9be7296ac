import { ptr } from "bun:ffi";
import { assert } from "../../src/domain/assert.ts";
import { nativeKernel, openNativeLibrary } from "../../src/realtime/kernel/native.ts";
import { nativeLibraries } from "../../src/native-libraries.ts";
import { Standing } from "../../src/realtime/board/standing.ts";
import type { Bench, BenchBoard } from "./bench.ts";
import { passOf } from "./kernels.ts";
import { openBenchLibrary } from "./native.ts";
import { timed, type Times } from "./timing.ts";

export interface DeltaResult {
  /** One player's change applied to stored scores, all counted anew; one thread. */
  readonly delta: Times;
  /** Everything scored and counted from the rosters; one thread. */
  readonly full: Times;
  readonly ratio: number;
}

const PASSES = 31;
const BLOCK = 256;
const DOMAIN = 65_536;
const WAYS = 4;

/**
 * (g) Would it pay to keep scores and add what a ball changed, instead of scoring every roster again? Six of seven balls change
 * one player, and then it is 1.4 times as fast: counting, one store an entry, remains. But it needs 2 bytes of score and 11 of
 * multipliers an entry beside the rosters: 5 GB for a final instead of 3, and scores that may drift. So the product does not.
 */
export async function deltaScenario({ match }: Bench, mega: BenchBoard): Promise<DeltaResult> {
  const columns = mega.columns(mega.largest);
  const entryCount = Math.floor(columns.entryCount / BLOCK) * BLOCK;
  const whole = { ...columns, entryCount };
  const { batter, before, after } = match.six;
  const halfQp = (after[batter]! - before[batter]!) / 2;
  const opening = openNativeLibrary(nativeLibraries.kernel);
  assert(opening.ok, "the native kernel is built");
  const kernel = nativeKernel(opening.library, opening.best, 1);
  const pass = passOf(kernel, whole);
  const full = await timed(PASSES, () => pass.run(after));

  const bench = openBenchLibrary();
  const halves = new Uint8Array(entryCount);
  bench.bench_multipliers(ptr(columns.tiles), entryCount, batter, ptr(halves));
  const scores = new Int16Array(entryCount);
  kernel.score(before, columns.tiles, entryCount, scores);
  const counts = new Uint32Array(DOMAIN * WAYS);
  // Forth and back again, so that any number of passes ends where it should: an odd number at `after`.
  const delta = await timed(PASSES, (index) => {
    counts.fill(0);
    const sign = index % 2 === 0 ? 1 : -1;
    bench.bench_delta_pass(ptr(halves), entryCount, sign * halfQp, ptr(scores), ptr(counts));
  });

  const standing = Standing.decode(pass.standing());
  let above = 0;
  for (let score = standing.maxQp; score >= standing.minQp; score--) {
    assert(standing.countAbove(score) === above, "both know how many score more");
    const at = (score + DOMAIN / 2) * WAYS;
    above += counts[at]! + counts[at + 1]! + counts[at + 2]! + counts[at + 3]!;
  }
  return { delta, full, ratio: full.medianMs / delta.medianMs };
}
