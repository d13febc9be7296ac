import { expect, test } from "bun:test";
import { openSimulatedHotStore } from "../testing/simulated-hot-store.ts";
import { DailyDuty } from "./daily-duty.ts";

const AT_UTC_MINUTE = 21 * 60 + 30;

/** Nodes that share a hot store and a clock, of which some have the duty. */
function openWorld(now: string) {
  const world = {
    nowMs: Date.parse(now),
    owners: new Set<string>(),
    done: [] as string[],
    failure: null as Error | null,
  };
  const clock = { nowMs: () => world.nowMs };
  const hotStore = openSimulatedHotStore(clock);
  const start = (node: string) =>
    new DailyDuty({
      name: "books",
      atUtcMinute: AT_UTC_MINUTE,
      clock,
      isOurs: () => world.owners.has(node),
      hotStore,
      async work() {
        if (world.failure !== null) throw world.failure;
        world.done.push(`${node} ${new Date(world.nowMs).toISOString().slice(0, 16)}`);
      },
    });
  const at = (time: string) => (world.nowMs = Date.parse(time));
  return { world, hotStore, start, at };
}

test("it is done at its time, once a day", async () => {
  const { world, start, at } = openWorld("2026-03-28T20:00:00Z");
  world.owners.add("a");
  const a = start("a");
  for (const time of ["28T21:29:59", "28T21:30:00", "28T21:30:10", "29T21:29:59", "29T21:30:05", "29T23:59:59"]) {
    at(`2026-03-${time}Z`);
    await a.look();
  }
  expect(world.done).toEqual(["a 2026-03-28T21:30", "a 2026-03-29T21:30"]);
});

test("where it is nobody's at its time, it is done by the first node that has it afterwards, and by no other one", async () => {
  const { world, start, at } = openWorld("2026-03-28T20:00:00Z");
  const nodes = [start("a"), start("b")];
  const lookAll = async () => {
    for (const node of nodes) await node.look();
  };
  at("2026-03-28T21:30:00Z");
  await lookAll();
  expect(world.done).toEqual([]);
  world.owners.add("b");
  at("2026-03-28T21:30:07Z");
  await lookAll();
  world.owners = new Set(["a"]);
  at("2026-03-29T04:00:00Z");
  await lookAll();
  expect(world.done).toEqual(["b 2026-03-28T21:30"]);
});

test("a node that starts leaves what was due before to the others", async () => {
  const { world, start, at } = openWorld("2026-03-28T21:31:00Z");
  world.owners.add("a");
  const a = start("a");
  await a.look();
  expect(world.done).toEqual([]);
  at("2026-03-29T21:30:00Z");
  await a.look();
  expect(world.done).toHaveLength(1);
});

test("a failure is told and tomorrow is another day; another node that gets the duty tries at once", async () => {
  const { world, start, at } = openWorld("2026-03-28T20:00:00Z");
  world.owners.add("a");
  const [a, b] = [start("a"), start("b")];
  at("2026-03-28T21:30:00Z");
  world.failure = new Error("the books are closed");
  await expect(a.look()).rejects.toThrow("the books are closed");
  await a.look();
  world.failure = null;
  await a.look();
  expect(world.done).toEqual([]);
  world.owners = new Set(["b"]);
  await b.look();
  expect(world.done).toEqual(["b 2026-03-28T21:30"]);
});

test("without a hot store it is done all the same", async () => {
  const { world, hotStore, start, at } = openWorld("2026-03-28T20:00:00Z");
  hotStore.get = () => Promise.reject(new Error("away"));
  hotStore.set = () => Promise.reject(new Error("away"));
  world.owners.add("a");
  const a = start("a");
  at("2026-03-28T21:30:00Z");
  await a.look();
  expect(world.done).toHaveLength(1);
});
