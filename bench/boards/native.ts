import { dlopen } from "bun:ffi";
import { join } from "node:path";

/** What only the benchmark needs in C; `make bench-boards` and `make test` build it where there is a compiler. */
export const BENCH_LIBRARY_PATH = join(import.meta.dir, "../../build/libboardbench.so");

export const openBenchLibrary = () =>
  dlopen(BENCH_LIBRARY_PATH, {
    bench_read: { args: ["ptr", "u64", "i32"], returns: "u64" },
    bench_multipliers: { args: ["ptr", "u64", "u8", "ptr"], returns: "void" },
    bench_delta_pass: { args: ["ptr", "u64", "i32", "ptr", "ptr"], returns: "void" },
  }).symbols;
