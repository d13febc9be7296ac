import { describe, expect, test } from "bun:test";
import { nativeLibraries } from "../../native-libraries.ts";
import { openNativeLibrary } from "../kernel/native.ts";
import { rosterIndexContract } from "./contract.ts";
import { nativeIndexOpener } from "./native.ts";
import { rosterIndexOpener } from "./open.ts";
import { openTypescriptIndex } from "./typescript.ts";

describe("roster index: typescript", () => rosterIndexContract(openTypescriptIndex));

const native = openNativeLibrary(nativeLibraries.kernel);
if (native.ok) describe("roster index: native", () => rosterIndexContract(nativeIndexOpener(nativeLibraries.kernel!)));
else test.skip(`roster index: native (${native.reason})`, () => {});

test("without the library the TypeScript index serves", () => {
  expect(rosterIndexOpener("/nowhere/libpowerplay.so")).toBe(openTypescriptIndex);
});
