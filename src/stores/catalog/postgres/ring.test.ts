import { expect, test } from "bun:test";
import { BUCKETS, bucketOf, placementHash, shardOfBuckets } from "./ring.ts";

const countsOf = (values: Iterable<number>, kinds: number): number[] => {
  const counts = Array.from({ length: kinds }, () => 0);
  for (const value of values) counts[value]!++;
  return counts;
};

test("the hash places rows for ever: it never changes", () => {
  expect(["", "dhoni", "ünal", "bucket 7"].map(placementHash)).toEqual([2872998923, 609962267, 1737195915, 4260300008]);
});

test("every bucket has a shard, and no shard much more than its share", () => {
  for (const shards of [1, 2, 3, 8, 20]) {
    const counts = countsOf(shardOfBuckets(shards), shards);
    expect(counts.reduce((sum, count) => sum + count)).toBe(BUCKETS);
    expect(Math.max(...counts)).toBeLessThan((1.35 * BUCKETS) / shards);
  }
});

test("a shard added at the end takes about its share, and nothing moves between the others", () => {
  for (const shards of [1, 3, 7]) {
    const before = shardOfBuckets(shards);
    const after = shardOfBuckets(shards + 1);
    const moved = [...after.keys()].filter((bucket) => after[bucket] !== before[bucket]);
    expect(moved.every((bucket) => after[bucket] === shards)).toBe(true);
    const share = BUCKETS / (shards + 1);
    expect(moved.length).toBeGreaterThan(0.7 * share);
    expect(moved.length).toBeLessThan(1.35 * share);
  }
});

test("names spread evenly modulo eight, which is how logs and stripes are chosen by user id", () => {
  const counts = countsOf(
    Array.from({ length: 40_000 }, (_, index) => bucketOf(`bot-${index}`) % 8),
    8,
  );
  for (const count of counts) expect(Math.abs(count - 5_000)).toBeLessThan(350);
});
