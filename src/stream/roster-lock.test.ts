import { expect, test } from "bun:test";
import { type MatchId, matchId } from "../domain/ids.ts";
import type { Match, MatchState } from "../domain/match.ts";
import type { Catalog } from "../stores/catalog/port.ts";
import { MatchCache } from "./match-cache.ts";
import { RosterLock } from "./roster-lock.ts";

const NOW_MS = 1_000_000;
const FOLLOW_BEFORE_MS = 60_000;

/** A lock over these matches; every call of the boards is noted. Checks are far apart, so `start` makes the only one. */
function openLock(matches: readonly Partial<Match>[]) {
  const calls: string[] = [];
  const opened = new Set<MatchId>();
  const catalog = {
    match: async (id: MatchId) => matches.find((match) => match.id === id) as Match,
    matches: async ({ states = [] }: { states?: readonly MatchState[] }) =>
      matches.filter((match) => states.includes(match.state!)) as Match[],
    moveMatch: async (id: MatchId, from: MatchState, to: MatchState) => {
      calls.push(`${id} ${from} → ${to}`);
      Object.assign(
        matches.find((match) => match.id === id)!,
        { state: to },
      );
      return true;
    },
  };
  const lock = new RosterLock({
    catalog,
    matches: new MatchCache(catalog as unknown as Catalog, { matchesMax: 10, ttlMs: 1 }),
    clock: { nowMs: () => NOW_MS },
    checkEveryMs: 1_000_000,
    followBeforeMs: FOLLOW_BEFORE_MS,
    followEveryMs: 1,
    savesDrained: async (id) => void calls.push(`${id} saves drained`),
    joinsSettled: async (id) => void calls.push(`${id} joins settled`),
    boards: {
      has: (id) => opened.has(id),
      follow: async ({ id }) => void calls.push(`${id} followed`),
      async open(id) {
        calls.push(`${id} opened`);
        opened.add(id);
      },
    },
    onTrouble: (error) => calls.push(String(error)),
  });
  return { lock, calls };
}

const upcoming = (id: number, startMs: number): Partial<Match> => ({ id: matchId(id), startMs, state: "upcoming" });

test("the match is locked first, then what was accepted reaches the log, then the boards are built", async () => {
  const { lock, calls } = openLock([upcoming(1, NOW_MS)]);
  expect(await lock.lock(matchId(1))).toBe("locked");
  expect(calls).toEqual(["1 upcoming → locked", "1 saves drained", "1 joins settled", "1 opened"]);
  expect(await lock.lock(matchId(1))).toBe("locked");
  expect(calls).toHaveLength(4);
});

test("a match is followed in the last while before its deadline, and not otherwise", async () => {
  const { lock, calls } = openLock([
    upcoming(1, NOW_MS + FOLLOW_BEFORE_MS),
    upcoming(2, NOW_MS + FOLLOW_BEFORE_MS + 1),
    upcoming(3, NOW_MS + 1),
    { id: matchId(4), startMs: 1, state: "abandoned" },
  ]);
  lock.start();
  await lock.checked();
  await lock.stop();
  expect(calls.sort()).toEqual(["1 followed", "3 followed"]);
});

test("a stop begins no lock, and waits for the look that is under way", async () => {
  const { lock, calls } = openLock([upcoming(1, NOW_MS), upcoming(2, NOW_MS + 1)]);
  lock.start();
  await lock.stop();
  await lock.checked();
  expect(calls).toEqual([]);
});

test("a restarted node opens the boards of matches that are on, and those of paid ones only when asked", async () => {
  const states: MatchState[] = ["locked", "live", "settled", "released"];
  const { lock, calls } = openLock(states.map((state, index) => ({ id: matchId(1 + index), startMs: 1, state })));
  lock.start();
  await lock.checked();
  await lock.stop();
  expect(calls.filter((call) => call.endsWith("opened")).sort()).toEqual(["1 opened", "2 opened", "3 opened"]);
  expect(await lock.lock(matchId(4))).toBe("locked");
  expect(calls.at(-1)).toBe("4 opened");
});
