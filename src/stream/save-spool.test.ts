import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { matchId, type UserId, userId } from "../domain/ids.ts";
import type { Match, MatchState } from "../domain/match.ts";
import { seededRandom } from "../domain/random.ts";
import { afterMs } from "../repeat.ts";
import { openEmbeddedCatalog } from "../stores/catalog/embedded.ts";
import { bytesOf, textOf } from "../stores/contract.ts";
import { openEmbeddedEventLog } from "../stores/event-log/embedded.ts";
import { type EventLog, forEachRecord, partitionOf, partitionsOf } from "../stores/event-log/port.ts";
import { openSpoolStore } from "../stores/event-log/spool-store.ts";
import { StoreUnavailable } from "../stores/unavailable.ts";
import { openSimulatedEventLog } from "../testing/simulated-event-log.ts";
import { SaveFence } from "./save-fence.ts";
import { SaveSpool, type SaveSpoolDeps } from "./save-spool.ts";

const START_MS = 10_000;
const match = { id: matchId(1), startMs: START_MS };
const [ada, bob] = [userId(1), userId(2)] as [UserId, UserId];

let directory = "";
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "powerplay-spool-"));
});
afterEach(() => rm(directory, { recursive: true }));

/** A log and a catalog that can be away, and the real fence over them. */
function openWorld() {
  const log = openSimulatedEventLog();
  const world = {
    /** `silent`: what is appended is kept, and nobody hears of it before `heard`. */
    log: "up" as "up" | "away" | "silent",
    heard: Promise.withResolvers<void>(),
    catalogAway: false,
    state: "upcoming" as MatchState,
    lockPositions: null as readonly number[] | null,
    spools: new Set<string>(),
    opening: 0,
    /** What the catalog was asked to do with spools. */
    asked: [] as string[],
    counts: [] as number[],
    troubles: 0,
    spoolAfterMs: 10_000,
    recordsMax: 1_000,
    batchRecords: 100,
  };
  const catalogCall = async (name: string, change: () => void) => {
    if (world.catalogAway) throw new StoreUnavailable("Catalog", "away");
    world.asked.push(name);
    change();
  };
  const append: EventLog["append"] = async (...args) => {
    if (world.log === "away") throw new StoreUnavailable("EventLog", "away");
    const position = await log.append(...args);
    if (world.log === "silent") await world.heard.promise;
    return position;
  };
  const catalog = {
    async openSpool(node: string, opening: number) {
      await catalogCall(`open ${opening}`, () => {
        if (opening <= world.opening) return;
        world.opening = opening;
        world.spools.add(node);
      });
      return { opening: world.opening, isOpen: world.spools.has(node) };
    },
    closeSpool: (node: string, opening: number) =>
      catalogCall(`close ${opening}`, () => opening >= world.opening && world.spools.delete(node)),
    openSpools: async () => [...world.spools],
    match: async () => ({ ...match, state: world.state }) as Match,
    lockPositions: async () => world.lockPositions,
    putLockPositions: async (_: unknown, ends: readonly number[]) => (world.lockPositions ??= ends),
  };
  const fence = new SaveFence({
    catalog,
    log,
    clock: { nowMs: () => START_MS },
    clockSkewMsMax: 100,
    matchesMax: 10,
  });
  const open = async (deps: Partial<SaveSpoolDeps> = {}): Promise<SaveSpool> => {
    const file = join(directory, "spool.sqlite");
    const spool = new SaveSpool({
      log: { append },
      catalog,
      fence,
      nodeId: "node",
      store: { exists: existsSync(file), open: () => openSpoolStore({ file, pendingMax: 10_000 }) },
      spoolAfterMs: world.spoolAfterMs,
      marked: (record) => record,
      recordsMax: world.recordsMax,
      batchRecords: world.batchRecords,
      retryMs: 1,
      onTrouble: () => world.troubles++,
      onCount: (count) => world.counts.push(count),
      after: afterMs,
      ...deps,
    });
    await spool.start();
    return spool;
  };
  return { world, log, fence, open };
}

async function textsIn(log: EventLog, user: UserId): Promise<string[]> {
  const texts: string[] = [];
  const batch = await log.read("team-saves", partitionOf("team-saves", user), 0, 1 << 20, 0);
  forEachRecord(batch, (value) => texts.push(textOf(value)));
  return texts;
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await Bun.sleep(1);
}

test("while the log is up, saves go into it and nothing else is touched", async () => {
  const { world, log, open } = openWorld();
  const spool = await open();
  expect(await spool.append(ada, match, bytesOf("a"))).toEqual({ outcome: "logged", partition: 1, offset: 0 });
  expect(await textsIn(log, ada)).toEqual(["a"]);
  expect(world.asked).toEqual([]);
  expect(existsSync(join(directory, "spool.sqlite"))).toBe(false);
  await spool.stop();
});

test("while it is away they are acknowledged, and are in it, in order, when it is back", async () => {
  const { world, log, open } = openWorld();
  const spool = await open();
  world.log = "away";
  for (let step = 0; step < 20; step++) {
    expect(await spool.append(ada, match, bytesOf(`a${step}`))).toEqual({ outcome: "spooled" });
    expect(await spool.append(bob, match, bytesOf(`b${step}`))).toEqual({ outcome: "spooled" });
  }
  expect([...world.spools]).toEqual(["node"]);
  expect(world.asked).toEqual(["open 0", "open 1"]);
  expect((await spool.ofUser(ada)).map(textOf)).toEqual(Array.from({ length: 20 }, (_, step) => `a${step}`));
  expect(spool.count).toBe(40);
  expect(world.counts.at(-1)).toBe(40);
  world.log = "up";
  await until(() => world.spools.size === 0);
  expect(world.counts.at(-1)).toBe(0);
  expect(await textsIn(log, ada)).toEqual(Array.from({ length: 20 }, (_, step) => `a${step}`));
  expect(await textsIn(log, bob)).toEqual(Array.from({ length: 20 }, (_, step) => `b${step}`));
  expect(await spool.ofUser(ada)).toEqual([]);
  expect(await spool.append(ada, match, bytesOf("later"))).toMatchObject({ outcome: "logged", offset: 20 });
  await spool.stop();
});

test("who has a save in the spool stays behind it, however many saves are under way and whatever the log does", async () => {
  const { world, log, open } = openWorld();
  world.batchRecords = 3;
  const spool = await open();
  const random = seededRandom(7);
  const saves: Promise<unknown>[] = [];
  for (let step = 0; step < 400; step++) {
    if (step % 20 === 0) world.log = random.int(2) === 0 ? "away" : "up";
    saves.push(spool.append(random.int(2) === 0 ? ada : bob, match, bytesOf(String(step))));
    if (random.int(3) === 0) await Bun.sleep(0);
  }
  await Promise.all(saves);
  world.log = "up";
  await until(() => spool.count === 0 && world.spools.size === 0);
  const both = await Promise.all([ada, bob].map((user) => textsIn(log, user)));
  for (const texts of both) {
    const last = [...new Set(texts.toReversed())].reverse().map(Number);
    expect(last).toEqual(last.toSorted((a, b) => a - b));
  }
  expect(new Set(both.flat()).size).toBe(400);
  expect(world.asked).toContain("close 1");
  await spool.stop();
});

test("a log that does not answer is away; what it took all the same is in it twice, and the last is the newest", async () => {
  const { world, log, open } = openWorld();
  world.spoolAfterMs = 5;
  const spool = await open();
  world.log = "silent";
  expect(await spool.append(ada, match, bytesOf("first"))).toEqual({ outcome: "spooled" });
  expect(await spool.append(ada, match, bytesOf("second"))).toEqual({ outcome: "spooled" });
  world.log = "up";
  world.heard.resolve();
  await until(() => world.spools.size === 0);
  const texts = await textsIn(log, ada);
  expect(texts.filter((text) => text === "first").length).toBeGreaterThan(1);
  expect(texts.at(-1)).toBe("second");
  await spool.stop();
});

test("without the catalog no save is spooled, for a match could be locked without it", async () => {
  const { world, log, open } = openWorld();
  const spool = await open();
  world.log = "away";
  world.catalogAway = true;
  await expect(spool.append(ada, match, bytesOf("a"))).rejects.toThrow("Catalog is unavailable");
  expect(spool.count).toBe(0);
  world.catalogAway = false;
  expect(await spool.append(ada, match, bytesOf("b"))).toEqual({ outcome: "spooled" });
  world.log = "up";
  await until(() => world.spools.size === 0 && spool.count === 0);
  expect(await textsIn(log, ada)).toEqual(["b"]);
  await spool.stop();
});

test("a lock waits for what was spooled before it, and what comes after it is refused and never counts", async () => {
  const { world, log, fence, open } = openWorld();
  const spool = await open();
  world.log = "away";
  expect(await spool.append(ada, match, bytesOf("in time"))).toEqual({ outcome: "spooled" });
  world.state = "locked";
  expect(await spool.append(ada, match, bytesOf("late"))).toEqual({ outcome: "too_late" });
  await expect(fence.close(match.id)).rejects.toThrow("may still wait on node node");
  world.log = "up";
  await until(() => world.spools.size === 0);
  expect(await textsIn(log, ada)).toEqual(["in time"]);
  expect((await fence.close(match.id))[partitionOf("team-saves", ada)]).toBe(1);
  await spool.stop();
});

test("nobody's fate is forwarded before it is decided", async () => {
  const { world, log, open } = openWorld();
  const asked = Promise.withResolvers<void>();
  const verdict = Promise.withResolvers<boolean>();
  let askedCount = 0;
  const takesSpooled = async () => {
    if (++askedCount !== 2) return true;
    asked.resolve();
    return verdict.promise;
  };
  const spool = await open({ fence: { takesSpooled } });
  world.log = "away";
  expect(await spool.append(bob, match, bytesOf("b"))).toEqual({ outcome: "spooled" });
  const saving = spool.append(ada, match, bytesOf("undecided"));
  await asked.promise;
  world.log = "up";
  const others = Array.from({ length: 50 }, () => spool.append(bob, match, bytesOf("b")));
  await Bun.sleep(0);
  verdict.resolve(false);
  expect(await saving).toEqual({ outcome: "too_late" });
  await Promise.all(others);
  await until(() => world.spools.size === 0 && spool.count === 0);
  expect(await textsIn(log, ada)).toEqual([]);
  await spool.stop();
});

test("the disk has the spool before the catalog hears of it, so a crash between the two is no loss", async () => {
  const { world, open } = openWorld();
  const first = await open();
  world.log = "away";
  world.catalogAway = true;
  await expect(first.append(ada, match, bytesOf("a"))).rejects.toThrow("Catalog is unavailable");
  expect(existsSync(join(directory, "spool.sqlite"))).toBe(true);
  // The call took effect, and its answer never came.
  world.catalogAway = false;
  world.spools.add("node");
  world.opening = 1;
  await first.stop();
  const second = await open();
  await until(() => world.spools.size === 0);
  await second.stop();
});

test("each opening in the catalog has a number that no earlier process had, and is closed under it", async () => {
  const { world, open } = openWorld();
  world.opening = 7;
  const spool = await open();
  world.log = "away";
  await spool.append(ada, match, bytesOf("a"));
  expect(world.asked).toEqual(["open 0", "open 8"]);
  world.log = "up";
  await until(() => world.spools.size === 0);
  expect(world.asked.at(-1)).toBe("close 8");
  await spool.stop();
});

test("a save that the log may have and the spool no longer takes is not refused, for it may count", async () => {
  const { world, log, open } = openWorld();
  world.spoolAfterMs = 5;
  const spool = await open();
  world.log = "silent";
  world.state = "locked";
  await expect(spool.append(ada, match, bytesOf("a"))).rejects.toThrow("it may have the save or not");
  expect(await textsIn(log, ada)).toEqual(["a"]);
  world.heard.resolve();
  await until(() => world.spools.size === 0);
  expect(await textsIn(log, ada)).toEqual(["a"]);
  await spool.stop();
});

test("a full spool refuses", async () => {
  const { world, open } = openWorld();
  world.recordsMax = 2;
  const spool = await open();
  world.log = "away";
  await spool.append(ada, match, bytesOf("1"));
  await spool.append(bob, match, bytesOf("2"));
  await expect(spool.append(ada, match, bytesOf("3"))).rejects.toThrow("the spool is full");
  await spool.stop();
});

test("what a process leaves, the next one forwards before it takes the same users' saves", async () => {
  const { world, log, open } = openWorld();
  const first = await open();
  world.log = "away";
  await first.append(ada, match, bytesOf("old"));
  await first.stop();
  const second = await open();
  expect(second.count).toBe(1);
  expect(await second.append(ada, match, bytesOf("new"))).toEqual({ outcome: "spooled" });
  world.log = "up";
  await until(() => world.spools.size === 0);
  expect(await textsIn(log, ada)).toEqual(["old", "new"]);
  await second.stop();
});

test("a node whose spool is not on its disk does not start, and its saves can be given up", async () => {
  const { world, open } = openWorld();
  world.spools.add("node");
  await expect(open()).rejects.toThrow("powerplay spool abandon node");
  world.spools.clear();
  await (await open()).stop();
});

const ROUNDS = 5;

test("a process killed at any moment, also while it forwards, loses no acknowledged save, and the order stays", async () => {
  const at = (name: string) => ({ file: join(directory, `${name}.sqlite`), pendingMax: 10_000 });
  const random = seededRandom(11);
  const acknowledged = new Map<number, number[]>();
  let spooledCount = 0;
  let foundCount = 0;
  for (let round = 1; round <= ROUNDS; round++) {
    const victim = Bun.spawn(
      [process.execPath, join(import.meta.dir, "../testing/spool-victim.ts"), directory, String(round)],
      {
        stdout: "pipe",
        stderr: "inherit",
      },
    );
    let text = "";
    const lineCount = 300 + random.int(3_000);
    const decoder = new TextDecoder();
    for await (const chunk of victim.stdout) {
      text += decoder.decode(chunk, { stream: true });
      if (text.split("\n").length > lineCount) victim.kill("SIGKILL");
    }
    await victim.exited;
    expect(victim.signalCode).toBe("SIGKILL");
    for (const line of text.split("\n").slice(0, -1)) {
      const [user, step, outcome] = line.split(" ");
      const steps = acknowledged.get(Number(user)) ?? [];
      steps.push(Number(step));
      acknowledged.set(Number(user), steps);
      if (outcome === "spooled") spooledCount++;
    }
    const [catalog, log] = await Promise.all([openEmbeddedCatalog(at("catalog")), openEmbeddedEventLog(at("log"))]);
    const exists = existsSync(at("spool").file);
    const spool = new SaveSpool({
      log,
      catalog,
      fence: { takesSpooled: async () => true },
      nodeId: "victim",
      store: { exists, open: () => openSpoolStore(at("spool")) },
      spoolAfterMs: 60_000,
      marked: (record) => record,
      recordsMax: 1_000_000,
      batchRecords: 50,
      retryMs: 1,
      onTrouble: (error) => expect(error).toBeNull(),
      onCount: () => undefined,
      after: afterMs,
    });
    await spool.start();
    foundCount += spool.count;
    for (let open = ["?"]; open.length > 0;) open = await catalog.openSpools();
    expect(spool.count).toBe(0);
    for (const partition of partitionsOf("team-saves")) {
      const stepsOf = new Map<number, number[]>();
      const end = await log.endOffset("team-saves", partition);
      for (let offset = 0; offset < end;) {
        const batch = await log.read("team-saves", partition, offset, 1 << 20, 0);
        forEachRecord(batch, (value) => {
          const [user, step] = textOf(value).split(" ").map(Number) as [number, number];
          const steps = stepsOf.get(user) ?? [];
          steps.push(step);
          stepsOf.set(user, steps);
        });
        offset = batch.firstOffset + batch.ends.length;
      }
      for (const [user, steps] of stepsOf) {
        const last = [...new Set(steps.toReversed())].reverse();
        expect(last).toEqual(last.toSorted((a, b) => a - b));
        const inLog = new Set(steps);
        expect((acknowledged.get(user) ?? []).filter((step) => !inLog.has(step))).toEqual([]);
        acknowledged.delete(user);
      }
    }
    expect([...acknowledged.keys()]).toEqual([]);
    await spool.stop();
    await Promise.all([catalog.close(), log.close()]);
  }
  expect(spooledCount).toBeGreaterThan(0);
  expect(foundCount).toBeGreaterThan(0);
}, 60_000);
