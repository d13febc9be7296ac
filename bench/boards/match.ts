import { assert } from "../../src/domain/assert.ts";
import type { PointsVector } from "../../src/domain/points.ts";
import { seededRandom } from "../../src/domain/random.ts";
import { checkRoster, ROSTER_RULES, ROSTER_SIZE } from "../../src/domain/roster.ts";
import { createMatchScore } from "../../src/domain/scoring/sports.ts";
import { RandomRosters } from "../../src/demo/random-roster.ts";
import { adaptCricsheet } from "../../src/stream/cricsheet.ts";
import { generateMatch } from "../../src/stream/match-generator.ts";

/** The points of a whole generated match, ball by ball, and the teams that users would enter for it. */
export interface BenchMatch {
  readonly name: string;
  /** One vector per event that changed points, in the order of play. */
  readonly vectors: readonly PointsVector[];
  readonly six: Six;
  /** `ROSTER_SIZE` bytes a roster; legal teams, popular players in more of them. */
  readonly rosters: Uint8Array;
}

/** A ball that was hit for six and changed the points of nobody but its batter. */
export interface Six {
  readonly batter: number;
  readonly before: PointsVector;
  readonly after: PointsVector;
}

const ROSTER_RULES_NAME = "modern";
const SEED = 7;
/** Captain and vice-captain choices of each line-up; people differ in these more than in whom they pick. */
const LEADERS = 16;

export function openBenchMatch(lineUps: number): BenchMatch {
  const adapted = adaptCricsheet(generateMatch(SEED));
  assert(adapted.ok, "a generated match adapts");
  const { facts, squad, startingXi, events } = adapted.match;
  const score = createMatchScore(facts.scoringRules, squad);
  const vectors: PointsVector[] = [];
  const sixes: Six[] = [];
  for (const event of events) {
    const before = score.points();
    const applied = score.apply(event);
    if (!applied.applied || applied.changed.length === 0) continue;
    const after = score.points();
    vectors.push(after);
    const [change, ...others] = applied.changed;
    if (event.type === "ball" && event.runs.batter === 6 && others.length === 0) {
      sixes.push({ batter: change!.poolIndex, before, after });
    }
  }

  const playing = new Set(startingXi);
  const announced = { players: squad.players.map((player) => ({ ...player, announced: playing.has(player.id) })) };
  const rules = ROSTER_RULES[ROSTER_RULES_NAME]!;
  const drawer = new RandomRosters(announced, rules);
  const random = seededRandom(SEED);
  const rosters = new Uint8Array(lineUps * LEADERS * ROSTER_SIZE);
  for (let lineUp = 0, at = 0; lineUp < lineUps; lineUp++) {
    const draft = drawer.draw(random);
    for (let choice = 0; choice < LEADERS; choice++, at += ROSTER_SIZE) {
      // Half of all captains are the most popular player of the team, a quarter the next, and so on.
      const captainAt = Math.min(ROSTER_SIZE - 1, Math.floor(-Math.log2(1 - random.next())));
      const viceAt = (captainAt + 1 + random.int(4)) % ROSTER_SIZE;
      const captain = draft.players[captainAt]!;
      const viceCaptain = draft.players[viceAt]!;
      const check = checkRoster({ players: draft.players, captain, viceCaptain }, announced, rules);
      assert(check.ok, "leaders do not make a legal team illegal");
      rosters.set(check.roster, at);
    }
  }
  const six = sixes[0];
  assert(six !== undefined, "somebody hits a six that changes nobody else's points");
  return { name: facts.name, vectors, six, rosters };
}
