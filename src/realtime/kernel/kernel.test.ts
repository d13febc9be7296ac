import { describe, expect, test } from "bun:test";
import { kernelContract } from "./contract.ts";
import { nativeKernel, NATIVE_VERSIONS, openNativeLibrary } from "./native.ts";
import { nativeLibraries } from "../../native-libraries.ts";
import { openKernel } from "./open.ts";
import { pointsFit } from "./port.ts";
import { typescriptKernel } from "./typescript.ts";

describe("kernel: typescript", () => kernelContract(typescriptKernel));

const opening = openNativeLibrary(nativeLibraries.kernel);
for (const [version, name] of NATIVE_VERSIONS.entries()) {
  if (!opening.ok || version > opening.best) {
    test.skip(`kernel: ${name} (${opening.ok ? "not on this machine" : opening.reason})`, () => {});
    continue;
  }
  for (const threads of [1, 3]) {
    describe(`kernel: ${name}, ${threads} threads`, () =>
      kernelContract(nativeKernel(opening.library, version, threads)));
  }
}

test("a machine without the library serves with the TypeScript kernel and says so in one line", () => {
  const lines: string[] = [];
  const kernel = openKernel({ libraryPath: "/nowhere/libpowerplay.so", log: (line) => lines.push(line) });
  expect(kernel.name).toBe("typescript");
  expect(lines).toEqual([
    "kernel: using TypeScript, ~15x slower with the same results: /nowhere/libpowerplay.so is not there (no C compiler when it was built?)",
  ]);
});

const vector = (best: number, others: number) => new Int16Array(64).fill(others).fill(best, 0, 1);

test("a points vector fits while no eleven can score beyond int16", () => {
  // 2 x 6500 + 1.5 x 1880 + 9 x 1880 = 32740; 10 more quarter-points for the captain and it is 32760, then 32780.
  expect(pointsFit(vector(6500, 1880))).toBe(true);
  expect(pointsFit(vector(6510, 1880))).toBe(true);
  expect(pointsFit(vector(6520, 1880))).toBe(false);
  expect(pointsFit(vector(-6520, -1880))).toBe(false);
});
