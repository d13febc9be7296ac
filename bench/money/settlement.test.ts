import { expect, test } from "bun:test";
import { measureSettlement } from "./settlement.ts";

// The benchmark itself asks that every balance is what its transfers say and that escrow and prizes end empty.
test.each([20_000, 7_000])("20,000 entries over the embedded stores, %p of which win", async (winnerCount) => {
  const { paidPaise } = await measureSettlement({ entryCount: 20_000, teamsPerUser: 4, winnerCount });
  expect(paidPaise).toBe(Math.floor(20_000 * 4_900 * 0.9));
});
