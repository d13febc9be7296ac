import { describe, expect, test } from "bun:test";
import { openSimulatedHotStore } from "../../testing/simulated-hot-store.ts";
import { hotStoreContract } from "./contract.ts";
import { openEmbeddedHotStore } from "./embedded.ts";
import type { HotStore } from "./port.ts";

const time = { ms: 1_000 };
const clock = { nowMs: () => time.ms };
const hand = {
  runs: false,
  async advance(ms: number) {
    time.ms += ms;
  },
};

const inMemory = (open: () => HotStore) => async () => {
  const store = open();
  return { store, reopen: async () => store, dispose: () => store.close() };
};

describe("hot store: embedded", () => {
  hotStoreContract(
    inMemory(() => openEmbeddedHotStore({ clock, bytesMax: 1 << 20, bucketsMax: 1_000, boardBytesMax: 1 << 20 })),
    hand,
  );

  test("memory is bounded: past its size the least recently used vanish", async () => {
    const store = openEmbeddedHotStore({ clock, bytesMax: 10_000, bucketsMax: 10, boardBytesMax: 1 << 20 });
    for (let index = 0; index < 100; index++) await store.set(`k${index}`, new Uint8Array(1_000), 60_000);
    const present = await Promise.all(Array.from({ length: 100 }, (_, index) => store.get(`k${index}`)));
    expect(present.filter((value) => value !== null).length).toBeLessThan(10);
    expect(present.at(-1)).not.toBeNull();
  });
});

describe("hot store: simulated", () =>
  hotStoreContract(
    inMemory(() => openSimulatedHotStore(clock)),
    hand,
  ));
