import { expect, test } from "bun:test";
import { daily, msUntilMinute } from "./daily.ts";

test.each([
  ["2026-03-28T21:29:59.000Z", 1_000],
  ["2026-03-28T21:30:00.000Z", 24 * 3_600_000],
  ["2026-03-28T21:30:01.000Z", 24 * 3_600_000 - 1_000],
  ["2026-03-28T00:00:00.000Z", 21.5 * 3_600_000],
])("from %p it is %p ms until 21:30 UTC", (now, ms) => {
  expect(msUntilMinute(Date.parse(now), 21 * 60 + 30)).toBe(ms);
});

test("the work is done at its time, and a failure is told", async () => {
  let nowMs = 24 * 3_600_000 - 5;
  const told = Promise.withResolvers<unknown>();
  const work = async () => {
    nowMs += 10;
    throw new Error("the books are closed");
  };
  const scheduled = daily(work, { nowMs: () => nowMs }, 0, told.resolve);
  expect(String(await told.promise)).toBe("Error: the books are closed");
  await scheduled.stop();
});
