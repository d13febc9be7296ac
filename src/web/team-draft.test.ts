import { expect, test } from "bun:test";
import { playerId } from "../domain/ids.ts";
import { checkRoster, ROSTER_RULES } from "../domain/roster.ts";
import { type Player, ROLES } from "../domain/squad.ts";
import { DraftRules, EMPTY_DRAFT, led, rosterOf, type TeamDraft, toggled } from "./team-draft.ts";

const players = Array.from({ length: 24 }, (_, index): Player => {
  const role = ROLES[index % 4]!;
  const side = index < 12 ? 0 : 1;
  return { id: playerId(`p${index}`), name: `Player ${index}`, side, role, creditsTenths: 90, announced: null };
});
const rules = ROSTER_RULES["reference"]!;
const judge = new DraftRules({ players }, rules);
const picked = (...indices: number[]): TeamDraft =>
  indices.reduce((draft, index) => toggled(draft, players[index]!.id), EMPTY_DRAFT);

test("a draft is judged as the node judges it, in words for people", () => {
  expect(judge.faults(EMPTY_DRAFT)).toEqual(
    expect.arrayContaining(["A team has 11 players, this one 0.", "Choose a captain.", "Choose a vice-captain."]),
  );
  expect(judge.faults(EMPTY_DRAFT).join(" ")).not.toContain("same player");
  // One keeper, four batters, two all-rounders, four bowlers.
  let legal = picked(0, 1, 5, 17, 13, 2, 6, 3, 7, 15, 19);
  legal = led(led(legal, "captain", players[1]!.id), "viceCaptain", players[5]!.id);
  expect(judge.faults(legal)).toEqual([]);
  expect(checkRoster(rosterOf(legal), { players }, rules).ok).toBe(true);
});

test("who can't come in is told why, and what is only missing is no obstacle", () => {
  expect(judge.obstacle(EMPTY_DRAFT, players[0]!)).toBeNull();
  expect(judge.obstacle(picked(0), players[4]!)).toBe("At most 1 WK, this team has 2.");
  expect(judge.obstacle(picked(0), players[0]!)).toBeNull();
  expect(judge.obstacle(picked(0, 1, 2, 3, 5, 6, 7), players[9]!)).toBe(
    "At most 7 players of one side, this team has 8.",
  );
  const dear = new DraftRules({ players: players.map((player) => ({ ...player, creditsTenths: 600 })) }, rules);
  expect(dear.obstacle(picked(0), players[1]!)).toBe("The team costs 120 credits, at most 100.");
});

test("leads: swapped when the other is named, dropped with the player", () => {
  const [one, two] = [players[1]!.id, players[5]!.id];
  const both = led(led(picked(1, 5), "captain", one), "viceCaptain", two);
  expect(led(both, "captain", two)).toMatchObject({ captain: two, viceCaptain: one });
  expect(led(both, "captain", one)).toMatchObject({ captain: null, viceCaptain: two });
  expect(toggled(both, one)).toEqual({ players: [two], captain: null, viceCaptain: two });
});

test("a tally counts what limits a team", () => {
  const { creditsTenths, perRole, perSide } = judge.tally(picked(0, 1, 13));
  expect({ creditsTenths, perRole, perSide }).toEqual({
    creditsTenths: 270,
    perRole: { WK: 1, BAT: 2, AR: 0, BOWL: 0 },
    perSide: [2, 1],
  });
});
