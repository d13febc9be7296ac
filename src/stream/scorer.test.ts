import { afterEach, expect, test } from "bun:test";
import { Slices } from "../cluster/slices.ts";
import { forEachRecord, partitionOf, TOPICS } from "../stores/event-log/port.ts";
import type { PointsRow } from "../stores/team-store/port.ts";
import { StoreUnavailable } from "../stores/unavailable.ts";
import { openSimulatedCatalog } from "../testing/simulated-catalog.ts";
import { openSimulatedEventLog } from "../testing/simulated-event-log.ts";
import { aMatch } from "../testing/simulated-game.ts";
import { openSimulatedGroup } from "../testing/simulated-group.ts";
import { openSimulatedTeamStore } from "../testing/simulated-team-store.ts";
import { adaptCricsheet } from "./cricsheet.ts";
import { MatchCache } from "./match-cache.ts";
import { generateMatch } from "./match-generator.ts";
import { decodePointsUpdate } from "./points-update.ts";
import { encodeScoreRecord } from "./score-event.ts";
import { Scorer } from "./scorer.ts";

const adapted = adaptCricsheet(generateMatch(7));
if (!adapted.ok) throw new Error("the generated match is not one");
const { events, squad } = adapted.match;

const running: Scorer[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map((scorer) => scorer.stop()));
});

/** Nodes over the same stores, and a locked match. `before` is called before each row that a node writes to the team store, `asked` before it is read. */
async function openWorld() {
  const base = openSimulatedEventLog();
  const group = openSimulatedGroup(base);
  const teamStore = openSimulatedTeamStore();
  const catalog = openSimulatedCatalog();
  const { id } = await catalog.createMatch({ ...aMatch(1_000), scoringRules: "t20-2026" });
  await catalog.moveMatch(id, "upcoming", "locked");
  const world = {
    rows: [] as { readonly node: string; readonly version: number }[],
    told: [] as unknown[],
    before: async (_node: string, _row: PointsRow): Promise<void> => undefined,
    asked: async (): Promise<void> => undefined,
  };
  const start = async (node: string) => {
    const log = group.member(node);
    const onTrouble = (error: unknown) => world.told.push(error);
    const slices = await Slices.join({ log, group: "g", onTrouble });
    const matches = new MatchCache(catalog, { matchesMax: 10, ttlMs: 1_000_000 });
    const scorer = new Scorer({
      log,
      catalog,
      teamStore: {
        async newestPoints(match) {
          await world.asked();
          return teamStore.newestPoints(match);
        },
        async appendPoints(row) {
          await world.before(node, row);
          world.rows.push({ node, version: row.version });
          await teamStore.appendPoints(row);
        },
      },
      matches,
      slices,
      pollMs: 1,
      consumer: { bytesMax: 1 << 16, waitMs: 5, retryMs: 1, onTrouble },
    });
    running.push(scorer);
    return { scorer, matches };
  };
  const play = async (from: number, to: number) => {
    for (const event of events.slice(from, to)) {
      const record = { kind: "event", matchId: id, receivedAtMs: 5, event } as const;
      await base.append("score-events", id, encodeScoreRecord(record));
    }
  };
  /** Versions in the topic and in the team store. */
  const published = async () => {
    const batch = await base.read("player-points", partitionOf("player-points", id), 0, 1 << 30, 0);
    const versions: number[] = [];
    forEachRecord(batch, (value) => versions.push(decodePointsUpdate(value).version));
    return { versions, rows: (await teamStore.points(id, 0, 10_000)).map(({ version }) => version) };
  };
  const stateNow = async () => (await catalog.match(id))!.state;
  const slice = id % TOPICS["team-saves"].partitionCount;
  return { world, group, catalog, id, slice, start, play, published, stateNow };
}

const versionsOf = (scorer: Scorer, id: Parameters<Scorer["scored"]>[0]): number[] =>
  scorer.scored(id)!.updates.map(({ version }) => version);

const HALF = Math.floor(events.length / 2);

test("every node has the points of the match, one publishes them, and all know when it has", async () => {
  const { world, group, catalog, id, slice, start, play, published, stateNow } = await openWorld();
  await catalog.putSquad(id, squad);
  const [a, b] = [await start("a"), await start("b")];
  group.give({ a: [slice], b: [slice + 1] });
  await play(0, HALF);
  await b.scorer.settled(id);
  expect(await stateNow()).toBe("live");
  await play(HALF, events.length);
  await b.scorer.settled(id);
  // The match has moved before the last update counts as published.
  expect(await stateNow()).toBe("review");
  await a.scorer.settled(id);
  const versions = versionsOf(a.scorer, id);
  expect(versions.length).toBeGreaterThan(200);
  expect(b.scorer.scored(id)!.updates).toEqual(a.scorer.scored(id)!.updates);
  expect(await published()).toEqual({ versions, rows: versions });
  expect(new Set(world.rows.map(({ node }) => node))).toEqual(new Set(["a"]));
});

test("a publisher that dies leaves no gap: the next one publishes exactly what is missing, in order", async () => {
  const { world, group, catalog, id, slice, start, play, published, stateNow } = await openWorld();
  await catalog.putSquad(id, squad);
  const [, b] = [await start("a"), await start("b")];
  group.give({ a: [slice] });
  const [dying, dead] = [Promise.withResolvers<number>(), Promise.withResolvers<void>()];
  world.before = async (node, { version }) => {
    if (node !== "a" || version < HALF) return;
    dying.resolve(version);
    await dead.promise;
    throw new StoreUnavailable("TeamStore", "dead");
  };
  await play(0, events.length);
  const lastVersion = await dying.promise;
  // It was on its way to the team store, and is in the topic already.
  group.give({ b: [slice] });
  await b.scorer.settled(id);
  const versions = versionsOf(b.scorer, id);
  const all = await published();
  expect(all.rows).toEqual(versions);
  expect([...new Set(all.versions)]).toEqual(versions);
  expect(all.versions.filter((version) => version === lastVersion)).toHaveLength(2);
  expect(world.rows.filter(({ node }) => node === "b").map(({ version }) => version)).toEqual(
    versions.filter((version) => version >= lastVersion),
  );
  expect(await stateNow()).toBe("review");
  group.give({ a: [] });
  dead.resolve();
});

test("nobody's match is published when somebody gets it, also when the team store is away at first", async () => {
  const { world, group, catalog, id, slice, start, play, published, stateNow } = await openWorld();
  await catalog.putSquad(id, squad);
  const a = await start("a");
  await play(0, events.length);
  const settled = a.scorer.settled(id);
  while (a.scorer.scored(id)?.updates.at(-1)?.eventId !== events.at(-1)!.id) await Bun.sleep(0);
  expect((await published()).rows).toEqual([]);
  expect(await stateNow()).toBe("locked");
  let failures = 0;
  world.before = async () => {
    if (failures++ < 3) throw new StoreUnavailable("TeamStore", "away");
  };
  group.give({ a: [slice] });
  await settled;
  expect((await published()).rows).toEqual(versionsOf(a.scorer, id));
  expect(world.told.length).toBe(3);
  expect(await stateNow()).toBe("review");
});

test("a team store that is away delays no points and no state; its rows come later, in order", async () => {
  const { world, group, catalog, id, slice, start, play, published, stateNow } = await openWorld();
  await catalog.putSquad(id, squad);
  const a = await start("a");
  group.give({ a: [slice] });
  let isAway = true;
  world.before = async () => {
    if (isAway) throw new StoreUnavailable("TeamStore", "away");
  };
  await play(0, events.length);
  await expect(a.scorer.settled(id)).rejects.toBeInstanceOf(StoreUnavailable);
  const versions = versionsOf(a.scorer, id);
  expect(await published()).toEqual({ versions, rows: [] });
  expect(await stateNow()).toBe("review");
  isAway = false;
  while ((await published()).rows.length < versions.length) await Bun.sleep(0);
  expect(await published()).toEqual({ versions, rows: versions });
  expect(world.rows.map(({ version }) => version)).toEqual(versions);
});

test("a match that comes to a node while the team store is away is published whole", async () => {
  const { world, group, catalog, id, slice, start, play, published } = await openWorld();
  await catalog.putSquad(id, squad);
  const [a, b] = [await start("a"), await start("b")];
  group.give({ a: [slice] });
  await play(0, HALF);
  await a.scorer.settled(id);
  world.asked = async () => {
    throw new StoreUnavailable("TeamStore", "away");
  };
  group.give({ b: [slice] });
  await play(HALF, events.length);
  await expect(b.scorer.settled(id)).rejects.toBeInstanceOf(StoreUnavailable);
  const versions = versionsOf(b.scorer, id);
  const all = await published();
  expect([...new Set(all.versions)]).toEqual(versions);
  world.asked = async () => undefined;
  await b.scorer.settled(id);
  expect((await published()).rows).toEqual(versions);
});

test("two publishers for a moment publish nothing but the same", async () => {
  const { group, catalog, id, slice, start, play, published } = await openWorld();
  await catalog.putSquad(id, squad);
  const [a, b] = [await start("a"), await start("b")];
  group.give({ a: [slice], b: [slice] });
  await play(0, HALF);
  await Promise.all([a.scorer.settled(id), b.scorer.settled(id)]);
  group.give({ a: [] });
  await play(HALF, events.length);
  await Promise.all([a.scorer.settled(id), b.scorer.settled(id)]);
  const { rows, versions } = await published();
  expect(rows).toEqual(versionsOf(a.scorer, id));
  expect([...new Set(versions)].toSorted((x, y) => x - y)).toEqual(rows);
});

test("a match that comes back is published from where others left it", async () => {
  const { world, group, catalog, id, slice, start, play } = await openWorld();
  await catalog.putSquad(id, squad);
  const [a, b] = [await start("a"), await start("b")];
  for (const [index, owner] of ["a", "b", "a"].entries()) {
    group.give({ a: owner === "a" ? [slice] : [], b: owner === "b" ? [slice] : [] });
    await play(index * 50, (index + 1) * 50);
    await Promise.all([a.scorer.settled(id), b.scorer.settled(id)]);
  }
  expect(world.rows.map(({ version }) => version)).toEqual(versionsOf(a.scorer, id));
  expect([...new Set(world.rows.map(({ node }) => node))]).toEqual(["a", "b"]);
});

test("a squad that another node put a moment ago is missed by no ball", async () => {
  const { group, catalog, id, slice, start, play, published } = await openWorld();
  const a = await start("a");
  group.give({ a: [slice] });
  // Asked before there is one, and remembered.
  expect((await a.matches.get(id))!.squad).toBeNull();
  await catalog.putSquad(id, squad);
  await play(0, 10);
  await a.scorer.settled(id);
  expect((await published()).rows).toEqual(versionsOf(a.scorer, id));
});

test("a node that stops lets nobody wait", async () => {
  const { catalog, id, start, play } = await openWorld();
  await catalog.putSquad(id, squad);
  const a = await start("a");
  await play(0, 10);
  const settled = a.scorer.settled(id).then(
    () => null,
    (error: unknown) => error,
  );
  await a.scorer.stop();
  expect(await settled).toBeInstanceOf(StoreUnavailable);
});
