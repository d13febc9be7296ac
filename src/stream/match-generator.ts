import { type Random, seededRandom } from "../domain/random.ts";
import type { Role } from "../domain/squad.ts";
import type { CricsheetFile, CricsheetInnings } from "./cricsheet-file.ts";
import { fnv1a } from "./cricsheet-squad.ts";
import { FICTIONAL_SIDES, type FictionalSide } from "./fictional-sides.ts";
import { type ImpactSubstitute, type InningsPlan, simulateInnings, type SimulatedPlayer } from "./innings-simulator.ts";

const OVERS = 20;
const WICKETS = 10;
const OVERS_PER_BOWLER = 4;
const SUPER_OVER_WICKETS = 2;
const SUPER_OVER_BATTERS = 3;

/** Centre of a role's skills and how far a player's day may be from it. */
const SKILLS: Readonly<Record<Role, { readonly batting: number; readonly bowling: number }>> = {
  WK: { batting: 0.68, bowling: 0 },
  BAT: { batting: 0.75, bowling: 0 },
  AR: { batting: 0.58, bowling: 0.6 },
  BOWL: { batting: 0.2, bowling: 0.78 },
};
const SPREAD = 0.15;

interface Side {
  readonly fictional: FictionalSide;
  readonly players: readonly SimulatedPlayer[];
}

/**
 * Plays a Twenty20 match between two fictional sides and writes it in Cricsheet's JSON format: the same seed and date, the
 * same match. Both sides bring an impact player in at the break; a tie goes to super overs until one decides.
 */
export function generateMatch(seed: number, date = "2026-04-12"): CricsheetFile {
  const random = seededRandom(seed);
  const [home, away] = random
    .shuffle(FICTIONAL_SIDES)
    .slice(0, 2)
    .map((side) => playersOfTheDay(side, random)) as [Side, Side];
  const [first, second] = random.chance(0.5) ? [home, away] : [away, home];

  // The side that bats first starts without its last bowler, the other without its last batter; the break swaps them.
  const lastBowler = first.players.findLast((player) => player.role === "BOWL")!;
  const spareBatter = first.players.findLast((player) => player.role === "BAT")!;
  const lastBatter = second.players.findLast((player) => player.role === "BAT")!;
  const spareBowler = second.players.findLast((player) => player.role === "BOWL")!;
  const without = (side: Side, absent: SimulatedPlayer) => side.players.filter((player) => player !== absent);

  const firstInnings = simulateInnings(
    planOf(first, without(first, lastBowler), second, without(second, lastBatter), null, []),
    random,
  );
  const secondInnings = simulateInnings(
    planOf(second, without(second, spareBowler), first, without(first, spareBatter), firstInnings.total + 1, [
      { in: lastBowler.name, out: spareBatter.name, team: first.fictional.name },
      { in: lastBatter.name, out: spareBowler.name, team: second.fictional.name },
    ]),
    random,
  );
  const innings = [firstInnings.innings, secondInnings.innings];
  let outcome: CricsheetFile["info"]["outcome"];
  if (firstInnings.total === secondInnings.total) {
    // The finishers of the match are those who are still there: the substituted players are not.
    const winner = playSuperOvers(
      { ...second, players: without(second, spareBowler) },
      { ...first, players: without(first, spareBatter) },
      innings,
      random,
    );
    outcome = { result: "tie", eliminator: winner.fictional.name };
  } else {
    outcome = { winner: (firstInnings.total > secondInnings.total ? first : second).fictional.name };
  }
  return { info: infoOf(home, away, date, outcome), innings };
}

function playersOfTheDay(fictional: FictionalSide, random: Random): Side {
  const around = (centre: number) =>
    centre === 0 ? 0 : Math.min(1, Math.max(0.05, centre + (random.next() - 0.5) * 2 * SPREAD));
  const players = (["BAT", "WK", "AR", "BOWL"] as const).flatMap((role) =>
    fictional.players[role].map((name) => ({
      name,
      role,
      batting: around(SKILLS[role].batting),
      bowling: around(SKILLS[role].bowling),
    })),
  );
  return { fictional, players };
}

function planOf(
  batting: Side,
  batters: readonly SimulatedPlayer[],
  fielding: Side,
  fielders: readonly SimulatedPlayer[],
  target: number | null,
  impactSubstitutes: readonly ImpactSubstitute[],
): InningsPlan {
  return {
    team: batting.fictional.name,
    batting: batters,
    fielding: fielders,
    substituteFielder: fielding.fictional.substituteFielder,
    oversMax: OVERS,
    wicketsMax: WICKETS,
    oversPerBowlerMax: OVERS_PER_BOWLER,
    target,
    superOver: false,
    impactSubstitutes,
  };
}

/** The side that batted second bats first; the order turns with every further super over. Returns the winner. */
function playSuperOvers(first: Side, second: Side, innings: CricsheetInnings[], random: Random): Side {
  const batters = (side: Side) => side.players.toSorted((a, b) => b.batting - a.batting).slice(0, SUPER_OVER_BATTERS);
  const play = (batting: Side, fielding: Side, target: number | null): number => {
    const plan = planOf(batting, batters(batting), fielding, fielding.players, target, []);
    const played = simulateInnings(
      { ...plan, oversMax: 1, wicketsMax: SUPER_OVER_WICKETS, oversPerBowlerMax: 1, superOver: true },
      random,
    );
    innings.push(played.innings);
    return played.total;
  };
  const set = play(first, second, null);
  const reached = play(second, first, set + 1);
  if (set === reached) return playSuperOvers(second, first, innings, random);
  return reached > set ? second : first;
}

function infoOf(
  home: Side,
  away: Side,
  date: string,
  outcome: CricsheetFile["info"]["outcome"],
): CricsheetFile["info"] {
  const sides = [home, away];
  const everybody = sides.flatMap(({ fictional, players }) => [
    ...players.map((player) => player.name),
    fictional.substituteFielder,
  ]);
  return {
    dates: [date],
    event: { name: "Powerplay League" },
    match_type: "T20",
    outcome,
    overs: OVERS,
    players: Object.fromEntries(
      sides.map(({ fictional, players }) => [fictional.name, players.map(({ name }) => name)]),
    ),
    registry: { people: Object.fromEntries(everybody.map((name) => [name, personId(name)])) },
    teams: [home.fictional.name, away.fictional.name],
    venue: `${home.fictional.city} Oval`,
  };
}

/** Eight hexadecimal digits, like the registry's. */
const personId = (name: string): string => fnv1a(name).toString(16).padStart(8, "0");
