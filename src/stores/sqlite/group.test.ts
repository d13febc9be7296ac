import type { Database } from "bun:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { seededRandom } from "../../domain/random.ts";
import { openForReading, openForWriting } from "./database.ts";
import type { WriteSide } from "./engine.ts";
import { commitGroup, readGroup } from "./group.ts";

const MIGRATIONS = [
  "CREATE TABLE items (item INTEGER PRIMARY KEY, padding BLOB) STRICT; CREATE TABLE total (sum INTEGER) STRICT; INSERT INTO total VALUES (0);",
];

const adding = (operations: { add(item: number): number }) => operations;

/** Adds items and keeps their sum in memory between commits, as real engines keep balances and seats. */
function summingSide(db: Database): WriteSide<ReturnType<typeof adding>> {
  const insert = db.query<null, [number, number]>("INSERT INTO items VALUES (?, zeroblob(?))");
  const load = db.query<{ sum: number }, []>("SELECT sum FROM total");
  const store = db.query<null, [number]>("UPDATE total SET sum = ?");
  let sum: number | null = null;
  return {
    operations: adding({
      add(item) {
        sum = (sum ?? load.get()!.sum) + item;
        // After the sum was changed, so that what is kept is wrong unless it is forgotten.
        if (item < 0) throw new Error(`${item} is not an item`);
        insert.run(item, 1_000);
        return sum;
      },
    }),
    beforeCommit() {
      if (sum !== null) store.run(sum);
    },
    forget() {
      sum = null;
    },
  };
}

const addAll = (items: readonly number[]): unknown[] => items.flatMap((item) => ["add", item]);

let directory: string;
let db: Database;
let side: WriteSide<ReturnType<typeof adding>>;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "powerplay-"));
  db = openForWriting(join(directory, "store.sqlite"), MIGRATIONS, 4096);
  side = summingSide(db);
});

afterEach(() => {
  db.close();
  rmSync(directory, { recursive: true });
});

const stored = () =>
  db.query<{ items: number; sum: number }, []>("SELECT (SELECT COUNT(*) FROM items) AS items, sum FROM total").get();

describe("a group", () => {
  test("is one commit with its results by position", () => {
    expect(commitGroup(db, side, addAll([1, 2, 3]))).toEqual({ results: [1, 3, 6], failures: [] });
    expect(stored()).toEqual({ items: 3, sum: 6 });
  });

  test("with a thrower loses the thrower alone", () => {
    const { results, failures } = commitGroup(db, side, addAll([1, -5, 2, 1, 3]));
    expect(results).toEqual([1, undefined, 3, undefined, 6]);
    expect(failures.map(({ index, kind }) => [index, kind])).toEqual([
      [1, "fault"],
      [3, "fault"],
    ]);
    expect(stored()).toEqual({ items: 3, sum: 6 });
    expect(commitGroup(db, side, addAll([4])).results).toEqual([10]);
  });

  test("leaves what the model says after any mix of good and throwing operations", () => {
    const random = seededRandom(5);
    const known = new Set<number>();
    for (let round = 0; round < 50; round++) {
      const items = Array.from({ length: 1 + random.int(20) }, () => random.int(300) - 10);
      const { failures } = commitGroup(db, side, addAll(items));
      const expected: number[] = [];
      for (const [index, item] of items.entries()) {
        if (item < 0 || known.has(item)) expected.push(index);
        else known.add(item);
      }
      expect(failures.map(({ index }) => index)).toEqual(expected);
    }
    expect(stored()).toEqual({ items: known.size, sum: [...known].reduce((sum, item) => sum + item, 0) });
  });

  test("that names no operation fails by itself", () => {
    const { failures } = commitGroup(db, side, ["add", 1, "subtract", 1]);
    expect(failures.map(({ index, kind }) => [index, kind])).toEqual([[1, "fault"]]);
    expect(stored()).toEqual({ items: 1, sum: 1 });
  });

  test("that finds the store full fails whole, and the store serves on once there is room", () => {
    commitGroup(db, side, addAll([1]));
    const pages = db.query<{ page_count: number }, []>("PRAGMA page_count").get()!.page_count;
    db.run(`PRAGMA max_page_count = ${pages + 2}`);
    const many = Array.from({ length: 100 }, (_, index) => index + 2);
    const { results, failures } = commitGroup(db, side, addAll(many));
    expect(results).toHaveLength(many.length);
    expect(new Set(failures.map(({ kind }) => kind))).toEqual(new Set(["unavailable"]));
    expect(failures).toHaveLength(many.length);
    expect(stored()).toEqual({ items: 1, sum: 1 });
    db.run("PRAGMA max_page_count = 100000");
    expect(commitGroup(db, side, addAll([2, 3])).results).toEqual([3, 6]);
  });

  test("that throws and then finds the store full fails whole too", () => {
    const pages = db.query<{ page_count: number }, []>("PRAGMA page_count").get()!.page_count;
    db.run(`PRAGMA max_page_count = ${pages + 2}`);
    const { failures } = commitGroup(db, side, addAll([-1, ...Array.from({ length: 100 }, (_, index) => index)]));
    expect(failures).toHaveLength(101);
    expect(failures.every(({ kind }) => kind === "unavailable")).toBe(true);
    expect(stored()).toEqual({ items: 0, sum: 0 });
  });
});

test("reads of a group see one instant and fail by themselves", () => {
  const reader = openForReading(join(directory, "store.sqlite"));
  const count = reader.query<{ items: number }, []>("SELECT COUNT(*) AS items FROM items");
  const reads = {
    count: () => count.get()!.items,
    commitBeside: () => commitGroup(db, side, addAll([7])).failures.length,
    fail: () => {
      throw new Error("no such page");
    },
  };
  const packed = ["count", null, "commitBeside", null, "fail", null, "count", null];
  const { results, failures } = readGroup(reader, reads, packed);
  expect(results).toEqual([0, 0, undefined, 0]);
  expect(failures.map(({ index, kind }) => [index, kind])).toEqual([[2, "fault"]]);
  expect(readGroup(reader, reads, ["count", null]).results).toEqual([1]);
  reader.close();
});
