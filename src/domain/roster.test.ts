import { expect, test } from "bun:test";
import { playerId } from "./ids.ts";
import { checkRoster, ROSTER_RULES, rosterDraft, scoreRoster } from "./roster.ts";
import { ROLES, type Squad } from "./squad.ts";

const squad: Squad = {
  players: Array.from({ length: 22 }, (_, index) => ({
    id: playerId(`p${index}`),
    name: `Player ${index}`,
    side: index < 11 ? 0 : 1,
    role: ROLES[[0, 1, 1, 1, 1, 2, 2, 3, 3, 3, 3][index % 11]!]!,
    creditsTenths: 85 + (index % 5),
    announced: null,
  })),
};
const reference = ROSTER_RULES["reference"]!;
const ids = (...indices: number[]) => indices.map((index) => playerId(`p${index}`));
const valid = [0, 1, 2, 3, 5, 7, 12, 13, 16, 18, 19];

function faultsOf(indices: number[], captain = indices[0]!, viceCaptain = indices[1]!): string[] {
  const check = checkRoster(
    { players: ids(...indices), captain: ids(captain)[0]!, viceCaptain: ids(viceCaptain)[0]! },
    squad,
    reference,
  );
  return check.ok ? [] : check.faults.map((fault) => fault.rule);
}

test("a legal team packs to captain, vice-captain and the nine others ascending, in whatever order it was sent", () => {
  const draft = { players: ids(...valid), captain: ids(13)[0]!, viceCaptain: ids(2)[0]! };
  const check = checkRoster(draft, squad, reference);
  const reversed = checkRoster({ ...draft, players: [...draft.players].reverse() }, squad, reference);
  expect(check).toEqual({ ok: true, roster: Uint8Array.of(13, 2, 0, 1, 3, 5, 7, 12, 16, 18, 19) });
  expect(reversed).toEqual(check);
  if (check.ok) expect(rosterDraft(check.roster, squad).players.toSorted()).toEqual(draft.players.toSorted());
});

test.each<[string, number[], string[]]>([
  ["legal", valid, []],
  ["10 players", valid.filter((index) => index !== 16), ["player_count"]],
  ["12 players", [...valid, 17], ["credits", "player_count"]],
  ["an unknown player", [...valid.filter((index) => index !== 16), 99], ["player_unknown"]],
  ["a player twice", [...valid.filter((index) => index !== 16), 0], ["player_repeated"]],
  ["two keepers", [0, 11, 1, 2, 3, 5, 7, 8, 12, 16, 18], ["role_max"]],
  ["no keeper", [1, 2, 3, 4, 5, 7, 12, 16, 17, 18, 19], ["role_min"]],
  ["eight of one side", [0, 1, 2, 3, 5, 7, 8, 9, 12, 13, 18], ["side_max"]],
  [
    "every fault at once",
    [0, 0, 99, 11],
    [
      "captain_is_vice_captain",
      "player_count",
      "player_repeated",
      "player_unknown",
      "role_max",
      "role_min",
      "role_min",
      "role_min",
    ],
  ],
])("roster rules name what is broken: %s", (_name, indices, rules) => {
  expect(faultsOf(indices).toSorted()).toEqual(rules.toSorted());
});

test("captain and vice-captain are two different players of the eleven", () => {
  expect(faultsOf(valid, 0, 0)).toEqual(["captain_is_vice_captain"]);
  expect(faultsOf(valid, 21, 1)).toEqual(["captain_not_in_team"]);
  expect(faultsOf(valid, 0, 21)).toEqual(["vice_captain_not_in_team"]);
});

test("credits are at most 100", () => {
  const dear: Squad = { players: squad.players.map((player) => ({ ...player, creditsTenths: 92 })) };
  const draft = { players: ids(...valid), captain: ids(0)[0]!, viceCaptain: ids(1)[0]! };
  const check = checkRoster(draft, dear, reference);
  expect(check.ok ? [] : check.faults).toEqual([
    { rule: "credits", field: "players", message: "the team costs 101.2 credits, at most 100" },
  ]);
});

test("a score is the sum with captain doubled and vice-captain one and a half times", () => {
  const points = new Int16Array(64).map((_, index) => index * 2);
  const roster = Uint8Array.of(13, 2, 0, 1, 3, 5, 7, 12, 16, 18, 19);
  expect(scoreRoster(roster, points)).toBe(13 * 4 + 2 * 3 + 2 * (0 + 1 + 3 + 5 + 7 + 12 + 16 + 18 + 19));
});
