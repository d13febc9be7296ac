import { afterEach, expect, test } from "bun:test";
import type { EventLog } from "../stores/event-log/port.ts";
import { StoreUnavailable } from "../stores/unavailable.ts";
import { openSimulatedEventLog } from "../testing/simulated-event-log.ts";
import { openSimulatedGroup } from "../testing/simulated-group.ts";
import { SliceOwners } from "./slice-owners.ts";
import { Slices } from "./slices.ts";

const ANNOUNCE_EVERY_MS = 60_000;
const running: SliceOwners[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map((owners) => owners.stop()));
});

const urlOf = (nodeId: string) => `http://${nodeId}:1`;
const ownerNamed = (nodeId: string) => ({ nodeId, url: urlOf(nodeId) });

/** Nodes over one log; checks happen only when a test asks. */
function openWorld(base: EventLog = openSimulatedEventLog()) {
  const group = openSimulatedGroup(base);
  const world = { nowMs: 1_000, told: [] as unknown[] };
  const start = async (nodeId: string, recordsMax = 10_000) => {
    const log = group.member(nodeId);
    const onTrouble = (error: unknown) => world.told.push(error);
    const slices = await Slices.join({ log, group: "g", onTrouble });
    const owners = new SliceOwners({
      log,
      slices,
      self: ownerNamed(nodeId),
      clock: { nowMs: () => world.nowMs },
      announceEveryMs: ANNOUNCE_EVERY_MS,
      checkEveryMs: 1_000_000,
      recordsMax,
      consumer: { bytesMax: 1 << 16, waitMs: 20, retryMs: 1, onTrouble },
    });
    running.push(owners);
    return owners;
  };
  const noteCount = () => base.endOffset("slice-owners", 0);
  return { world, group, base, start, noteCount };
}

test("every node knows who has a slice, as soon as it is given and wherever it goes", async () => {
  const { group, start } = openWorld();
  const [a, b] = [await start("a"), await start("b")];
  expect(a.ownerOf(3)).toBeNull();
  group.give({ a: [3, 4], b: [5] });
  await Promise.all([a.settled(), b.settled()]);
  for (const owners of [a, b]) {
    expect([3, 4, 5, 6].map((slice) => owners.ownerOf(slice))).toEqual([
      ownerNamed("a"),
      ownerNamed("a"),
      ownerNamed("b"),
      null,
    ]);
  }
  const heard: number[] = [];
  a.onChange((slice) => heard.push(slice));
  group.give({ a: [3] });
  group.give({ b: [4, 5] });
  await a.settled();
  expect(a.ownerOf(4)).toEqual(ownerNamed("b"));
  expect(heard).toEqual([4]);
});

test("a node that starts knows what was announced before it came, as far back as it reads", async () => {
  const { group, start } = openWorld();
  await start("a");
  group.give({ a: [0, 1, 2] });
  const late = await start("late", 2);
  await late.settled();
  expect([0, 1, 2].map((slice) => late.ownerOf(slice)?.nodeId ?? null)).toEqual([null, "a", "a"]);
});

test("a note that comes behind the next owner's is answered with the next check", async () => {
  const { base, group, start } = openWorld();
  const a = await start("a");
  group.give({ a: [2] });
  const stale = { slice: 2, ...ownerNamed("gone"), atMs: 0 };
  await base.append("slice-owners", 2, new TextEncoder().encode(JSON.stringify(stale)));
  await a.settled();
  expect(a.ownerOf(2)).toEqual(ownerNamed("gone"));
  a.check();
  await a.settled();
  expect(a.ownerOf(2)).toEqual(ownerNamed("a"));
});

test("what is known is not said again, until it is long ago", async () => {
  const { world, group, start, noteCount } = openWorld();
  const a = await start("a");
  group.give({ a: [0, 1] });
  await a.settled();
  world.nowMs += ANNOUNCE_EVERY_MS - 1;
  a.check();
  expect(await noteCount()).toBe(2);
  world.nowMs += 1;
  a.check();
  expect(await noteCount()).toBe(4);
});

test("a note that the log did not take is told, and said again by the next check", async () => {
  const base = openSimulatedEventLog();
  const away = { is: true };
  const { world, group, start, noteCount } = openWorld({
    ...base,
    async append(...record) {
      if (away.is) throw new StoreUnavailable("EventLog", "away");
      return base.append(...record);
    },
  });
  const a = await start("a");
  group.give({ a: [7] });
  away.is = false;
  // One try at a time: the first may not have failed yet.
  while ((await noteCount()) === 0) a.check();
  expect(world.told.map(String)).toEqual(["StoreUnavailable: EventLog is unavailable: away"]);
  await a.settled();
  expect(a.ownerOf(7)).toEqual(ownerNamed("a"));
});

test("a node that restarts elsewhere is heard of, and one that restarts in its place is not", async () => {
  const { base, start } = openWorld();
  const a = await start("a");
  const heard: number[] = [];
  a.onChange((slice) => heard.push(slice));
  const note = (url: string) =>
    base.append("slice-owners", 1, new TextEncoder().encode(JSON.stringify({ slice: 1, nodeId: "b", url, atMs: 5 })));
  await note("http://b:1");
  await note("http://b:1");
  await a.settled();
  await note("http://b:2");
  await a.settled();
  expect(heard).toEqual([1, 1]);
  expect(a.ownerOf(1)).toEqual({ nodeId: "b", url: "http://b:2" });
});
