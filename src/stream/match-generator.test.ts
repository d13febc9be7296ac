import { expect, test } from "bun:test";
import { createMatchScore } from "../domain/scoring/sports.ts";
import { adaptCricsheet } from "./cricsheet.ts";
import { FICTIONAL_SIDES } from "./fictional-sides.ts";
import { generateMatch } from "./match-generator.ts";

const SEEDS = 200;

const games = Array.from({ length: SEEDS }, (_, seed) => {
  const file = generateMatch(seed);
  const adapted = adaptCricsheet(JSON.parse(JSON.stringify(file)));
  if (!adapted.ok) throw new Error(`seed ${seed}: ${adapted.faults[0]!.field} ${adapted.faults[0]!.message}`);
  const { match } = adapted;
  const score = createMatchScore(match.facts.scoringRules, match.squad);
  for (const event of match.events) if (!score.apply(event).applied) throw new Error(`seed ${seed}: ${event.id}`);
  const balls = match.events.filter((event) => event.type === "ball");
  return {
    file,
    match,
    balls,
    boards: score.scoreboard(),
    points: match.squad.players.map((_, index) => score.pointsOf(index) / 4),
  };
});

const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

test("the same seed plays the same match, another seed another one", () => {
  expect(generateMatch(42)).toEqual(generateMatch(42));
  expect(generateMatch(43)).not.toEqual(generateMatch(42));
});

test("totals, wickets and results are those of Twenty20 cricket", () => {
  const firstTotals = games.map(({ boards }) => boards[0]!.runs).sort((a, b) => a - b);
  expect(firstTotals[SEEDS / 2]).toBeWithin(145, 180);
  expect(firstTotals[SEEDS / 10]).toBeGreaterThan(110);
  expect(firstTotals[(SEEDS * 9) / 10]).toBeLessThan(215);
  expect(mean(games.flatMap(({ boards }) => boards.slice(0, 2).map((board) => board.wickets)))).toBeWithin(5, 7.5);
  const chasers = games.filter(({ file }) => file.info.outcome.winner === file.innings[1]!.team).length;
  expect(chasers / SEEDS).toBeWithin(0.35, 0.65);
});

test("every usual way of getting out and every kind of extra happens", () => {
  const balls = games.flatMap((game) => game.balls);
  const kinds = new Set(balls.flatMap((ball) => ball.wickets.map((wicket) => wicket.kind)));
  for (const kind of [
    "bowled",
    "caught",
    "caughtAndBowled",
    "lbw",
    "stumped",
    "hitWicket",
    "runOut",
    "retiredHurt",
  ] as const) {
    expect(kinds).toContain(kind);
  }
  expect(new Set(balls.flatMap((ball) => Object.keys(ball.extras)))).toEqual(
    new Set(["wides", "noballs", "byes", "legbyes"]),
  );
  const touched = balls.flatMap((ball) => ball.wickets).flatMap((wicket) => wicket.fielders ?? []);
  expect(touched.some((fielder) => fielder.substitute)).toBe(true);
});

test("the laws of the game hold: overs, quotas, wickets, and no chase runs on", () => {
  for (const { file, boards } of games) {
    for (const [index, innings] of file.innings.entries()) {
      const bowlers = innings.overs.map((over) => over.deliveries[0]!.bowler);
      expect(bowlers.some((bowler, over) => over > 0 && bowler === bowlers[over - 1])).toBe(false);
      const quota = Math.max(...bowlers.map((bowler) => bowlers.filter((other) => other === bowler).length));
      expect(quota).toBeLessThanOrEqual(4);
      expect(innings.overs.length).toBeLessThanOrEqual(innings.super_over === true ? 1 : 20);
      expect(boards[index]!.wickets).toBeLessThanOrEqual(innings.super_over === true ? 2 : 10);
    }
    // At most a six off a no-ball when one was needed.
    expect(boards[1]!.runs - boards[0]!.runs).toBeLessThanOrEqual(7);
  }
});

test("a tie is decided by super overs", () => {
  const tied = games.filter(({ boards }) => boards[0]!.runs === boards[1]!.runs);
  expect(tied.length).toBeGreaterThan(0);
  for (const { file, boards } of tied) {
    const [last, lastButOne] = [boards.at(-1)!, boards.at(-2)!];
    const winner = last.runs > lastButOne.runs ? last.side : lastButOne.side;
    expect([boards.length % 2, file.info.outcome.eliminator]).toEqual([0, file.info.teams[winner]!]);
  }
});

test("players earn sensible points: impact players play, stars shine, nobody breaks the scale", () => {
  const highest = games.map(({ points }) => Math.max(...points)).sort((a, b) => a - b);
  expect(highest[SEEDS / 2]).toBeWithin(90, 180);
  expect(highest.at(-1)).toBeLessThan(350);
  for (const { match } of games) {
    expect(match.events.filter((event) => event.type === "substitution")).toHaveLength(2);
    expect(match.squad.players).toHaveLength(24);
  }
});

test("all names are different, so that nobody plays for two sides", () => {
  const names = FICTIONAL_SIDES.flatMap(({ players, substituteFielder }) => [
    ...Object.values(players).flat(),
    substituteFielder,
  ]);
  expect(new Set(names).size).toBe(names.length);
});
