import { Bench } from "tinybench";
import { assert } from "../src/domain/assert.ts";
import type { PointsVector } from "../src/domain/points.ts";
import { createMatchScore } from "../src/domain/scoring/sports.ts";
import { adaptCricsheet, type CricsheetMatch } from "../src/stream/cricsheet.ts";
import { generateMatch } from "../src/stream/match-generator.ts";

/**
 * Scoring events/s: the incremental fold beside the naive design, which folds the whole match again at every ball (and gets
 * corrections right just as well). Both must end at the same points.
 */

const MATCHES = 8;

const matches: readonly CricsheetMatch[] = Array.from({ length: MATCHES }, (_, seed) => {
  const adapted = adaptCricsheet(generateMatch(seed));
  assert(adapted.ok, `match ${seed} does not adapt`);
  return adapted.match;
});
const eventCount = matches.reduce((sum, match) => sum + match.events.length, 0);

function incremental({ facts, squad, events }: CricsheetMatch): PointsVector {
  const score = createMatchScore(facts.scoringRules, squad);
  let changes = 0;
  for (const event of events) {
    const applied = score.apply(event);
    if (applied.applied) changes += applied.changed.length;
  }
  assert(changes > 0, "a match changes points");
  return score.points();
}

function naive({ facts, squad, events }: CricsheetMatch): PointsVector {
  let points: PointsVector = new Int16Array(0);
  for (let count = 1; count <= events.length; count++) {
    const score = createMatchScore(facts.scoringRules, squad);
    for (let index = 0; index < count; index++) score.apply(events[index]!);
    points = score.points();
  }
  return points;
}

for (const match of matches) {
  assert(incremental(match).join() === naive(match).join(), `${match.facts.name}: the two folds disagree`);
}

const bench = new Bench({ time: 2_000, warmupTime: 500, warmup: true })
  .add("incremental", () => {
    for (const match of matches) incremental(match);
  })
  .add("whole match again at every ball", () => {
    for (const match of matches) naive(match);
  });
await bench.run();

const eventsPerSecond = bench.tasks.map((task) => {
  const { result } = task;
  assert("latency" in result, `${task.name} did not finish`);
  return { name: task.name, median: (eventCount * 1_000) / result.latency.p50 };
});
for (const { name, median } of eventsPerSecond) {
  console.log(`${name.padEnd(32)} ${Math.round(median).toLocaleString("en").padStart(10)} events/s (median)`);
}
const [fast, slow] = eventsPerSecond;
console.log(
  `ratio ${(fast!.median / slow!.median).toFixed(1)} over ${eventCount} events of ${MATCHES} matches, same points`,
);
