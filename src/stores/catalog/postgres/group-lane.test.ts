import { expect, test } from "bun:test";
import { StoreUnavailable } from "../../unavailable.ts";
import { AGAIN, GroupLane } from "./group-lane.ts";

const LIMITS = { callsPerGroupMax: 100, waitingMax: 100 };
const turn = () => new Promise<void>((resolve) => void setImmediate(resolve));

test("what arrives during a commit goes as the next group", async () => {
  const groups: number[][] = [];
  const first = Promise.withResolvers<void>();
  const lane = new GroupLane<number, number>({ groupsMax: 1, ...LIMITS }, async (calls) => {
    groups.push([...calls]);
    if (groups.length === 1) await first.promise;
    return calls.map((call) => call * 10);
  });
  const one = lane.call(1);
  while (groups.length === 0) await turn();
  const rest = [lane.call(2), lane.call(3)];
  first.resolve();
  expect(await Promise.all([one, ...rest])).toEqual([10, 20, 30]);
  expect(groups).toEqual([[1], [2, 3]]);
});

test("a call with a fault fails alone", async () => {
  const lane = new GroupLane<number, number>({ groupsMax: 2, ...LIMITS }, async (calls) => {
    if (calls.includes(5)) throw new Error("five");
    return [...calls];
  });
  const results = await Promise.allSettled(Array.from({ length: 9 }, (_, call) => lane.call(call)));
  const failed = results.flatMap((result, call) =>
    result.status === "rejected" ? [[call, String(result.reason)]] : [],
  );
  expect(failed).toEqual([[5, "Error: five"]]);
});

test("a lost server fails the whole group at once, and is not asked again for each call", async () => {
  let asked = 0;
  const lane = new GroupLane<number, number>({ groupsMax: 1, ...LIMITS }, async () => {
    asked++;
    throw new StoreUnavailable("Catalog", "gone");
  });
  const results = await Promise.allSettled([lane.call(1), lane.call(2)]);
  expect(results.every(({ status }) => status === "rejected")).toBe(true);
  expect(asked).toBe(1);
});

test("those who wait while the server is lost hear so with the group, and past a bound at once", async () => {
  const lost = Promise.withResolvers<number[]>();
  const groups: number[][] = [];
  const lane = new GroupLane<number, number>({ groupsMax: 1, ...LIMITS, waitingMax: 3 }, (calls) => {
    groups.push([...calls]);
    return groups.length === 1 ? lost.promise : Promise.resolve([...calls]);
  });
  const first = lane.call(0);
  while (groups.length === 0) await turn();
  const waiting = Promise.allSettled([first, lane.call(1), lane.call(2), lane.call(3)]);
  await expect(lane.call(4)).rejects.toThrow("too many calls wait");
  lost.reject(new StoreUnavailable("Catalog", "no answer"));
  expect((await waiting).map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected", "rejected"]);
  expect(await lane.call(5)).toBe(5);
  expect(groups).toEqual([[0], [5]]);
});

test("what changed in between is asked again with the next group, but not for ever", async () => {
  let asked = 0;
  const lane = new GroupLane<number, number>({ groupsMax: 1, ...LIMITS }, async (calls) => {
    asked++;
    return calls.map((call) => (call === 1 && asked < 3 ? AGAIN : call === 2 ? AGAIN : call));
  });
  expect(await lane.call(1)).toBe(1);
  expect(asked).toBe(3);
  await expect(lane.call(2)).rejects.toThrow(StoreUnavailable);
});
