import { describe, expect, test } from "bun:test";
import { type BallEvent, type FeedEvent, parseFeedEvent } from "../domain/feed.ts";
import { checkRoster, ROSTER_RULES, type RosterRules } from "../domain/roster.ts";
import { createMatchScore } from "../domain/scoring/sports.ts";
import type { Player, Role, Squad } from "../domain/squad.ts";
import { cricketFiles, hasCricketData, readCricketFile } from "../testing/cricket-data.ts";
import { adaptCricsheet, type CricsheetMatch } from "./cricsheet.ts";
import type { CricsheetFile } from "./cricsheet-file.ts";
import { generateMatch } from "./match-generator.ts";

function adapted(json: unknown): CricsheetMatch {
  const result = adaptCricsheet(json);
  if (!result.ok) throw new Error(result.faults.map((fault) => `${fault.field} ${fault.message}`).join("; "));
  return result.match;
}

/** The cheapest team of every role mix that the rules allow; true if one of them is legal. */
function hasLegalTeam(squad: Squad, rules: RosterRules): boolean {
  const cheapest = (role: Role) =>
    squad.players.filter((player) => player.role === role).sort((a, b) => a.creditsTenths - b.creditsTenths);
  const byRole = { WK: cheapest("WK"), BAT: cheapest("BAT"), AR: cheapest("AR"), BOWL: cheapest("BOWL") };
  const counts = (role: Role) => {
    const [min, max] = rules.perRole[role];
    return Array.from({ length: Math.min(max, byRole[role].length) - min + 1 }, (_, index) => min + index);
  };
  for (const wk of counts("WK")) {
    for (const bat of counts("BAT")) {
      for (const ar of counts("AR")) {
        const bowl = rules.playerCount - wk - bat - ar;
        if (!counts("BOWL").includes(bowl)) continue;
        const picked = [
          ["WK", wk],
          ["BAT", bat],
          ["AR", ar],
          ["BOWL", bowl],
        ] as const;
        const players = picked.flatMap(([role, count]) => byRole[role].slice(0, count)).map((player) => player.id);
        if (checkRoster({ players, captain: players[0]!, viceCaptain: players[1]! }, squad, rules).ok) return true;
      }
    }
  }
  return false;
}

function expectSoundSquad({ squad, startingXi }: CricsheetMatch): void {
  const xi = new Set(startingXi);
  const starters: Squad = { players: squad.players.filter((player) => xi.has(player.id)) };
  for (const side of [0, 1] as const) {
    const ofSide = squad.players.filter((player) => player.side === side);
    const count = (role: Role) => ofSide.filter((player) => player.role === role).length;
    expect(starters.players.filter((player) => player.side === side)).toHaveLength(11);
    expect(count("WK")).toBe(1);
    expect(Math.min(count("BAT"), count("BOWL"))).toBeGreaterThanOrEqual(3);
    expect(count("AR")).toBeGreaterThanOrEqual(1);
  }
  for (const { creditsTenths, announced } of squad.players) {
    expect(creditsTenths).toBeWithin(80, 106);
    expect(announced).toBeNull();
  }
  for (const rules of Object.values(ROSTER_RULES))
    expect([rules.name, hasLegalTeam(starters, rules)]).toEqual([rules.name, true]);
}

describe("a malformed file is refused, and the fault names the place in it", () => {
  test.each<[string, (file: CricsheetFile) => unknown, string]>([
    ["no object", () => [], ""],
    ["no innings", (file) => ({ ...file, innings: undefined }), "innings"],
    ["an unknown format", (file) => ({ ...file, info: { ...file.info, match_type: "Sixes" } }), "info.match_type"],
    ["a date that is none", (file) => ({ ...file, info: { ...file.info, dates: ["12 April"] } }), "info.dates[0]"],
    [
      "a team without players",
      (file) => ({ ...file, info: { ...file.info, teams: ["Nobody", file.info.teams[1]] } }),
      "info.players.Nobody",
    ],
    [
      "a player without an id",
      (file) => {
        delete file.info.registry.people["Tejas Malwankar"];
        return file;
      },
      'info.registry.people["Tejas Malwankar"]',
    ],
    [
      "a stranger bats",
      (file) => {
        file.innings[1]!.overs[2]!.deliveries[3]!.batter = "Stranger";
        return file;
      },
      "innings[1].overs[2].deliveries[3].batter",
    ],
    [
      "runs that are no number",
      (file) => {
        Object.assign(file.innings[0]!.overs[0]!.deliveries[0]!.runs, { batter: "four" });
        return file;
      },
      "innings[0].overs[0].deliveries[0].runs.batter",
    ],
    [
      "an innings of a third team",
      (file) => {
        file.innings[0]!.team = "Umpires";
        return file;
      },
      "innings[0].team",
    ],
  ])("%s", (_name, spoil, field) => {
    const file = generateMatch(seedWith("Tejas Malwankar"));
    const result = adaptCricsheet(spoil(file));
    expect(result.ok ? [] : result.faults.map((fault) => fault.field)).toContain(field);
  });
});

/** The first seed whose match the player is in. */
function seedWith(name: string): number {
  let seed = 0;
  while (generateMatch(seed).info.registry.people[name] === undefined) seed++;
  return seed;
}

test("the feed tells the line-up first, the end last, and every event passes the provider's own check", () => {
  const { events } = adapted(generateMatch(5));
  expect([events[0]!.type, events.at(-1)!.type]).toEqual(["lineup", "matchEnd"]);
  for (const event of events) expect(parseFeedEvent(JSON.parse(JSON.stringify(event)))).toEqual({ ok: true, event });
  expect(new Set(events.map((event) => event.id)).size).toBe(events.length);
  expect(events.every((event, index) => index === 0 || event.atMs >= events[index - 1]!.atMs)).toBe(true);
});

test("squads allow legal teams of the starting players under every roster rule", () => {
  for (let seed = 0; seed < 30; seed++) expectSoundSquad(adapted(generateMatch(seed)));
});

describe.skipIf(!hasCricketData)("real files", () => {
  test.each(cricketFiles())("%s goes through, all its events count, and legal teams exist", (path) => {
    const match = adapted(readCricketFile(path));
    const score = createMatchScore(match.facts.scoringRules, match.squad);
    for (const event of match.events) {
      expect(parseFeedEvent(event)).toEqual({ ok: true, event });
      expect(score.apply(event).applied).toBe(true);
    }
    expectSoundSquad(match);
  });
});

/** A real match scored to its end, and what it gave to whom. */
function played(path: string) {
  const match = adapted(readCricketFile(path));
  const score = createMatchScore(match.facts.scoringRules, match.squad);
  for (const event of match.events) score.apply(event);
  const lines = score.reasons();
  const indexOf = (name: string) => match.squad.players.findIndex((player) => player.name === name);
  return {
    match,
    scoreboard: score
      .scoreboard()
      .map(({ superOver, runs, wickets, overs }) => `${superOver ? "super over " : ""}${runs}/${wickets} (${overs})`),
    points: (name: string) => score.pointsOf(indexOf(name)) / 4,
    /** Points by rule; rules that came to nothing in the end are left out. */
    breakdown(name: string): Record<string, number> {
      const byRule: Record<string, number> = {};
      for (const { poolIndex, rule, qp } of lines) {
        if (poolIndex === indexOf(name)) byRule[rule] = (byRule[rule] ?? 0) + qp / 4;
      }
      return Object.fromEntries(Object.entries(byRule).filter(([, points]) => points !== 0));
    },
    at(eventId: string): string[] {
      return lines
        .filter((line) => line.eventId === eventId)
        .map(({ poolIndex, rule, qp }) => `${match.squad.players[poolIndex]!.name} ${rule} ${qp / 4}`);
    },
    ball: (eventId: string) =>
      match.events.find((event): event is BallEvent => event.type === "ball" && event.id === eventId)!,
    end: match.events.at(-1) as FeedEvent & { type: "matchEnd" },
    starts: (name: string) => match.startingXi.includes((match.squad.players[indexOf(name)] as Player).id),
  };
}

describe.skipIf(!hasCricketData)("what these matches are remembered for", () => {
  test("335982: a century under the rules of 2017, and a run-out by two fielders", () => {
    const game = played("ipl/335982.json");
    expect(game.match.facts).toMatchObject({ scoringRules: "t20-2017", format: "T20", date: "2008-04-18" });
    expect(game.breakdown("BB McCullum")).toEqual({ startingXi: 2, run: 79, four: 5, six: 13, milestone: 8, catch: 4 });
    expect(game.at("2.11.1")).toEqual(
      expect.arrayContaining(["AB Agarkar runOutThrower 4", "WP Saha runOutCatcher 2"]),
    );
  });

  test("335988: five penalty runs on a delivery cost the bowler nothing; an over without a legal ball", () => {
    const game = played("ipl/335988.json");
    expect(game.ball("2.11.6").extras).toEqual({ penalty: 5 });
    expect(game.at("2.11.6").filter((line) => line.includes("dot"))).toEqual([]);
    const last = game.match.events.filter((event) => event.type === "ball" && event.innings === 2 && event.over === 13);
    expect(last.map((event) => event.type === "ball" && event.extras)).toEqual([{ wides: 1 }]);
    expect(game.scoreboard).toEqual(["142/8 (20.0)", "143/1 (13.0)"]);
  });

  test("729309: penalty on a wide, retired hurt, run-outs with one and two fielders, a substitute's catch", () => {
    const game = played("ipl/729309.json");
    expect(game.ball("2.4.2").extras).toEqual({ wides: 2, penalty: 5 });
    expect(game.at("1.1.4")).toContain("Mohammed Shami runOutDirect 6");
    expect(game.at("1.18.4")).toEqual(
      expect.arrayContaining(["S Nadeem runOutThrower 4", "Mohammed Shami runOutCatcher 2"]),
    );
    expect(game.breakdown("Harbhajan Singh")["duck"]).toBeUndefined();
    const bySubstitutes = game.match.events.flatMap((event) =>
      event.type === "ball" ? event.wickets.filter((wicket) => wicket.fielders?.some((by) => by.substitute)) : [],
    );
    expect(bySubstitutes).toHaveLength(1);
  });

  test("1216517: a tie and two super overs, in which nobody earns a point", () => {
    const game = played("ipl/1216517.json");
    expect(game.scoreboard).toEqual([
      "176/6 (20.0)",
      "176/6 (20.0)",
      "super over 5/2 (1.0)",
      "super over 5/1 (1.0)",
      "super over 11/1 (1.0)",
      "super over 15/0 (0.4)",
    ]);
    expect(game.breakdown("JJ Bumrah")).toEqual({ startingXi: 4, wicket: 75, economy: 2 });
    expect(["3", "4", "5", "6"].flatMap((innings) => game.at(`${innings}.0.1`))).toEqual([]);
    expect(game.end).toMatchObject({ result: "tie", winner: 1 });
  });

  test("1304066: retired out is out but nobody's wicket; a four that was no boundary", () => {
    const game = played("ipl/1304066.json");
    expect(game.ball("1.18.2").wickets[0]!.kind).toBe("retiredOut");
    expect(game.scoreboard[0]).toBe("165/6 (20.0)");
    expect(game.breakdown("R Ashwin")).toEqual({ startingXi: 4, run: 28, six: 4, catch: 8, economy: 4 });
    expect(game.at("1.0.3")).toContain("D Padikkal run 4");
    expect(game.at("1.0.3").filter((line) => line.includes("four"))).toEqual([]);
  });

  test("1359515: three stumpings; impact players earn for playing, those who start for starting", () => {
    const game = played("ipl/1359515.json");
    expect(game.breakdown("JM Sharma")["stumping"]).toBe(24);
    expect(game.breakdown("MS Dhoni")["stumping"]).toBe(12);
    expect(game.breakdown("P Simran Singh")).toEqual({
      playingSubstitute: 4,
      run: 42,
      four: 4,
      six: 4,
      milestone: 4,
      strikeRate: 6,
    });
    expect([game.starts("P Simran Singh"), game.starts("K Rabada")]).toEqual([false, true]);
    expect(game.breakdown("K Rabada")).toEqual({ startingXi: 4 });
  });

  test("1359519: no result after one innings; what was played counts", () => {
    const game = played("ipl/1359519.json");
    expect(game.scoreboard).toEqual(["125/7 (19.2)"]);
    expect(game.end).toMatchObject({ result: "noResult", winner: null });
    expect(game.points("A Badoni")).toBeGreaterThan(50);
  });

  test("1370353: a final by Duckworth-Lewis, won with fewer runs", () => {
    const game = played("ipl/1370353.json");
    expect(game.scoreboard).toEqual(["214/4 (20.0)", "171/5 (15.0)"]);
    expect(game.end).toMatchObject({ result: "won", winner: 1 });
    expect(game.breakdown("J Little")).toEqual({ playingSubstitute: 4, economy: -6 });
  });

  test("1426299: obstructing the field is out, and no bowler's or fielder's credit", () => {
    const game = played("ipl/1426299.json");
    expect(game.ball("2.15.5").wickets[0]!.kind).toBe("obstructingTheField");
    expect(game.at("2.15.5").filter((line) => / (wicket|runOut\w+|catch) /.test(line))).toEqual([]);
    expect(game.breakdown("RA Jadeja")).toEqual({ startingXi: 4, run: 5, economy: 2 });
  });

  test("1473469: tie, super over, retired hurt, and a player who only came in during the super over", () => {
    const game = played("ipl/1473469.json");
    expect(game.scoreboard).toEqual(["188/5 (20.0)", "188/4 (20.0)", "super over 11/2 (0.5)", "super over 13/0 (0.4)"]);
    expect(game.starts("SB Dubey")).toBe(false);
    expect(game.breakdown("SB Dubey")).toEqual({});
    expect(game.breakdown("SV Samson")).toEqual({
      startingXi: 4,
      run: 31,
      four: 8,
      six: 18,
      milestone: 4,
      strikeRate: 4,
    });
    expect(game.breakdown("KK Nair")).toEqual({ startingXi: 4, duck: -2 });
  });

  test("1144530: the World Cup final of 2019, with its six that was no boundary", () => {
    const game = played("odi/1144530.json");
    expect(game.match.facts.scoringRules).toBe("odi-2021");
    expect(game.scoreboard).toEqual([
      "241/8 (50.0)",
      "241/10 (50.0)",
      "super over 15/0 (1.0)",
      "super over 15/1 (1.0)",
    ]);
    expect(game.ball("2.49.4")).toMatchObject({ runs: { batter: 6 }, nonBoundary: true });
    expect(game.breakdown("BA Stokes")).toEqual({ startingXi: 4, run: 84, four: 5, six: 4, milestone: 4 });
  });

  test("932859: a century and a seven-wicket haul in a one-day match", () => {
    const game = played("odi/932859.json");
    expect(game.breakdown("HM Amla")).toEqual({ startingXi: 4, run: 110, four: 13, milestone: 8, strikeRate: 2 });
    expect(game.breakdown("Imran Tahir")).toEqual({ startingXi: 4, wicket: 175, lbwOrBowled: 24, haul: 8 });
  });

  test("1223869: retired not out leaves 36 for nine", () => {
    const game = played("test/1223869.json");
    expect(game.ball("3.21.2").wickets[0]!.kind).toBe("retiredNotOut");
    expect(game.scoreboard[2]).toBe("36/9 (21.2)");
    expect(game.breakdown("Mohammed Shami")).toEqual({ startingXi: 4, run: 1 });
  });

  test("1453294: penalty runs before the innings are the side's, not a player's", () => {
    const game = played("test/1453294.json");
    expect(game.match.events).toContainEqual(
      expect.objectContaining({ type: "penaltyRuns", innings: 2, side: 1, runs: 5 }) as FeedEvent,
    );
    expect(game.at("2/pre")).toEqual([]);
    expect(game.scoreboard).toEqual(["575/6 (144.2)", "159/10 (45.2)", "143/10 (43.4)"]);
    expect(game.breakdown("K Rabada")).toEqual({ startingXi: 4, wicket: 80, lbwOrBowled: 8, haul: 8, catch: 16 });
  });
});
