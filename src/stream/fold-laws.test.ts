import { describe, expect, test } from "bun:test";
import type { FeedEvent } from "../domain/feed.ts";
import type { PointsVector } from "../domain/points.ts";
import { type Random, seededRandom } from "../domain/random.ts";
import type { CricketScore } from "../domain/scoring/cricket-score.ts";
import { SCORING_RULES } from "../domain/scoring/rule-sets.ts";
import { createMatchScore } from "../domain/scoring/sports.ts";
import { cricketFiles, hasCricketData, readCricketFile } from "../testing/cricket-data.ts";
import { adaptCricsheet, type CricsheetMatch } from "./cricsheet.ts";
import { generateMatch } from "./match-generator.ts";

function adapted(json: unknown): CricsheetMatch {
  const result = adaptCricsheet(json);
  if (!result.ok) throw new Error(result.faults.map((fault) => `${fault.field} ${fault.message}`).join("; "));
  return result.match;
}

function fold(rules: string, match: CricsheetMatch, events: Iterable<FeedEvent>): CricketScore {
  const score = createMatchScore(rules, match.squad);
  for (const event of events) score.apply(event);
  return score;
}

/** Everything that can be seen of a score. Statistics by innings come in the order in which a player was first seen. */
const visible = (score: CricketScore, match: CricsheetMatch) => ({
  points: score.points(),
  stats: match.squad.players.map((_, index) => {
    const { innings, ...sums } = score.statsOf(index)!;
    const played = innings.filter(({ stats }) => stats.runs !== 0 || stats.timesOut !== 0 || stats.wickets !== 0);
    return { ...sums, innings: played.toSorted((a, b) => a.number - b.number) };
  }),
  scoreboard: score.scoreboard(),
  reasons: score.reasons(),
});

/** Somebody else's event altogether, or somebody else's ball at this one's place in the over. */
function misreported(event: FeedEvent, final: readonly FeedEvent[], random: Random): FeedEvent {
  const other = random.pick(final);
  if (event.type !== "ball" || other.type !== "ball" || random.chance(0.5)) return other;
  const { innings, superOver, over, ballInOver } = event;
  return { ...other, innings, superOver, over, ballInOver };
}

/**
 * A bad day at the provider's: balls first reported with somebody else's content, balls that never happened and are withdrawn,
 * everything sent again and again, in any order.
 */
function badDay(final: readonly FeedEvent[], random: Random): { deliveries: FeedEvent[]; final: FeedEvent[] } {
  const corrected = final.map((event) => ({ ...event, version: 1 + random.weighted([6, 3, 1]) }));
  const deliveries: FeedEvent[] = [...corrected];
  for (const event of corrected) {
    for (let version = 1; version < event.version; version++) {
      deliveries.push({ ...misreported(event, final, random), id: event.id, version });
    }
    while (random.chance(0.2)) deliveries.push(random.pick(deliveries));
  }
  const voids: FeedEvent[] = Array.from({ length: 10 }, (_, index) => ({
    type: "void",
    id: `phantom ${index}`,
    version: 2,
    atMs: 0,
  }));
  const phantoms = voids.map((event) => ({ ...random.pick(final), id: event.id, version: 1 }));
  return { deliveries: random.shuffle([...deliveries, ...voids, ...phantoms]), final: [...corrected, ...voids] };
}

function expectOrderMakesNoDifference(rules: string, match: CricsheetMatch, seed: number): void {
  const random = seededRandom(seed);
  const day = badDay(match.events, random);
  const scrambled = visible(fold(rules, match, day.deliveries), match);
  expect(scrambled).toEqual(visible(fold(rules, match, day.final), match));
  // Versions and phantoms aside, it is the match as it was played.
  expect(scrambled.points).toEqual(fold(rules, match, match.events).points());
}

function expectReasonsAddUp(score: CricketScore): void {
  const sums: PointsVector = new Int16Array(64);
  for (const line of score.reasons()) sums[line.poolIndex]! += line.qp;
  expect(sums).toEqual(score.points());
}

describe("matches of our own", () => {
  const rules = Object.keys(SCORING_RULES);

  test.each(rules)(
    "any order of duplicates, corrections and late balls gives the fold of the final versions: %s",
    (name) => {
      for (let seed = 0; seed < 4; seed++) expectOrderMakesNoDifference(name, adapted(generateMatch(seed)), seed);
    },
  );

  test("at every moment of a bad day the points are those of a fold from scratch over what is known", () => {
    const match = adapted(generateMatch(11));
    const { deliveries } = badDay(match.events, seededRandom(11));
    const score = createMatchScore("t20-2026", match.squad);
    const known = new Map<string, FeedEvent>();
    for (const [index, event] of deliveries.entries()) {
      const before = score.points();
      const isNews = event.version > (known.get(event.id)?.version ?? 0);
      if (isNews) known.set(event.id, event);
      const applied = score.apply(event);
      expect(applied.applied).toBe(isNews);
      const changed = applied.applied ? applied.changed : [];
      for (const { poolIndex, oldQp, newQp } of changed) {
        expect(before[poolIndex]).toBe(oldQp);
        before[poolIndex] = newQp;
      }
      expect(before).toEqual(score.points());
      if (index % 20 === 0) expect(fold("t20-2026", match, known.values()).points()).toEqual(score.points());
    }
  });

  test.each(rules)("reason lines of a player add up to the points: %s", (name) => {
    for (let seed = 20; seed < 25; seed++) {
      const match = adapted(generateMatch(seed));
      expectReasonsAddUp(fold(name, match, match.events));
      expectReasonsAddUp(fold(name, match, badDay(match.events, seededRandom(seed)).deliveries));
    }
  });

  test("the reasons of balls that arrive in order are those told afterwards", () => {
    const match = adapted(generateMatch(3));
    const score = createMatchScore("t20-2026", match.squad);
    const live = match.events.flatMap((event) => {
      const applied = score.apply(event);
      return applied.applied ? applied.reasons : [];
    });
    expect(live).toEqual(score.reasons());
  });
});

describe.skipIf(!hasCricketData)("real matches", () => {
  test.each(cricketFiles())("%s: reasons add up, and order makes no difference", (path) => {
    const match = adapted(readCricketFile(path));
    expectReasonsAddUp(fold(match.facts.scoringRules, match, match.events));
    expectOrderMakesNoDifference(match.facts.scoringRules, match, 1);
  });
});
