import { dlopen, ptr } from "bun:ffi";
import { existsSync } from "node:fs";
import { assert } from "../../domain/assert.ts";
import type { PointsVector } from "../../domain/points.ts";
import type { ContestColumns, Kernel, Pass, PassContest, Selection, SelectQuery } from "./port.ts";

/** Must equal PP_KERNEL_VERSION in native/kernel.c: a library built from other sources is refused, never called. */
const KERNEL_VERSION = 1;
const CONTEST_WORDS = 4;

const SYMBOLS = {
  pp_kernel_version: { args: [], returns: "i32" },
  pp_isa_best: { args: [], returns: "i32" },
  pp_score_i16: { args: ["i32", "ptr", "ptr", "u32", "ptr"], returns: "i32" },
  pp_select_i16: {
    args: ["i32", "ptr", "ptr", "u32", "u32", "i32", "i32", "i32", "u32", "u32", "ptr", "ptr"],
    returns: "i32",
  },
  pp_rescore: { args: ["i32", "i32", "ptr", "ptr", "u32", "ptr"], returns: "i32" },
} as const;

export type NativeLibrary = ReturnType<typeof dlopen<typeof SYMBOLS>>["symbols"];

/** By the number that the C side gives each version; a machine runs all of its architecture up to its best. */
export const NATIVE_VERSIONS: readonly string[] =
  process.arch === "arm64" ? ["serial", "neon"] : ["serial", "avx2", "avx512vbmi"];

export type NativeOpening =
  | { readonly ok: true; readonly library: NativeLibrary; readonly best: number }
  | { readonly ok: false; readonly reason: string };

/** `path`: null where none was built. */
export function openNativeLibrary(path: string | null): NativeOpening {
  if (path === null || !existsSync(path)) {
    return { ok: false, reason: `${path ?? "the library"} is not there (no C compiler when it was built?)` };
  }
  try {
    const { symbols } = dlopen(path, SYMBOLS);
    const version = symbols.pp_kernel_version();
    if (version !== KERNEL_VERSION) {
      return { ok: false, reason: `${path} is version ${version}, this program needs ${KERNEL_VERSION}` };
    }
    return { ok: true, library: symbols, best: symbols.pp_isa_best() };
  } catch (error) {
    return { ok: false, reason: `${path} does not load: ${error instanceof Error ? error.message : String(error)}` };
  }
}

/** `version` is an index of NATIVE_VERSIONS, at most the library's best. */
export function nativeKernel(library: NativeLibrary, version: number, threads: number): Kernel {
  return {
    name: NATIVE_VERSIONS[version] ?? "unknown",

    score(points: PointsVector, tiles: Uint8Array, entryCount: number, scores: Int16Array): void {
      if (entryCount === 0) return;
      assert(scores.length >= entryCount, "one score an entry");
      const status = library.pp_score_i16(version, ptr(points), ptr(tiles), entryCount, ptr(scores));
      assert(status === 0, `this machine cannot run kernel version ${version}`);
    },

    select(points: PointsVector, columns: ContestColumns, query: SelectQuery): Selection {
      const room = Math.max(0, Math.min(query.limit, columns.entryCount));
      if (room === 0) return { positions: new Uint32Array(0), scoresQp: new Int16Array(0) };
      const positions = new Uint32Array(room);
      const scoresQp = new Int16Array(room);
      const found = library.pp_select_i16(
        version,
        ptr(points),
        ptr(columns.tiles),
        columns.entryCount,
        query.from,
        query.backward ? 1 : 0,
        query.minQp,
        query.maxQp,
        query.skip,
        room,
        ptr(positions),
        ptr(scoresQp),
      );
      assert(found >= 0, `this machine cannot run kernel version ${version}`);
      return { positions: positions.subarray(0, found), scoresQp: scoresQp.subarray(0, found) };
    },

    preparePass(contests: readonly PassContest[]): Pass {
      const jobs = new BigUint64Array(Math.max(1, contests.length) * CONTEST_WORDS);
      for (const [index, contest] of contests.entries()) {
        const at = index * CONTEST_WORDS;
        jobs[at] = BigInt(ptr(contest.tiles));
        jobs[at + 1] = BigInt(ptr(contest.entryIds));
        jobs[at + 2] = BigInt(contest.slotOffset);
        jobs[at + 3] = BigInt(contest.entryCount);
      }
      return {
        run(points, arena) {
          // The closure holds `contests`, so the columns stay mapped for as long as their addresses are in use.
          const status = library.pp_rescore(version, threads, ptr(points), ptr(jobs), contests.length, ptr(arena));
          assert(status !== -1, `this machine cannot run kernel version ${version}`);
          if (status !== 0) throw new Error("the kernel ran out of memory");
        },
      };
    },
  };
}
