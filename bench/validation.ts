/** Roster validations/s as the edge does it (the squad indexed once), beside indexing the squad at each request. */
import { Bench } from "tinybench";
import { RandomRosters } from "../src/demo/random-roster.ts";
import { assert } from "../src/domain/assert.ts";
import { seededRandom } from "../src/domain/random.ts";
import { checkRoster, checkRosterIndexed, ROSTER_RULES } from "../src/domain/roster.ts";
import { poolIndexById } from "../src/domain/squad.ts";
import { adaptCricsheet } from "../src/stream/cricsheet.ts";
import { generateMatch } from "../src/stream/match-generator.ts";

const DRAFTS = 1_000;

const adapted = adaptCricsheet(generateMatch(1));
assert(adapted.ok, "the generated match adapts");
const { squad } = adapted.match;
const rules = ROSTER_RULES["modern"]!;
const random = seededRandom(2);
const rosters = new RandomRosters(squad, rules);
const drafts = Array.from({ length: DRAFTS }, () => rosters.draw(random));
const poolIndex = poolIndexById(squad);
for (const draft of drafts) {
  const same = Bun.deepEquals(checkRoster(draft, squad, rules), checkRosterIndexed(draft, squad, poolIndex, rules));
  assert(same, "both ways of validating agree");
}

const bench = new Bench({ time: 1_000 });
bench.add("indexed once", () => {
  for (const draft of drafts) checkRosterIndexed(draft, squad, poolIndex, rules);
});
bench.add("indexed each time", () => {
  for (const draft of drafts) checkRoster(draft, squad, rules);
});
await bench.run();
const [indexed, unindexed] = bench.tasks.map((task) => {
  assert(task.result.state === "completed", `${task.name} completes`);
  return (DRAFTS * 1_000) / task.result.latency.p50;
}) as [number, number];
console.log(
  `validations  ${Math.round(indexed).toLocaleString("en")}/s, ${(indexed / unindexed).toFixed(1)} x of indexing each time`,
);
