import { expect, test } from "bun:test";
import type { MatchId } from "../domain/ids.ts";
import type { Match } from "../domain/match.ts";
import { StoreUnavailable } from "../stores/unavailable.ts";
import { openSimulatedCatalog } from "../testing/simulated-catalog.ts";
import { aMatch } from "../testing/simulated-game.ts";
import { MatchCache } from "./match-cache.ts";

async function openWorld() {
  const catalog = openSimulatedCatalog();
  const { id } = await catalog.createMatch(aMatch(1_000));
  const world = { before: async (): Promise<void> => undefined, nowMs: 0 };
  const match = async (asked: MatchId): Promise<Match | null> => {
    await world.before();
    return catalog.match(asked);
  };
  const limits = { matchesMax: 10, ttlMs: 100, patienceMs: 1 };
  const cache = new MatchCache({ match, squad: catalog.squad }, limits, { nowMs: () => world.nowMs });
  return { cache, catalog, id, world };
}

const away = () => Promise.reject(new StoreUnavailable("Catalog", "away"));
const stateOf = async (cache: MatchCache, id: MatchId) => (await cache.get(id))!.match.state;

test("a catalog that is away is not missed for a match that it has told of, and asked again", async () => {
  const { cache, catalog, id, world } = await openWorld();
  world.before = away;
  await expect(cache.get(id)).rejects.toBeInstanceOf(StoreUnavailable);
  world.before = async () => undefined;
  expect(await stateOf(cache, id)).toBe("upcoming");
  world.before = away;
  world.nowMs += 101;
  expect(await stateOf(cache, id)).toBe("upcoming");
  await catalog.moveMatch(id, "upcoming", "locked");
  world.before = async () => undefined;
  world.nowMs += 101;
  expect(await stateOf(cache, id)).toBe("locked");
});

test("one that hangs is waited for only where it has not told before", async () => {
  const { cache, id, world } = await openWorld();
  expect(await stateOf(cache, id)).toBe("upcoming");
  world.before = () => new Promise(() => undefined);
  world.nowMs += 101;
  expect(await stateOf(cache, id)).toBe("upcoming");
});

test("what has changed is never said as it was before", async () => {
  const { cache, id, world } = await openWorld();
  await cache.get(id);
  cache.forget(id);
  world.before = away;
  await expect(cache.get(id)).rejects.toBeInstanceOf(StoreUnavailable);
});

test("nor by a read that was under way when it changed", async () => {
  const { cache, id, world } = await openWorld();
  const held = Promise.withResolvers<void>();
  world.before = () => held.promise;
  const asking = cache.get(id);
  cache.forget(id);
  held.resolve();
  await asking;
  world.before = away;
  await expect(cache.get(id)).rejects.toBeInstanceOf(StoreUnavailable);
});

test("a bug is no outage", async () => {
  const { cache, id, world } = await openWorld();
  await cache.get(id);
  world.nowMs += 101;
  world.before = () => Promise.reject(new TypeError("a bug"));
  await expect(cache.get(id)).rejects.toBeInstanceOf(TypeError);
});
