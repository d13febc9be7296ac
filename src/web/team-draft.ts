import type { PlayerId } from "../domain/ids.ts";
import { checkRosterIndexed, type RosterDraft, type RosterFault, type RosterRules } from "../domain/roster.ts";
import { poolIndexById, ROLES, type Player, type Role, type Squad } from "../domain/squad.ts";

/** A team being picked: like a `RosterDraft`, but captain and vice-captain may be missing. */
export interface TeamDraft {
  readonly players: readonly PlayerId[];
  readonly captain: PlayerId | null;
  readonly viceCaptain: PlayerId | null;
}

export const EMPTY_DRAFT: TeamDraft = { players: [], captain: null, viceCaptain: null };

const NOBODY = "" as PlayerId;
/** What one more player can break; what is still missing is no reason to refuse one. */
const BREAKABLE: ReadonlySet<RosterFault["rule"]> = new Set(["credits", "role_max", "side_max"]);
/** As people say it; every other fault speaks for itself. */
const WORDS: Readonly<Partial<Record<RosterFault["rule"], string>>> = {
  captain_not_in_team: "Choose a captain.",
  vice_captain_not_in_team: "Choose a vice-captain.",
};

export const rosterOf = (draft: TeamDraft): RosterDraft => ({
  players: draft.players,
  captain: draft.captain ?? NOBODY,
  viceCaptain: draft.viceCaptain ?? NOBODY,
});

/** Judges drafts by the node's own rules, without asking it. */
export class DraftRules {
  readonly #poolIndex: ReadonlyMap<PlayerId, number>;

  constructor(
    readonly squad: Squad,
    readonly rules: RosterRules,
  ) {
    this.#poolIndex = poolIndexById(squad);
  }

  faults(draft: TeamDraft): readonly string[] {
    const checked = checkRosterIndexed(rosterOf(draft), this.squad, this.#poolIndex, this.rules);
    if (checked.ok) return [];
    const told = checked.faults.filter(
      // Two that are both missing are not the same player.
      ({ rule }) => rule !== "captain_is_vice_captain" || draft.captain !== null,
    );
    return told.map(({ rule, message }) => WORDS[rule] ?? sentence(message));
  }

  /** Why the player can't come in as the draft stands; null when he can, or is in. */
  obstacle(draft: TeamDraft, player: Player): string | null {
    if (draft.players.includes(player.id)) return null;
    if (draft.players.length >= this.rules.playerCount) return `The team has its ${this.rules.playerCount} players.`;
    const wider = rosterOf({ ...draft, players: [...draft.players, player.id] });
    const checked = checkRosterIndexed(wider, this.squad, this.#poolIndex, this.rules);
    const fault = checked.ok ? undefined : checked.faults.find(({ rule }) => BREAKABLE.has(rule));
    return fault === undefined ? null : sentence(fault.message);
  }

  tally(draft: TeamDraft): DraftTally {
    const players = draft.players.flatMap((id) => this.squad.players[this.#poolIndex.get(id) ?? -1] ?? []);
    const countOf = (role: Role) => players.filter((player) => player.role === role).length;
    return {
      players,
      creditsTenths: players.reduce((sum, { creditsTenths }) => sum + creditsTenths, 0),
      perRole: Object.fromEntries(ROLES.map((role) => [role, countOf(role)])) as Record<Role, number>,
      perSide: [players.filter(({ side }) => side === 0).length, players.filter(({ side }) => side === 1).length],
    };
  }
}

export interface DraftTally {
  readonly players: readonly Player[];
  readonly creditsTenths: number;
  readonly perRole: Readonly<Record<Role, number>>;
  readonly perSide: readonly [number, number];
}

export function toggled(draft: TeamDraft, id: PlayerId): TeamDraft {
  if (!draft.players.includes(id)) return { ...draft, players: [...draft.players, id] };
  return {
    players: draft.players.filter((player) => player !== id),
    captain: draft.captain === id ? null : draft.captain,
    viceCaptain: draft.viceCaptain === id ? null : draft.viceCaptain,
  };
}

/** Naming the vice-captain captain swaps the two. */
export function led(draft: TeamDraft, lead: "captain" | "viceCaptain", id: PlayerId): TeamDraft {
  const other = lead === "captain" ? "viceCaptain" : "captain";
  if (draft[lead] === id) return { ...draft, [lead]: null };
  return { ...draft, [lead]: id, [other]: draft[other] === id ? draft[lead] : draft[other] };
}

const sentence = (message: string): string => `${message.charAt(0).toUpperCase()}${message.slice(1)}.`;
