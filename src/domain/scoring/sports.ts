import { assert } from "../assert.ts";
import { type FeedEvent, feedEventJsonSchema, parseFeedEvent } from "../feed.ts";
import type { Squad } from "../squad.ts";
import { CricketScore } from "./cricket-score.ts";
import { SCORING_RULES } from "./rule-sets.ts";
import type { Sport } from "./sport.ts";

/** `rulesName` names one of `SCORING_RULES`. */
export function createMatchScore(rulesName: string, squad: Squad): CricketScore {
  const rules = SCORING_RULES[rulesName];
  assert(rules !== undefined, `there are no scoring rules "${rulesName}"`);
  return new CricketScore(rules, squad);
}

const cricket: Sport<FeedEvent> = {
  name: "cricket",
  scoringRules: Object.keys(SCORING_RULES),
  parseEvent: parseFeedEvent,
  eventJsonSchema: feedEventJsonSchema,
  openScore: createMatchScore,
};

/** Another sport joins by adding its entry: its own feed, rules and fold. */
export const SPORTS: Readonly<Record<string, Sport>> = { cricket };
