import { nativeLibraries } from "../../native-libraries.ts";
import { openNativeLibrary } from "../kernel/native.ts";
import { nativeIndexOpener } from "./native.ts";
import type { OpenRosterIndex } from "./port.ts";
import { openTypescriptIndex } from "./typescript.ts";

/** The faster engine where this machine has it. The board engine has said already which one runs, and why. */
export function rosterIndexOpener(libraryPath = nativeLibraries.kernel): OpenRosterIndex {
  return libraryPath !== null && openNativeLibrary(libraryPath).ok
    ? nativeIndexOpener(libraryPath)
    : openTypescriptIndex;
}
