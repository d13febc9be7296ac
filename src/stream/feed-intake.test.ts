import { expect, test } from "bun:test";
import type { MatchId } from "../domain/ids.ts";
import type { MatchState } from "../domain/match.ts";
import type { EventLog } from "../stores/event-log/port.ts";
import { StoreUnavailable } from "../stores/unavailable.ts";
import { openSimulatedCatalog } from "../testing/simulated-catalog.ts";
import { openSimulatedEventLog } from "../testing/simulated-event-log.ts";
import { aMatch, SQUAD } from "../testing/simulated-game.ts";
import { openSimulatedHotStore } from "../testing/simulated-hot-store.ts";
import { scoreRecords, simulatedBall } from "../testing/simulated-scores.ts";
import { FeedIntake } from "./feed-intake.ts";
import { MatchCache } from "./match-cache.ts";

const clock = { nowMs: () => 1_000 };

async function intakeOf(wrap: (log: EventLog) => EventLog = (log) => log) {
  const catalog = openSimulatedCatalog();
  const log = openSimulatedEventLog();
  const { id } = await catalog.createMatch(aMatch(0));
  await catalog.putSquad(id, SQUAD);
  const states: MatchState[] = ["upcoming", "locked", "live", "review", "settled", "released"];
  const moveTo = async (target: MatchState) => {
    const at = states.indexOf((await catalog.match(id))!.state);
    for (let next = at; states[next] !== target; next++) await catalog.moveMatch(id, states[next]!, states[next + 1]!);
  };
  const matches = new MatchCache(catalog, { matchesMax: 10, ttlMs: 1_000 });
  const hotStore = openSimulatedHotStore(clock);
  const intake = new FeedIntake({
    log: wrap(log),
    catalog,
    hotStore,
    matches,
    clock,
    dedupTtlMs: 1_000,
    patienceMs: 1,
  });
  const counted = async (match: MatchId) => {
    const records = await scoreRecords(log, match);
    const mark = records.findIndex(({ kind }) => kind === "release");
    return records.slice(0, mark < 0 ? undefined : mark).length;
  };
  return { catalog, matches, intake, id, moveTo, counted, state: async () => (await catalog.match(id))!.state };
}

test("a correction of a settled match counts and re-opens its review", async () => {
  const { intake, id, moveTo, counted, state } = await intakeOf();
  await moveTo("review");
  expect(await intake.accept(id, simulatedBall("b1", 0, 4))).toEqual({ ok: true, applied: true });
  expect(await state()).toBe("review");
  await moveTo("settled");
  expect(await intake.accept(id, simulatedBall("b2", 0, 4))).toEqual({ ok: true, applied: true });
  expect(await state()).toBe("review");
  expect(await counted(id)).toBe(2);
});

test("after the release a correction is refused and re-opens nothing, also where the cache still says settled", async () => {
  const { catalog, matches, intake, id, moveTo, counted, state } = await intakeOf();
  await moveTo("settled");
  await matches.get(id);
  await catalog.moveMatch(id, "settled", "released");
  await intake.close(id);
  expect(await intake.accept(id, simulatedBall("b1", 0, 4))).toEqual({ ok: false, refusal: "match_over" });
  matches.forget(id);
  expect(await intake.accept(id, simulatedBall("b1", 0, 4))).toEqual({ ok: false, refusal: "match_over" });
  expect(await state()).toBe("released");
  expect(await counted(id)).toBe(0);
});

test.each(["before", "after"] as const)(
  "of a correction that meets the release on its way to the log, the log decides: the mark comes %s it",
  async (order) => {
    const release: { now: () => Promise<void> } = { now: async () => undefined };
    const { intake, id, moveTo, counted } = await intakeOf((log) => ({
      ...log,
      async append(topic, key, value) {
        const isEvent = new TextDecoder().decode(value).includes(`"kind":"event"`);
        if (isEvent && order === "before") await release.now();
        const position = await log.append(topic, key, value);
        if (isEvent && order === "after") await release.now();
        return position;
      },
    }));
    await moveTo("review");
    release.now = async () => {
      await moveTo("released");
      await intake.close(id);
    };
    const result = await intake.accept(id, simulatedBall("b1", 0, 4));
    expect(result.ok).toBe(order === "after");
    expect(await counted(id)).toBe(order === "after" ? 1 : 0);
  },
);

test.each([
  ["is away", () => Promise.reject(new StoreUnavailable("Catalog", "away"))],
  ["hangs", () => new Promise<never>(() => undefined)],
])("while the catalog %s balls are taken, and the release mark in the log decides", async (_, unanswered) => {
  const { catalog, intake, id, matches, moveTo, counted } = await intakeOf();
  await moveTo("live");
  await matches.get(id);
  catalog.match = unanswered;
  expect(await intake.accept(id, simulatedBall("b1", 0, 4))).toEqual({ ok: true, applied: true });
  expect(await counted(id)).toBe(1);
  await intake.close(id);
  expect(await intake.accept(id, simulatedBall("b2", 0, 4))).toEqual({ ok: false, refusal: "match_over" });
  expect(await counted(id)).toBe(1);
});
