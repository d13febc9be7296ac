import { DEFAULT_LIBRARY_PATH } from "../kernel/open.ts";
import { openNativeLibrary } from "../kernel/native.ts";
import { nativeIndexOpener } from "./native.ts";
import type { OpenRosterIndex } from "./port.ts";
import { openTypescriptIndex } from "./typescript.ts";

/** The faster engine where this machine has it. The board engine has said already which one runs, and why. */
export function rosterIndexOpener(libraryPath = DEFAULT_LIBRARY_PATH): OpenRosterIndex {
  return openNativeLibrary(libraryPath).ok ? nativeIndexOpener(libraryPath) : openTypescriptIndex;
}
