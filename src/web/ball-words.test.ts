import { expect, test } from "bun:test";
import { ballWords, type BallTone, gainsOf } from "./ball-words.ts";

test.each<[string, string, BallTone]>([
  ["12.3 Arjun Rao to Dev Menon: FOUR", "4", "four"],
  ["12.3 Arjun Rao to Dev Menon: SIX", "6", "six"],
  ["12.3 Arjun Rao to Dev Menon: no run", "•", "dot"],
  ["12.3 Arjun Rao to Dev Menon: 3 runs", "3", "runs"],
  ["12.3 Arjun Rao to Dev Menon: 1 run, OUT! Dev Menon run out (Asha Rao)", "W", "wicket"],
  ["12.3 Arjun Rao to Dev Menon: 2 wides", "wd", "extra"],
  ["12.3 Arjun Rao to Dev Menon: 1 leg-bye", "lb", "extra"],
  ["12.3 Arjun Rao to Dev Menon: 2 byes", "b", "extra"],
  ["12.3 Arjun Rao to Dev Menon: no-ball", "nb", "extra"],
  ["Deccan Rocketeers win", "!", "news"],
])("%s is a %s", (text, badge, tone) => expect(ballWords(text)).toMatchObject({ badge, tone }));

test("a line is taken apart where names hold colons and numbers", () => {
  expect(ballWords("Super over 0.1 A: B to C 1.2: FOUR")).toMatchObject({ over: "Super over 0.1" });
  expect(ballWords("3.4 Rao to Menon: OUT! Menon bowled")).toMatchObject({
    over: "3.4",
    who: "Rao to Menon",
    what: "OUT! Menon bowled",
  });
});

test("what a ball gave is summed by player, the most first, and what cancels out is left away", () => {
  const reason = (poolIndex: number, pointsQp: number) => ({ poolIndex, pointsQp, rule: "run", provisional: false });
  const reasons = [reason(1, 4), reason(2, 120), reason(1, 8), reason(3, -8), reason(4, 8), reason(4, -8)];
  expect(gainsOf({ offset: 1, atMs: 0, eventId: "a", text: "", reasons })).toEqual([
    { poolIndex: 2, pointsQp: 120 },
    { poolIndex: 1, pointsQp: 12 },
    { poolIndex: 3, pointsQp: -8 },
  ]);
});
