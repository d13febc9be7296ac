import { expect, test } from "bun:test";
import { bundleClient } from "./build.ts";

test("the client is at most 25 KB gzipped, and free of the node's own parts", async () => {
  const { code, gzipBytes } = await bundleClient();
  expect(gzipBytes).toBeLessThanOrEqual(25 * 1_024);
  expect(code).toContain("powerplay.1");
  expect(code).not.toContain("node:");
});
