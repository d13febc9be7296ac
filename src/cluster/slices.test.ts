import { expect, test } from "bun:test";
import { userId } from "../domain/ids.ts";
import { partitionOf, partitionsOf } from "../stores/event-log/port.ts";
import { openSimulatedEventLog } from "../testing/simulated-event-log.ts";
import { openSimulatedGroup } from "../testing/simulated-group.ts";
import { type SliceChange, Slices } from "./slices.ts";

const onTrouble = (error: unknown) => {
  throw error;
};

async function join() {
  const group = openSimulatedGroup(openSimulatedEventLog());
  const slices = await Slices.join({ log: group.member("a"), group: "g", onTrouble });
  const changes: SliceChange[] = [];
  slices.onChange((change) => changes.push(change));
  return { group, slices, changes };
}

test("a node that is alone has one slice of all partitions and all users, also when it leaves", async () => {
  const slices = Slices.single();
  expect([slices.count, [...slices.owned], slices.sliceOf(userId(13))]).toEqual([1, [0], 0]);
  expect(slices.partitionsOf(0)).toEqual(partitionsOf("team-saves"));
  await slices.leave();
  expect([...slices.owned]).toEqual([0]);
});

test("in a cluster a slice is a partition, and a user's is where the user's records are", async () => {
  const { slices } = await join();
  expect(slices.count).toBe(partitionsOf("team-saves").length);
  for (const user of [1, 7, 8, 1_000_003].map(userId)) {
    expect(slices.partitionsOf(slices.sliceOf(user))).toEqual([partitionOf("contest-joins", user)]);
  }
});

test("listeners hear what came and what went, when the node has it already, and nothing when nothing changed", async () => {
  const { group, slices, changes } = await join();
  expect(slices.owned.size).toBe(0);
  slices.onChange(() => expect([...slices.owned].at(-1)).toBe(changes.length + 1));
  group.give({ a: [1, 2] });
  group.give({ a: [1, 2] });
  group.give({ a: [2, 3] });
  expect(changes).toEqual([
    { gained: [1, 2], lost: [] },
    { gained: [3], lost: [1] },
  ]);
});

test("whoever stopped listening hears nothing more", async () => {
  const { group, slices } = await join();
  let heard = 0;
  const stop = slices.onChange(() => heard++);
  group.give({ a: [1] });
  stop();
  group.give({ a: [2] });
  expect(heard).toBe(1);
});

test("a node that leaves gives all of it back, and takes nothing more", async () => {
  const { group, slices, changes } = await join();
  group.give({ a: [4] });
  const leaving = slices.leave();
  group.give({ a: [5] });
  await leaving;
  expect(slices.owned.size).toBe(0);
  expect(changes.at(-1)).toEqual({ gained: [], lost: [4] });
  expect(group.members).toEqual([]);
});

test("a listener that throws is told of, and keeps the others from nothing", async () => {
  const group = openSimulatedGroup(openSimulatedEventLog());
  const told: unknown[] = [];
  const slices = await Slices.join({ log: group.member("a"), group: "g", onTrouble: (error) => told.push(error) });
  const heard: SliceChange[] = [];
  slices.onChange(() => {
    throw new Error("deaf");
  });
  slices.onChange((change) => heard.push(change));
  group.give({ a: [0] });
  expect(told.map(String)).toEqual(["Error: deaf"]);
  expect(heard).toEqual([{ gained: [0], lost: [] }]);
});
