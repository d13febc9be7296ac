import { availableParallelism } from "node:os";
import { nativeLibraries } from "../../native-libraries.ts";
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

/** The fastest kernel that this machine can run. */
export function openKernel(options: KernelOptions = {}): Kernel {
  const opening = openNativeLibrary(options.libraryPath ?? nativeLibraries.kernel);
  if (opening.ok) return nativeKernel(opening.library, opening.best, options.threads ?? availableParallelism());
  (options.log ?? console.warn)(`kernel: using TypeScript, ~15x slower with the same results: ${opening.reason}`);
  return typescriptKernel;
}
