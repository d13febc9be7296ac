import { describe, expect, test } from "bun:test";
import type { PlayerId } from "../domain/ids.ts";
import { qpToPoints } from "../domain/points.ts";
import { createMatchScore } from "../domain/scoring/sports.ts";
import type { Role, Squad } from "../domain/squad.ts";
import { hasCricketData, readCricketFile, readOracle } from "../testing/cricket-data.ts";
import { adaptCricsheet, type CricsheetMatch } from "./cricsheet.ts";

const matches = new Map<string, CricsheetMatch>();

function matchAt(path: string): CricsheetMatch {
  const known = matches.get(path);
  if (known !== undefined) return known;
  const adapted = adaptCricsheet(readCricketFile(path));
  if (!adapted.ok) throw new Error(`${path}: ${adapted.faults[0]!.field} ${adapted.faults[0]!.message}`);
  matches.set(path, adapted.match);
  return adapted.match;
}

const everybodyAs = (squad: Squad, role: Role): Squad => ({
  players: squad.players.map((player) => ({ ...player, role })),
});

/** Final points by player, with every player in the one role: ducks and strike rates depend on it. */
function finalPoints(match: CricsheetMatch, rules: string, role: Role): Map<PlayerId, number> {
  const score = createMatchScore(rules, everybodyAs(match.squad, role));
  for (const event of match.events) score.apply(event);
  return new Map(match.squad.players.map((player, index) => [player.id, qpToPoints(score.pointsOf(index))]));
}

/** Run-outs by the fielders of `side` whose fielders the file does not tell. */
function untoldRunOuts(match: CricsheetMatch, side: 0 | 1): number {
  const sideOf = new Map(match.squad.players.map((player) => [player.id, player.side]));
  return match.events
    .flatMap((event) => (event.type === "ball" && sideOf.get(event.bowler) === side ? event.wickets : []))
    .filter((wicket) => wicket.kind === "runOut" && wicket.fielders === null).length;
}

describe.skipIf(!hasCricketData)("points that users really saw", () => {
  const rows = hasCricketData ? readOracle("ipl2020_player_match_points.csv") : [];
  const readings = rows.map((row) => {
    const path = `ipl2020/${row["cricsheet_id"]}.json`;
    const match = matchAt(path);
    const id = row["cricsheet_person_id"] as PlayerId;
    return {
      who: `${row["cricsheet_name"]} in ${path}`,
      status: row["status"],
      official: Number(row["official_points"]),
      untoldSaid: Number(row["team_runouts_with_missing_fielders"]),
      untold: untoldRunOuts(match, match.squad.players.find((player) => player.id === id)!.side),
      // The rows carry no role, and bowlers are exempt from ducks and strike rates: either reading will do.
      ours: (["BAT", "BOWL"] as const).map((role) => finalPoints(match, "t20-2020", role).get(id)!),
    };
  });

  test("IPL 2020: all 145 exact rows are ours exactly", () => {
    const exact = readings.filter((reading) => reading.status === "exact");
    expect(exact.filter(({ ours, official }) => !ours.includes(official)).map(({ who }) => who)).toEqual([]);
    expect(exact).toHaveLength(145);
  });

  test("IPL 2020: where fielders are missing we are short by their run-out credits, never above", () => {
    const gaps = readings.filter((reading) => reading.status === "runout_gap");
    for (const { who, ours, official, untold, untoldSaid } of gaps) {
      expect([who, untold]).toEqual([who, untoldSaid]);
      // Every untold run-out may owe the player a direct hit (12) or one share of two (6).
      const isExplained = (missing: number) => missing > 0 && missing <= 12 * untold && missing % 6 === 0;
      expect([who, ours.some((points) => isExplained(official - points))]).toEqual([who, true]);
      expect([who, Math.max(...ours) <= official]).toEqual([who, true]);
    }
    expect(gaps).toHaveLength(14);
  });

  test("England v Pakistan 2021: 19 of 22 exact, and the three differences are the two untold run-outs", () => {
    const match = matchAt("t20i/1239540.json");
    const ours = finalPoints(match, "t20-2021", "BAT");
    const fullNames: Readonly<Record<string, string>> = {
      "Liam Livingstone": "LS Livingstone",
      "Jason Roy": "JJ Roy",
      "David Willey": "DJ Willey",
      "Tom Curran": "TK Curran",
      "Jonny Bairstow": "JM Bairstow",
      "Lewis Gregory": "L Gregory",
      "Saqib Mahmood": "S Mahmood",
      "Eoin Morgan": "EJG Morgan",
      "Dawid Malan": "DJ Malan",
      "Moeen Ali": "MM Ali",
      "Matt Parkinson": "MW Parkinson",
    };
    const differences = readOracle("t20i_1239540_points.csv").map((row) => {
      const name = fullNames[row["name"]!] ?? row["name"]!;
      const player = match.squad.players.find((player) => player.name === name)!;
      return [name, Number(row["points_in_README"]) - ours.get(player.id)!] as const;
    });
    expect(differences).toHaveLength(22);
    expect(differences.filter(([, missing]) => missing !== 0)).toEqual([
      ["Shadab Khan", 12],
      ["JJ Roy", 6],
      ["JM Bairstow", 6],
    ]);
    expect(untoldRunOuts(match, 0) + untoldRunOuts(match, 1)).toBe(2);
  });
});
