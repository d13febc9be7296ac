import type { PlayerId } from "./ids.ts";
import { captainQp, type PointsQp, type PointsVector, viceCaptainQp } from "./points.ts";
import { poolIndexById, ROLES, type Role, type Squad } from "./squad.ts";

export const ROSTER_SIZE = 11;

/** A team as a user writes it: player ids in any order. */
export interface RosterDraft {
  readonly players: readonly PlayerId[];
  readonly captain: PlayerId;
  readonly viceCaptain: PlayerId;
}

/**
 * A team as everything behind the edge stores it: 11 pool indices, captain, vice-captain, then the nine others ascending.
 * Eleven bytes, and equal teams are equal bytes.
 */
export type Roster = Uint8Array;

export interface RosterRules {
  readonly name: string;
  readonly playerCount: number;
  readonly creditsMaxTenths: number;
  readonly perRole: Readonly<Record<Role, readonly [min: number, max: number]>>;
  readonly perSideMax: number;
}

/** Roster rules are data: a match names one, and a published version never changes. */
export const ROSTER_RULES: Readonly<Record<string, RosterRules>> = {
  reference: {
    name: "reference",
    playerCount: ROSTER_SIZE,
    creditsMaxTenths: 1000,
    perRole: { WK: [1, 1], BAT: [3, 5], AR: [1, 4], BOWL: [3, 5] },
    perSideMax: 7,
  },
  modern: {
    name: "modern",
    playerCount: ROSTER_SIZE,
    creditsMaxTenths: 1000,
    perRole: { WK: [1, 8], BAT: [1, 8], AR: [1, 8], BOWL: [1, 8] },
    perSideMax: 10,
  },
};

/** A broken rule: a stable code for programs, the field it concerns and a sentence for people. */
export interface RosterFault {
  readonly rule:
    | "player_count"
    | "player_unknown"
    | "player_repeated"
    | "credits"
    | "role_min"
    | "role_max"
    | "side_max"
    | "captain_not_in_team"
    | "vice_captain_not_in_team"
    | "captain_is_vice_captain";
  readonly field: "players" | "captain" | "viceCaptain";
  readonly message: string;
}

export type RosterCheck =
  { readonly ok: true; readonly roster: Roster } | { readonly ok: false; readonly faults: readonly RosterFault[] };

/** Names every broken rule, not just the first, so that an app can show them all at once. */
export function checkRoster(draft: RosterDraft, squad: Squad, rules: RosterRules): RosterCheck {
  return checkRosterIndexed(draft, squad, poolIndexById(squad), rules);
}

/** As `checkRoster`, for callers that validate many drafts against one squad and keep its index. */
export function checkRosterIndexed(
  draft: RosterDraft,
  squad: Squad,
  poolIndex: ReadonlyMap<PlayerId, number>,
  rules: RosterRules,
): RosterCheck {
  const faults: RosterFault[] = [];
  const fault = (rule: RosterFault["rule"], field: RosterFault["field"], message: string) =>
    faults.push({ rule, field, message });

  if (draft.players.length !== rules.playerCount) {
    fault("player_count", "players", `a team has ${rules.playerCount} players, this one ${draft.players.length}`);
  }
  const picked = new Set<number>();
  const perSide: [number, number] = [0, 0];
  const perRole: Record<Role, number> = { WK: 0, BAT: 0, AR: 0, BOWL: 0 };
  let creditsTenths = 0;
  for (const id of draft.players) {
    const index = poolIndex.get(id);
    if (index === undefined) {
      fault("player_unknown", "players", `player "${id}" is not in the squad of this match`);
      continue;
    }
    if (picked.has(index)) {
      fault("player_repeated", "players", `player "${id}" is in the team more than once`);
      continue;
    }
    picked.add(index);
    const player = squad.players[index]!;
    perSide[player.side]++;
    perRole[player.role]++;
    creditsTenths += player.creditsTenths;
  }
  if (creditsTenths > rules.creditsMaxTenths) {
    fault("credits", "players", `the team costs ${creditsTenths / 10} credits, at most ${rules.creditsMaxTenths / 10}`);
  }
  for (const role of ROLES) {
    const [min, max] = rules.perRole[role];
    const count = perRole[role];
    if (count < min) fault("role_min", "players", `at least ${min} ${role}, this team has ${count}`);
    if (count > max) fault("role_max", "players", `at most ${max} ${role}, this team has ${count}`);
  }
  if (Math.max(...perSide) > rules.perSideMax) {
    fault(
      "side_max",
      "players",
      `at most ${rules.perSideMax} players of one side, this team has ${Math.max(...perSide)}`,
    );
  }
  const captain = poolIndex.get(draft.captain);
  const viceCaptain = poolIndex.get(draft.viceCaptain);
  if (captain === undefined || !picked.has(captain)) {
    fault("captain_not_in_team", "captain", `captain "${draft.captain}" is not one of the team's players`);
  }
  if (viceCaptain === undefined || !picked.has(viceCaptain)) {
    fault(
      "vice_captain_not_in_team",
      "viceCaptain",
      `vice-captain "${draft.viceCaptain}" is not one of the team's players`,
    );
  }
  if (draft.captain === draft.viceCaptain) {
    fault("captain_is_vice_captain", "viceCaptain", "captain and vice-captain are the same player");
  }
  if (faults.length > 0) return { ok: false, faults };
  return { ok: true, roster: packRoster(captain!, viceCaptain!, picked) };
}

/** `picked` holds all eleven pool indices, the captain's and the vice-captain's among them. */
export function packRoster(captain: number, viceCaptain: number, picked: Iterable<number>): Roster {
  const others = Array.from(picked, Number).filter((index) => index !== captain && index !== viceCaptain);
  return Uint8Array.of(captain, viceCaptain, ...others.sort((a, b) => a - b));
}

export function rosterDraft(roster: Roster, squad: Squad): RosterDraft {
  const players = Array.from(roster, (index) => squad.players[index]!.id);
  return { players, captain: players[0]!, viceCaptain: players[1]! };
}

/** The whole scoring law of a team: a pure function of a locked roster and one points vector. */
export function scoreRoster(roster: Roster, points: PointsVector): PointsQp {
  let scoreQp = captainQp(points[roster[0]!]!) + viceCaptainQp(points[roster[1]!]!);
  for (let slot = 2; slot < ROSTER_SIZE; slot++) scoreQp += points[roster[slot]!]!;
  return scoreQp;
}
