import { expect, test } from "bun:test";
import { rupees } from "../domain/money.ts";
import { amountOf, prizeLines, squadLines } from "./text-lines.ts";

test("prizes are read as amounts or as shares, and a wrong line is named", () => {
  const read = prizeLines("1 = 5000\n\n2-3 = ₹1500.50");
  expect(read).toEqual({
    ok: true,
    items: [
      { fromRank: 1, toRank: 1, amountPaise: rupees(5_000) },
      { fromRank: 2, toRank: 3, amountPaise: rupees(1_500.5) },
    ],
  });
  expect(read.ok && amountOf(read.items)).toBe(rupees(8_001));
  const shares = prizeLines("1 = 60%\n2-5 = 10 %");
  expect(shares.ok && shares.items[1]).toEqual({ fromRank: 2, toRank: 5, shareBps: 1_000 });
  expect(shares.ok && amountOf(shares.items)).toBeNull();
  expect(prizeLines("1 = 5000\ntwo = 3")).toMatchObject({ ok: false, fault: expect.stringContaining("Line 2") });
});

test("a squad is read line by line", () => {
  expect(squadLines("Asha Rao, 1, bat, 9.5\nDev Menon, 2, WK, 8")).toEqual({
    ok: true,
    items: [
      { id: "p1" as never, name: "Asha Rao", side: 0, role: "BAT", creditsTenths: 95, announced: null },
      { id: "p2" as never, name: "Dev Menon", side: 1, role: "WK", creditsTenths: 80, announced: null },
    ],
  });
  for (const wrong of ["Asha Rao, 3, BAT, 9", ", 1, BAT, 9", "A, 1, CAP, 9", "A, 1, BAT, zero", "A, 1, BAT, 9, 9"]) {
    expect(squadLines(wrong).ok).toBe(false);
  }
});
