import { availableParallelism } from "node:os";
import { join } from "node:path";
import { nativeKernel, openNativeLibrary } from "./native.ts";
import type { Kernel } from "./port.ts";
import { typescriptKernel } from "./typescript.ts";

export interface KernelOptions {
  /** The shared library; by default the one that `make build` leaves in build/. */
  readonly libraryPath?: string;
  /** Threads of one pass; by default all cores. */
  readonly threads?: number;
  /** Receives the one line that says why the slow kernel serves. */
  readonly log?: (line: string) => void;
}

export const DEFAULT_LIBRARY_PATH = join(import.meta.dir, "../../../build/libpowerplay.so");

/** The fastest kernel that this machine can run. */
export function openKernel(options: KernelOptions = {}): Kernel {
  const opening = openNativeLibrary(options.libraryPath ?? DEFAULT_LIBRARY_PATH);
  if (opening.ok) return nativeKernel(opening.library, opening.best, options.threads ?? availableParallelism());
  (options.log ?? console.warn)(`kernel: using TypeScript, ~15x slower with the same results: ${opening.reason}`);
  return typescriptKernel;
}
