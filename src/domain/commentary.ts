import type { BallEvent, FeedEvent, Wicket, WicketKind } from "./feed.ts";
import type { PlayerId } from "./ids.ts";
import type { Match } from "./match.ts";

type NameOf = (player: PlayerId) => string;

const WICKET_WORDS: Readonly<Record<WicketKind, string>> = {
  bowled: "bowled",
  caught: "caught",
  caughtAndBowled: "caught and bowled",
  lbw: "lbw",
  stumped: "stumped",
  hitWicket: "hit wicket",
  runOut: "run out",
  obstructingTheField: "obstructing the field",
  hitTheBallTwice: "hit the ball twice",
  handledTheBall: "handled the ball",
  timedOut: "timed out",
  retiredOut: "retired out",
  retiredHurt: "retired hurt",
  retiredNotOut: "retired not out",
};

/** One line of commentary: "12.3 Arjun Rao to Dev Menon: FOUR". */
export function commentaryLine(event: FeedEvent, match: Pick<Match, "sides">, nameOf: NameOf): string {
  switch (event.type) {
    case "ball":
      return `${event.superOver ? "Super over " : ""}${event.over}.${event.ballInOver} ${nameOf(event.bowler)} to ${nameOf(event.batter)}: ${ballWords(event, nameOf)}`;
    case "lineup":
      return `Playing: ${event.startingXi.map(nameOf).join(", ")}`;
    case "substitution":
      return `${nameOf(event.playerIn)} comes in for ${nameOf(event.playerOut)}`;
    case "penaltyRuns":
      return `${event.runs} penalty runs to ${match.sides[event.side]}`;
    case "matchEnd":
      return event.winner === null ? `The match ends: ${event.result}` : `${match.sides[event.winner]} win`;
    case "void":
      return "An earlier report is withdrawn";
  }
}

function ballWords(ball: BallEvent, nameOf: NameOf): string {
  const words = [...runWords(ball), ...ball.wickets.map((wicket) => wicketWords(wicket, nameOf))];
  return words.length > 0 ? words.join(", ") : "no run";
}

function runWords(ball: BallEvent): string[] {
  const words: string[] = [];
  const { batter } = ball.runs;
  if ((batter === 4 || batter === 6) && !ball.nonBoundary) words.push(batter === 4 ? "FOUR" : "SIX");
  else if (batter > 0) words.push(batter === 1 ? "1 run" : `${batter} runs`);
  const { wides = 0, noballs = 0, byes = 0, legbyes = 0, penalty = 0 } = ball.extras;
  if (wides > 0) words.push(wides === 1 ? "wide" : `${wides} wides`);
  if (noballs > 0) words.push("no-ball");
  if (byes > 0) words.push(byes === 1 ? "1 bye" : `${byes} byes`);
  if (legbyes > 0) words.push(legbyes === 1 ? "1 leg-bye" : `${legbyes} leg-byes`);
  if (penalty > 0) words.push(`${penalty} penalty runs`);
  return words;
}

function wicketWords(wicket: Wicket, nameOf: NameOf): string {
  const fielders = (wicket.fielders ?? []).flatMap((fielder) =>
    fielder.player === null || fielder.substitute ? ["a fielder"] : [nameOf(fielder.player)],
  );
  const by = fielders.length > 0 ? ` (${fielders.join(", ")})` : "";
  return `OUT! ${nameOf(wicket.playerOut)} ${WICKET_WORDS[wicket.kind]}${by}`;
}
