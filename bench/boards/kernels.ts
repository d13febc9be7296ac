import { ptr } from "bun:ffi";
import { assert } from "../../src/domain/assert.ts";
import { nativeKernel, NATIVE_VERSIONS, openNativeLibrary } from "../../src/realtime/kernel/native.ts";
import { nativeLibraries } from "../../src/native-libraries.ts";
import type { ContestColumns, Kernel } from "../../src/realtime/kernel/port.ts";
import { slotBytes, usedSlotBytes } from "../../src/realtime/kernel/slot.ts";
import { typescriptKernel } from "../../src/realtime/kernel/typescript.ts";
import type { Bench, BenchBoard } from "./bench.ts";
import { openBenchLibrary } from "./native.ts";
import { timed, type Times } from "./timing.ts";

export interface KernelResult {
  readonly kernel: string;
  readonly threads: number;
  readonly pass: Times;
  /** Bytes of rosters that it reads in a second. */
  readonly gbPerSecond: number;
  /** Of what this machine can read with as many threads; only for the kernel that serves. */
  readonly shareOfBandwidth: number | null;
}

export interface KernelsResult {
  readonly bandwidth: Record<string, number>;
  readonly kernels: readonly KernelResult[];
  /** Scores alone, one thread, nothing counted and nothing stored. */
  readonly scoreOnly: { readonly times: Times; readonly gbPerSecond: number; readonly shareOfBandwidth: number };
}

const PASSES = 31;

/** (e) and the contenders of (a): every kernel over the same columns, and the machine's read bandwidth in the same run. */
export async function kernelsScenario({ match, threads }: Bench, mega: BenchBoard): Promise<KernelsResult> {
  const columns = mega.columns(mega.largest);
  const points = match.vectors[match.vectors.length >> 1]!;
  const bytes = columns.tiles.length;
  const perSecond = (times: Times): number => bytes / 1e6 / times.medianMs;
  const threadCounts = threads > 1 ? [1, threads] : [1];

  const bench = openBenchLibrary();
  const bandwidth: Record<string, number> = {};
  for (const count of threadCounts) {
    bandwidth[count] = perSecond(await timed(PASSES, () => bench.bench_read(ptr(columns.tiles), bytes, count)));
  }

  const reference = passOf(typescriptKernel, columns);
  const slowly = await timed(3, () => reference.run(points));
  const kernels: KernelResult[] = [];
  const add = (kernel: string, count: number, pass: Times, serves: boolean) =>
    kernels.push({
      kernel,
      threads: count,
      pass,
      gbPerSecond: perSecond(pass),
      shareOfBandwidth: serves ? perSecond(pass) / bandwidth[count]! : null,
    });
  add("typescript", 1, slowly, false);
  const opening = openNativeLibrary(nativeLibraries.kernel);
  assert(opening.ok, "the native kernel is built");
  for (let version = 0; version <= opening.best; version++) {
    for (const count of threadCounts) {
      const contender = passOf(nativeKernel(opening.library, version, count), columns);
      const pass = await timed(PASSES, () => contender.run(points));
      assert(Buffer.compare(contender.standing(), reference.standing()) === 0, "all kernels leave the same bytes");
      add(NATIVE_VERSIONS[version]!, count, pass, version === opening.best);
    }
  }

  const best = nativeKernel(opening.library, opening.best, 1);
  const none = { minQp: 32_767, maxQp: 32_767, from: 0, backward: false, skip: 0, limit: 1 };
  const times = await timed(PASSES, () => best.select(points, columns, none));
  const gbPerSecond = perSecond(times);
  return { bandwidth, kernels, scoreOnly: { times, gbPerSecond, shareOfBandwidth: gbPerSecond / bandwidth[1]! } };
}

/** A pass over one contest into memory of its own. */
export function passOf(kernel: Kernel, columns: ContestColumns) {
  const arena = new Uint8Array(slotBytes(columns.entryCount));
  const pass = kernel.preparePass([{ ...columns, slotOffset: 0 }]);
  return {
    run: (points: Int16Array) => pass.run(points, arena),
    standing: () => arena.subarray(0, usedSlotBytes(arena)),
  };
}
