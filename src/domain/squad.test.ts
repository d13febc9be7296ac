import { expect, test } from "bun:test";
import { playerId } from "./ids.ts";
import { checkSquadChange, type Player, type Squad } from "./squad.ts";

const player = (id: string, change: Partial<Player> = {}): Player => ({
  id: playerId(id),
  name: id,
  side: 0,
  role: "BAT",
  creditsTenths: 90,
  announced: null,
  ...change,
});
const squad: Squad = { players: [player("a"), player("b")] };

test.each<[string, Squad, string | null]>([
  ["the same", squad, null],
  ["announced", { players: [player("a", { announced: true }), player("b")] }, null],
  ["one more at the end", { players: [...squad.players, player("c")] }, null],
  ["one more in front", { players: [player("c"), ...squad.players] }, 'players[0]: "a" must keep its place'],
  ["one less", { players: [player("a")] }, 'players[1]: "b" must keep its place'],
  ["other credits", { players: [player("a"), player("b", { creditsTenths: 95 })] }, 'players[1]: "b" must keep'],
  ["a player twice", { players: [player("a"), player("a")] }, 'players[1]: "a" is listed twice'],
  [
    "65 players",
    { players: Array.from({ length: 65 }, (_, index) => player(`p${index}`)) },
    "players: a squad has at most 64 players",
  ],
])("saved teams keep their meaning when a squad changes: %s", (_name, after, fault) => {
  expect(checkSquadChange(squad, after)?.slice(0, fault?.length) ?? null).toBe(fault);
});
