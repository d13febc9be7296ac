import type { BallEvent, FeedEvent, Fielder, SubstitutionEvent, Wicket } from "../domain/feed.ts";
import { type FieldFault, fieldName } from "../domain/field-fault.ts";
import type { PlayerId } from "../domain/ids.ts";
import type { MatchFormat } from "../domain/match.ts";
import { POOL_SIZE_MAX } from "../domain/points.ts";
import { rulesInForce } from "../domain/scoring/rule-sets.ts";
import type { Player, Squad } from "../domain/squad.ts";
import {
  CRICSHEET_WICKETS,
  type CricsheetDelivery,
  type CricsheetFile,
  type CricsheetInnings,
  type CricsheetWicket,
  parseCricsheetFile,
} from "./cricsheet-file.ts";
import { guessCreditsTenths, guessRoles, type Involvement } from "./cricsheet-squad.ts";

/** What a Cricsheet file says about the match as such. */
export interface MatchFacts {
  /** "Delhi Capitals v Rajasthan Royals, Indian Premier League 2025-04-16" */
  readonly name: string;
  readonly sides: readonly [string, string];
  readonly format: MatchFormat;
  /** First day, YYYY-MM-DD. */
  readonly date: string;
  /** When the first ball is bowled by the clock that the adapter gives to the feed. */
  readonly startMs: number;
  /** Name of the rules in force in the match's format and year. */
  readonly scoringRules: string;
}

export interface CricsheetMatch {
  readonly facts: MatchFacts;
  /** Before the announcement: `announced` is null. Roles and credits are guesses, see `Involvement`. */
  readonly squad: Squad;
  /** The eleven of either side, without those who only came in during the match. */
  readonly startingXi: readonly PlayerId[];
  /** In the order of play, each in its version 1. */
  readonly events: readonly FeedEvent[];
}

export type AdaptedCricsheet =
  | { readonly ok: true; readonly match: CricsheetMatch }
  | { readonly ok: false; readonly faults: readonly FieldFault[] };

/** Turns a parsed Cricsheet JSON file into a match as a feed provider would tell it. Faults name the place in the file. */
export function adaptCricsheet(json: unknown): AdaptedCricsheet {
  const parsed = parseCricsheetFile(json);
  if (!parsed.ok) return parsed;
  const { file } = parsed;
  const faults = danglingNames(file);
  if (faults.length > 0) return { ok: false, faults };
  // From here on every name leads to a player.
  const idOf = (name: string) => file.info.registry.people[name] as PlayerId;
  const facts = matchFacts(file);
  const cameIn = new Set(replacements(file).map((replacement) => replacement.in));
  const startingXi = file.info.teams
    .flatMap((team) => file.info.players[team]!)
    .filter((name) => !cameIn.has(name))
    .map(idOf);
  return {
    ok: true,
    match: { facts, squad: squadOf(file, idOf), startingXi, events: feedOf(file, facts, startingXi) },
  };
}

const deliveries = (innings: CricsheetInnings): CricsheetDelivery[] => innings.overs.flatMap((over) => over.deliveries);

const replacements = (file: CricsheetFile) =>
  file.innings.flatMap(deliveries).flatMap((delivery) => delivery.replacements?.match ?? []);

/** Every name that leads nowhere: teams without players, players without a registry id, strangers in the innings. */
function danglingNames(file: CricsheetFile): FieldFault[] {
  const { players, registry, teams } = file.info;
  const faults: FieldFault[] = [];
  const refuse = (path: PropertyKey[], message: string) => faults.push({ field: fieldName(path), message });

  const known = new Set<string>();
  const ids = new Set<string>();
  for (const team of teams) {
    if (players[team] === undefined) refuse(["info", "players", team], "has no players");
    for (const [place, name] of (players[team] ?? []).entries()) {
      const id = registry.people[name];
      if (id === undefined) refuse(["info", "registry", "people", name], `is missing, but "${name}" plays`);
      else if (ids.has(id)) refuse(["info", "players", team, place], `"${name}" is listed twice`);
      else ids.add(id);
      known.add(name);
    }
  }
  if (ids.size > POOL_SIZE_MAX) refuse(["info", "players"], `lists ${ids.size} players, at most ${POOL_SIZE_MAX}`);

  const check = (path: PropertyKey[], name: string) => {
    if (!known.has(name)) refuse(path, `"${name}" is not in info.players`);
  };
  for (const [inningsAt, innings] of file.innings.entries()) {
    if (!teams.includes(innings.team)) {
      refuse(["innings", inningsAt, "team"], `"${innings.team}" is not in info.teams`);
    }
    for (const [overAt, over] of innings.overs.entries()) {
      for (const [deliveryAt, delivery] of over.deliveries.entries()) {
        const path = ["innings", inningsAt, "overs", overAt, "deliveries", deliveryAt];
        check([...path, "batter"], delivery.batter);
        check([...path, "non_striker"], delivery.non_striker);
        check([...path, "bowler"], delivery.bowler);
        for (const [at, wicket] of (delivery.wickets ?? []).entries()) {
          check([...path, "wickets", at, "player_out"], wicket.player_out);
          for (const [place, fielder] of (wicket.fielders ?? []).entries()) {
            const isPlayer = fielder.name !== undefined && fielder.substitute !== true;
            if (isPlayer) check([...path, "wickets", at, "fielders", place, "name"], fielder.name!);
          }
        }
        for (const [at, replacement] of (delivery.replacements?.match ?? []).entries()) {
          check([...path, "replacements", "match", at, "in"], replacement.in);
          check([...path, "replacements", "match", at, "out"], replacement.out);
        }
      }
    }
  }
  return faults;
}

const FORMATS: Readonly<Record<CricsheetFile["info"]["match_type"], MatchFormat>> = {
  T20: "T20",
  IT20: "T20",
  ODI: "ODI",
  ODM: "ODI",
  Test: "Test",
  MDM: "Test",
};
const T10_OVERS = 10;

/** UTC hour of the first ball: Cricsheet tells only the day. */
const START_HOURS: Readonly<Record<MatchFormat, number>> = { T20: 14, T10: 14, ODI: 8, Test: 4 };

function matchFacts(file: CricsheetFile): MatchFacts {
  const { info } = file;
  const format = FORMATS[info.match_type] === "T20" && info.overs === T10_OVERS ? "T10" : FORMATS[info.match_type];
  const date = info.dates[0]!;
  const event = info.event?.name === undefined ? "" : `${info.event.name} `;
  return {
    name: `${info.teams[0]} v ${info.teams[1]}, ${event}${date}`,
    sides: info.teams,
    format,
    date,
    startMs: Date.parse(`${date}T00:00:00Z`) + START_HOURS[format] * 3_600_000,
    scoringRules: rulesInForce(format, Number(date.slice(0, 4))),
  };
}

function squadOf(file: CricsheetFile, idOf: (name: string) => PlayerId): Squad {
  const sides = file.info.teams.map((team) =>
    file.info.players[team]!.map((name, listPlace): Involvement & { name: string } => ({
      id: idOf(name),
      name,
      listPlace,
      battingPlace: null,
      ballsFaced: 0,
      ballsBowled: 0,
      catches: 0,
      stumpings: 0,
    })),
  );
  const byName = new Map(sides.flat().map((player) => [player.name, player]));
  for (const innings of file.innings) if (innings.super_over !== true) involve(innings, byName);
  return {
    players: sides.flatMap((side, sideIndex) => {
      const roles = guessRoles(side);
      return side.map((player, place): Player => ({
        id: player.id,
        name: player.name,
        side: sideIndex as 0 | 1,
        role: roles[place]!,
        creditsTenths: guessCreditsTenths(player),
        announced: null,
      }));
    }),
  };
}

function involve(innings: CricsheetInnings, byName: ReadonlyMap<string, Involvement>): void {
  let place = 0;
  const batted = new Set<string>();
  for (const delivery of deliveries(innings)) {
    for (const name of [delivery.batter, delivery.non_striker]) {
      if (batted.has(name)) continue;
      batted.add(name);
      byName.get(name)!.battingPlace ??= ++place;
    }
    if (delivery.extras?.wides === undefined) byName.get(delivery.batter)!.ballsFaced++;
    byName.get(delivery.bowler)!.ballsBowled++;
    for (const wicket of delivery.wickets ?? []) {
      const fielder = wicket.fielders?.at(-1);
      if (fielder?.name === undefined || fielder.substitute === true) continue;
      if (wicket.kind === "caught") byName.get(fielder.name)!.catches++;
      if (wicket.kind === "stumped") byName.get(fielder.name)!.stumpings++;
    }
  }
}

// Cricsheet has no clock. These are a match's usual gaps; a multi-day match runs through the night.
const BALL_MS = 40_000;
const OVER_GAP_MS = 60_000;
const INNINGS_GAP_MS = 15 * 60_000;

function feedOf(file: CricsheetFile, facts: MatchFacts, startingXi: readonly PlayerId[]): FeedEvent[] {
  const idOf = (name: string) => file.info.registry.people[name] as PlayerId;
  let atMs = facts.startMs;
  const events: FeedEvent[] = [{ type: "lineup", id: "lineup", version: 1, atMs, startingXi: [...startingXi] }];
  for (const [inningsAt, innings] of file.innings.entries()) {
    const number = inningsAt + 1;
    const side = file.info.teams.indexOf(innings.team) as 0 | 1;
    const award = (when: "pre" | "post") => {
      const runs = innings.penalty_runs?.[when] ?? 0;
      const id = `${number}/${when}`;
      if (runs > 0) events.push({ type: "penaltyRuns", id, version: 1, atMs, innings: number, side, runs });
    };
    award("pre");
    for (const over of innings.overs) {
      for (const [deliveryAt, delivery] of over.deliveries.entries()) {
        const at = {
          version: 1,
          atMs,
          innings: number,
          superOver: innings.super_over === true,
          over: over.over,
          ballInOver: deliveryAt + 1,
        };
        const id = `${number}.${over.over}.${deliveryAt + 1}`;
        for (const [place, replacement] of (delivery.replacements?.match ?? []).entries()) {
          events.push({
            type: "substitution",
            ...at,
            id: `${id}/in${place + 1}`,
            playerIn: idOf(replacement.in),
            playerOut: idOf(replacement.out),
            reason: substitutionReason(replacement.reason),
          });
        }
        events.push(ballOf(delivery, { ...at, id }, idOf));
        atMs += BALL_MS;
      }
      atMs += OVER_GAP_MS;
    }
    award("post");
    atMs += INNINGS_GAP_MS;
  }
  events.push(matchEnd(file, atMs));
  return events;
}

type BallPlace = Pick<BallEvent, "id" | "version" | "atMs" | "innings" | "superOver" | "over" | "ballInOver">;

function ballOf(delivery: CricsheetDelivery, at: BallPlace, idOf: (name: string) => PlayerId): BallEvent {
  const { batter, extras, total, non_boundary } = delivery.runs;
  return {
    type: "ball",
    ...at,
    batter: idOf(delivery.batter),
    nonStriker: idOf(delivery.non_striker),
    bowler: idOf(delivery.bowler),
    runs: { batter, extras, total },
    nonBoundary: non_boundary === true,
    extras: delivery.extras ?? {},
    wickets: (delivery.wickets ?? []).map((wicket) => wicketOf(wicket, idOf)),
  };
}

function wicketOf(wicket: CricsheetWicket, idOf: (name: string) => PlayerId | undefined): Wicket {
  const kind = CRICSHEET_WICKETS[wicket.kind];
  const fielders = wicket.fielders?.map((fielder): Fielder => ({
    player: (fielder.name === undefined ? undefined : idOf(fielder.name)) ?? null,
    substitute: fielder.substitute === true,
  }));
  const needsFielder = kind === "runOut" || kind === "caught" || kind === "stumped";
  return { kind, playerOut: idOf(wicket.player_out)!, fielders: fielders ?? (needsFielder ? null : []) };
}

function substitutionReason(reason: string): SubstitutionEvent["reason"] {
  if (reason === "impact_player") return "impactPlayer";
  if (reason === "concussion_substitute") return "concussion";
  return reason === "x_factor" ? "xFactor" : "other";
}

function matchEnd(file: CricsheetFile, atMs: number): FeedEvent {
  const { winner, eliminator, result } = file.info.outcome;
  const won = winner ?? eliminator;
  const winnerSide = won === undefined ? -1 : file.info.teams.indexOf(won);
  const results = { tie: "tie", draw: "draw" } as const;
  return {
    type: "matchEnd",
    id: "end",
    version: 1,
    atMs,
    result: winner === undefined ? (results[result as keyof typeof results] ?? "noResult") : "won",
    winner: winnerSide === 0 || winnerSide === 1 ? winnerSide : null,
  };
}
