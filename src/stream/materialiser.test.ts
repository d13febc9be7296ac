import { afterEach, expect, test } from "bun:test";
import { Slices } from "../cluster/slices.ts";
import { entryId, teamNo, userId } from "../domain/ids.ts";
import { ROSTER_SIZE } from "../domain/roster.ts";
import { partitionOf } from "../stores/event-log/port.ts";
import type { TeamStore, TeamVersion } from "../stores/team-store/port.ts";
import { StoreUnavailable } from "../stores/unavailable.ts";
import { openSimulatedCatalog } from "../testing/simulated-catalog.ts";
import { openSimulatedEventLog } from "../testing/simulated-event-log.ts";
import { aMatch } from "../testing/simulated-game.ts";
import { openSimulatedGroup } from "../testing/simulated-group.ts";
import { openSimulatedTeamStore } from "../testing/simulated-team-store.ts";
import { MatchCache } from "./match-cache.ts";
import { Materialiser } from "./materialiser.ts";
import { asSpooled, encodeTeamSave, LATE_MS } from "./records.ts";
import { SaveFence } from "./save-fence.ts";

const START_MS = 10_000;
const USER = userId(13);
const PARTITION = partitionOf("team-saves", USER);
const running: Materialiser[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map((materialiser) => materialiser.stop()));
});

/** Nodes over one log and one team store; `hold` is awaited by the next write of a node before it does anything. */
async function openWorld() {
  const base = openSimulatedEventLog();
  const group = openSimulatedGroup(base);
  const teamStore = openSimulatedTeamStore();
  const catalog = openSimulatedCatalog();
  const match = await catalog.createMatch(aMatch(START_MS));
  const entry = entryId(USER, teamNo(1));
  const world = { writes: [] as string[], hold: null as Promise<void> | null };
  const start = async (node: string) => {
    const log = group.member(node);
    const onTrouble = () => undefined;
    const slices = await Slices.join({ log, group: "g", onTrouble });
    const fence = new SaveFence({ catalog, log, clock: { nowMs: () => 5_000 }, clockSkewMsMax: 0, matchesMax: 10 });
    const watched: TeamStore = {
      ...teamStore,
      async appendTeams(...batch) {
        const { hold } = world;
        world.hold = null;
        world.writes.push(node);
        await hold;
        await teamStore.appendTeams(...batch);
      },
    };
    const materialiser = new Materialiser({
      log,
      teamStore: watched,
      matches: new MatchCache(catalog, { matchesMax: 10, ttlMs: 1_000 }),
      fence,
      slices,
      pollMs: 1,
      consumer: { bytesMax: 1 << 16, waitMs: 5, retryMs: 1, onTrouble },
    });
    running.push(materialiser);
    return { materialiser, slices };
  };
  const save = (serverTsMs: number, marked = (record: Uint8Array) => record) => {
    const roster = Uint8Array.from({ length: ROSTER_SIZE }, (_, index) => index);
    const record = encodeTeamSave({ entryId: entry, matchId: match.id, serverTsMs, roster });
    return base.append("team-saves", USER, marked(record));
  };
  const stored = async (): Promise<number[]> =>
    (await teamStore.versions(match.id, entry)).map(({ savedAtMs }: TeamVersion) => savedAtMs);
  return { world, group, start, save, stored };
}

test("one node stores the saves of a slice, and every node can wait for it", async () => {
  const { world, group, start, save, stored } = await openWorld();
  const [a, b] = [await start("a"), await start("b")];
  group.give({ a: [PARTITION], b: [PARTITION + 1] });
  await save(1);
  await b.materialiser.materialised(PARTITION);
  expect(await stored()).toEqual([1]);
  await save(2);
  await a.materialiser.materialised(PARTITION);
  expect(await stored()).toEqual([1, 2]);
  expect(new Set(world.writes)).toEqual(new Set(["a"]));
});

test("a slice that nobody has waits in the log, and whoever gets it goes on where the last one stopped", async () => {
  const { world, group, start, save, stored } = await openWorld();
  const [a, b] = [await start("a"), await start("b")];
  group.give({ a: [PARTITION] });
  await save(1);
  await a.materialiser.materialised(PARTITION);
  group.give({ a: [] });
  await save(2);
  const waiting = [a, b].map(({ materialiser }) => materialiser.materialised(PARTITION));
  group.give({ b: [PARTITION] });
  await Promise.all(waiting);
  expect(await stored()).toEqual([1, 2]);
  expect(world.writes).toEqual(["a", "b"]);
});

test("a slice that goes away while somebody waits for it is waited for at its next node", async () => {
  const { world, group, start, save, stored } = await openWorld();
  const [a] = [await start("a"), await start("b")];
  const held = Promise.withResolvers<void>();
  world.hold = held.promise;
  group.give({ a: [PARTITION] });
  await save(1);
  const waiting = a.materialiser.materialised(PARTITION);
  while (world.writes.length === 0) await Bun.sleep(0);
  group.give({ a: [], b: [PARTITION] });
  await waiting;
  // The first node's write arrives behind the second's, which has gone further by then.
  await save(2);
  await a.materialiser.materialised(PARTITION);
  held.resolve();
  await a.materialiser.stop();
  expect(await stored()).toEqual([1, 2]);
});

test("a slice that comes back while its last batch is under way is followed again", async () => {
  const { world, group, start, save, stored } = await openWorld();
  const a = await start("a");
  const held = Promise.withResolvers<void>();
  world.hold = held.promise;
  group.give({ a: [PARTITION] });
  await save(1);
  while (world.writes.length === 0) await Bun.sleep(0);
  group.give({ a: [] });
  group.give({ a: [PARTITION] });
  await a.materialiser.materialised(PARTITION);
  expect(await stored()).toEqual([1]);
  held.resolve();
});

test("a node that stops lets nobody wait", async () => {
  const { start, save } = await openWorld();
  const a = await start("a");
  await save(1);
  const waiting = a.materialiser.materialised(PARTITION).then(
    () => null,
    (error: unknown) => error,
  );
  await a.materialiser.stop();
  expect(await waiting).toBeInstanceOf(StoreUnavailable);
});

test("what is not before the deadline is dropped, by whichever node", async () => {
  const { group, start, save, stored } = await openWorld();
  const a = await start("a");
  group.give({ a: [PARTITION] });
  await save(START_MS - 1);
  await save(START_MS);
  await a.materialiser.materialised(PARTITION);
  expect(await stored()).toEqual([START_MS - 1]);
});

test("what comes out of a spool behind a later save of its team counts no more, whether that is stored or in the batch", async () => {
  const { group, start, save, stored } = await openWorld();
  const a = await start("a");
  await save(5);
  await save(3, asSpooled);
  await save(7, asSpooled);
  group.give({ a: [PARTITION] });
  await a.materialiser.materialised(PARTITION);
  expect(await stored()).toEqual([5, 7]);
  await save(6, asSpooled);
  await save(4);
  await save(4, asSpooled);
  await a.materialiser.materialised(PARTITION);
  expect(await stored()).toEqual([5, 7, 4]);
});

test("what is so late that its append was given up counts no more, and what two clocks may differ by is not late", async () => {
  const { group, start, save, stored } = await openWorld();
  const a = await start("a");
  await save(1_000);
  await save(1_000 - LATE_MS - 1);
  await save(1_000 - LATE_MS);
  group.give({ a: [PARTITION] });
  await a.materialiser.materialised(PARTITION);
  expect(await stored()).toEqual([1_000, 1_000 - LATE_MS]);
  // Against the newest that counted, which is not the last.
  await save(1_000 - LATE_MS - 1);
  await save(1_001);
  await a.materialiser.materialised(PARTITION);
  expect(await stored()).toEqual([1_000, 1_000 - LATE_MS, 1_001]);
});

test("a node that goes on where another stopped knows how late a save is", async () => {
  const { group, start, save, stored } = await openWorld();
  const [a, b] = [await start("a"), await start("b")];
  group.give({ a: [PARTITION] });
  await save(1_000);
  await a.materialiser.materialised(PARTITION);
  group.give({ a: [], b: [PARTITION] });
  await save(500);
  await save(1_001);
  await b.materialiser.materialised(PARTITION);
  expect(await stored()).toEqual([1_000, 1_001]);
});

test("a batch that ends after the slice has gone and come back takes nothing from what the node knows by then", async () => {
  const { world, group, start, save, stored } = await openWorld();
  const [a, b] = [await start("a"), await start("b")];
  const held = Promise.withResolvers<void>();
  world.hold = held.promise;
  group.give({ a: [PARTITION] });
  await save(1);
  while (world.writes.length === 0) await Bun.sleep(0);
  group.give({ a: [], b: [PARTITION] });
  await save(1_000);
  await b.materialiser.materialised(PARTITION);
  group.give({ a: [PARTITION], b: [] });
  await a.materialiser.materialised(PARTITION);
  held.resolve();
  await new Promise<void>((resolve) => void setImmediate(resolve));
  await save(500);
  await a.materialiser.materialised(PARTITION);
  expect(await stored()).toEqual([1, 1_000]);
});
