import type { Contest, ContestTerms } from "../domain/contest.ts";
import type { MatchId } from "../domain/ids.ts";
import type { Match } from "../domain/match.ts";
import { paise } from "../domain/money.ts";
import type { PointsVector } from "../domain/points.ts";
import { POOL_SIZE_MAX } from "../domain/points.ts";
import type { Random } from "../domain/random.ts";
import { checkRoster, ROSTER_RULES, ROSTER_SIZE, type RosterDraft } from "../domain/roster.ts";
import { playerId } from "../domain/ids.ts";
import { ROLES, type Squad } from "../domain/squad.ts";
import type { Catalog } from "../stores/catalog/port.ts";

/** What a match needs to be one. */
export const aMatch = (startMs: number): Omit<Match, "id" | "state"> => ({
  name: "A v B",
  sides: ["A", "B"],
  format: "T20",
  startMs,
  scoringRules: "base",
  rosterRules: "modern",
});

/** The deadline of the simulated match; the simulation begins at 0. */
export const START_MS = 10_000;
/** Nodes' clocks are off by this at most, both ways. */
export const SKEW_MS_MAX = 50;

export const SQUAD: Squad = {
  players: Array.from({ length: 22 }, (_, index) => ({
    id: playerId(`p${index}`),
    name: `Player ${index}`,
    side: index < 11 ? 0 : 1,
    role: ROLES[index % 4]!,
    creditsTenths: 85,
    announced: null,
  })),
};

/** Few points and few values, so that ties are the rule. */
export function simulatedPoints(random: Random): PointsVector {
  const points = new Int16Array(POOL_SIZE_MAX);
  for (let index = 0; index < SQUAD.players.length; index++) points[index] = 2 * random.int(4);
  return points;
}

export function randomDraft(random: Random): RosterDraft {
  for (;;) {
    const players = random.shuffle(SQUAD.players.map((player) => player.id)).slice(0, ROSTER_SIZE);
    const draft = { players, captain: players[0]!, viceCaptain: players[1]! };
    if (checkRoster(draft, SQUAD, ROSTER_RULES["modern"]!).ok) return draft;
  }
}

/** One that fills quickly, one guaranteed with shares, one free, one that seldom fills, one for two. */
export async function openContests(catalog: Catalog, matchId: MatchId, random: Random): Promise<Contest[]> {
  const common = { matchId, inviteCode: null } as const;
  const terms: ContestTerms[] = [
    {
      ...common,
      kind: "paid",
      name: "scramble",
      entryFeePaise: paise(1000),
      entriesMax: 3 + random.int(4),
      entriesPerUserMax: 2,
      prizePoolPaise: paise(2501),
      prizes: [
        { fromRank: 1, toRank: 1, amountPaise: paise(1300) },
        { fromRank: 2, toRank: 2, amountPaise: paise(801) },
        { fromRank: 3, toRank: 3, amountPaise: paise(400) },
      ],
      guaranteed: false,
    },
    {
      ...common,
      kind: "mega",
      name: "guaranteed",
      entryFeePaise: paise(700),
      entriesMax: 20_000,
      entriesPerUserMax: 3,
      prizePoolPaise: paise(9_999),
      prizes: [
        { fromRank: 1, toRank: 1, shareBps: 5000 },
        { fromRank: 2, toRank: 3, shareBps: 1500 },
        { fromRank: 4, toRank: 7, shareBps: 500 },
      ],
      guaranteed: true,
    },
    {
      ...common,
      kind: "free",
      name: "free",
      entryFeePaise: paise(0),
      entriesMax: 100,
      entriesPerUserMax: 1,
      prizePoolPaise: paise(500),
      prizes: [{ fromRank: 1, toRank: 1, amountPaise: paise(500) }],
      guaranteed: true,
    },
    {
      ...common,
      kind: "paid",
      name: "seldom full",
      entryFeePaise: paise(300),
      entriesMax: 12,
      entriesPerUserMax: 1,
      prizePoolPaise: paise(3000),
      prizes: [{ fromRank: 1, toRank: 1, amountPaise: paise(3000) }],
      guaranteed: false,
    },
    {
      ...common,
      kind: "head_to_head",
      name: "two",
      entryFeePaise: paise(500),
      entriesMax: 2,
      entriesPerUserMax: 1,
      prizePoolPaise: paise(900),
      prizes: [{ fromRank: 1, toRank: 1, amountPaise: paise(900) }],
      guaranteed: false,
    },
  ];
  const contests: Contest[] = [];
  for (const each of terms) contests.push(await catalog.createContest(each));
  return contests;
}
