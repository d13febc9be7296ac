import { expect, test } from "bun:test";
import { matchId } from "../domain/ids.ts";
import type { Match, MatchState } from "../domain/match.ts";
import { SaveFence } from "./save-fence.ts";

const START_MS = 10_000;
const SKEW_MS = 100;
const match = { id: matchId(3), startMs: START_MS };

/** A catalog and a log that count what they are asked, and a catalog that can be held. */
function openWorld() {
  const world = {
    nowMs: START_MS,
    state: "upcoming" as MatchState,
    written: null as readonly number[] | null,
    ends: [5, 0, 0, 0, 0, 0, 0, 0],
    spools: [] as string[],
    looks: 0,
    held: null as Promise<void> | null,
  };
  const open = () =>
    new SaveFence({
      catalog: {
        async match() {
          world.looks++;
          const { state } = world;
          await world.held;
          return { ...match, state } as Match;
        },
        lockPositions: async () => world.written,
        openSpools: async () => world.spools,
        putLockPositions: async (_, positions) => (world.written ??= positions),
      },
      log: { endOffset: async (_, partition) => world.ends[partition]! },
      clock: { nowMs: () => world.nowMs },
      clockSkewMsMax: SKEW_MS,
      matchesMax: 10,
    });
  return { world, open };
}

test("before any node may lock the match, every save counts and nobody is asked", async () => {
  const { world, open } = openWorld();
  world.nowMs = START_MS - SKEW_MS - 1;
  expect(await open().endOf(match, 0)).toBe(Number.POSITIVE_INFINITY);
  expect(world.looks).toBe(0);
});

test("while the match is upcoming, what is durable counts", async () => {
  const { world, open } = openWorld();
  expect(await open().endOf(match, 0)).toBe(Number.POSITIVE_INFINITY);
  expect(world.written).toBeNull();
});

test("once it is locked, the first who asks or closes writes the ends, for all nodes and for ever", async () => {
  const { world, open } = openWorld();
  const [one, other] = [open(), open()];
  world.state = "locked";
  expect(await one.endOf(match, 0)).toBe(5);
  world.ends = [9, 1, 0, 0, 0, 0, 0, 0];
  expect(await other.close(match.id)).toEqual([5, 0, 0, 0, 0, 0, 0, 0]);
  expect(await other.endOf(match, 1)).toBe(0);
  expect(await open().endOf(match, 0)).toBe(5);
});

test("while a node may hold saves that are not in the log, no ends are written, and it takes saves until the lock", async () => {
  const { world, open } = openWorld();
  const fence = open();
  world.spools = ["node-2"];
  expect(await fence.takesSpooled(match)).toBe(true);
  world.state = "locked";
  expect(await fence.takesSpooled(match)).toBe(false);
  await expect(fence.close(match.id)).rejects.toThrow("may still wait on node node-2");
  expect(world.written).toBeNull();
  world.ends = [6, 0, 0, 0, 0, 0, 0, 0];
  world.spools = [];
  expect((await fence.close(match.id))[0]).toBe(6);
});

test("those who ask while a look is under way share the next one, for that one began before they knew", async () => {
  const { world, open } = openWorld();
  const fence = open();
  const hold = Promise.withResolvers<void>();
  world.held = hold.promise;
  const early = fence.endOf(match, 0);
  // The match is locked, and its saves end, after the early look read that it was upcoming.
  world.state = "locked";
  const late = Array.from({ length: 1_000 }, () => fence.endOf(match, 0));
  hold.resolve();
  expect(await early).toBe(Number.POSITIVE_INFINITY);
  expect(new Set(await Promise.all(late))).toEqual(new Set([5]));
  expect(world.looks).toBe(2);
  expect(await fence.endOf(match, 0)).toBe(5);
  expect(world.looks).toBe(2);
});

test("a catalog that is away fails those who asked, and the next look goes on", async () => {
  const { world, open } = openWorld();
  const fence = open();
  const hold = Promise.withResolvers<void>();
  world.held = hold.promise;
  const asked = Promise.allSettled([fence.endOf(match, 0), fence.endOf(match, 0)]);
  world.state = "locked";
  hold.reject(new Error("away"));
  expect((await asked).map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  world.held = null;
  expect(await fence.endOf(match, 0)).toBe(5);
});
