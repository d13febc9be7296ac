import { expect, test } from "bun:test";
import { checkContestTerms } from "../domain/contest.ts";
import { matchId } from "../domain/ids.ts";
import { DEPOSIT_PAISE, planContests } from "./plan.ts";

test.each([3, 10, 100, 555, 5_000])(
  "with %d bots every planned contest may open and no bot is promised twice or goes broke",
  (botCount) => {
    const contests = planContests(matchId(1), botCount);
    const spentPaise = Array<number>(botCount).fill(0);
    for (const { terms, joins } of contests) {
      expect(checkContestTerms(terms)).toEqual([]);
      expect(joins.length).toBeLessThanOrEqual(terms.entriesMax);
      expect(new Set(joins.map((join) => `${join.bot}:${join.teamNo}`)).size).toBe(joins.length);
      for (const join of joins) spentPaise[join.bot]! += terms.entryFeePaise;
    }
    expect(Math.max(...spentPaise)).toBeLessThanOrEqual(DEPOSIT_PAISE);
    expect(new Set(contests.map((contest) => contest.terms.kind)).size).toBe(5);
  },
);
