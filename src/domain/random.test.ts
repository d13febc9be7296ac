import { expect, test } from "bun:test";
import { seededRandom } from "./random.ts";

test("the same seed gives the same sequence, another seed another one", () => {
  const draw = (seed: number) =>
    Array.from(
      { length: 8 },
      (
        (random) => () =>
          random.int(1_000_000)
      )(seededRandom(seed)),
    );
  expect(draw(7)).toEqual(draw(7));
  expect(draw(8)).not.toEqual(draw(7));
  expect(draw(7 + 2 ** 32)).not.toEqual(draw(7));
});

test("draws are spread evenly, and shuffles lose nothing", () => {
  const random = seededRandom(1);
  const counts = Array.from({ length: 10 }, () => 0);
  for (let draw = 0; draw < 100_000; draw++) counts[random.int(10)]!++;
  for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(500);
  const items = Array.from({ length: 100 }, (_, index) => index);
  const shuffled = random.shuffle(items);
  expect(shuffled).not.toEqual(items);
  expect(shuffled.toSorted((a, b) => a - b)).toEqual(items);
});

test("weights decide how often an index is drawn; a weight of zero never is", () => {
  const random = seededRandom(2);
  const counts = [0, 0, 0];
  for (let draw = 0; draw < 40_000; draw++) counts[random.weighted([3, 0, 1])]!++;
  expect(counts[1]).toBe(0);
  expect(Math.abs(counts[0]! - 30_000)).toBeLessThan(600);
});
