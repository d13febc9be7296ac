/** Scoring and validation in memory, each beside the plain way of doing it, in one run; both must give the same answer. */
import { Bench } from "tinybench";
import { RandomRosters } from "../src/demo/random-roster.ts";
import { seededRandom } from "../src/domain/random.ts";
import { checkRoster, checkRosterIndexed, ROSTER_RULES } from "../src/domain/roster.ts";
import { createMatchScore } from "../src/domain/scoring/sports.ts";
import { poolIndexById } from "../src/domain/squad.ts";
import { adaptCricsheet } from "../src/stream/cricsheet.ts";
import { generateMatch } from "../src/stream/match-generator.ts";

const adapted = adaptCricsheet(generateMatch(1));
if (!adapted.ok) throw new Error("the generated match is broken");
const { events, facts, squad } = adapted.match;

function incremental() {
  const score = createMatchScore(facts.scoringRules, squad);
  for (const event of events) score.apply(event);
  return score.points();
}

/** What a scorer without a fold does: after each ball, score the match again from its first ball. */
function refolded() {
  let points = new Int16Array(64);
  for (let count = 1; count <= events.length; count++) {
    const score = createMatchScore(facts.scoringRules, squad);
    for (const event of events.slice(0, count)) score.apply(event);
    points = score.points() as typeof points;
  }
  return points;
}

if (!Bun.deepEquals(incremental(), refolded())) throw new Error("the two ways of scoring disagree");
const rules = ROSTER_RULES["modern"]!;
const random = seededRandom(2);
const rosters = new RandomRosters(squad, rules);
const drafts = Array.from({ length: 1_000 }, () => rosters.draw(random));
const poolIndex = poolIndexById(squad);
const same = drafts.every((draft) =>
  Bun.deepEquals(checkRoster(draft, squad, rules), checkRosterIndexed(draft, squad, poolIndex, rules)),
);
if (!same) throw new Error("the two ways of validating disagree");

const bench = new Bench({ time: 1_000 });
bench
  .add("score a match, incremental", () => void incremental())
  .add("score a match, from scratch each ball", () => void refolded())
  .add("validate 1,000 rosters, squad indexed once", () => {
    for (const draft of drafts) checkRosterIndexed(draft, squad, poolIndex, rules);
  })
  .add("validate 1,000 rosters, squad indexed each time", () => {
    for (const draft of drafts) checkRoster(draft, squad, rules);
  });
await bench.run();

const perSecond = bench.tasks.map((task) => {
  if (task.result.state !== "completed") throw new Error(`${task.name} did not complete`);
  return 1_000 / task.result.latency.p50;
});
const [fold, refold, indexed, unindexed] = perSecond as [number, number, number, number];
const rate = (value: number) => Math.round(value).toLocaleString("en");
console.log(`scoring     ${rate(fold * events.length)} events/s, ${(fold / refold).toFixed(0)} x of from scratch`);
console.log(`validation  ${rate(indexed * 1_000)} rosters/s, ${(indexed / unindexed).toFixed(1)} x of unindexed`);
