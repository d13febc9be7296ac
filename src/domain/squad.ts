import { assert } from "./assert.ts";
import type { PlayerId } from "./ids.ts";
import { POOL_SIZE_MAX } from "./points.ts";

export const ROLES = ["WK", "BAT", "AR", "BOWL"] as const;
export type Role = (typeof ROLES)[number];

export interface Player {
  readonly id: PlayerId;
  readonly name: string;
  /** 0 or 1: index into the match's sides. */
  readonly side: 0 | 1;
  readonly role: Role;
  /** Credits in tenths: 85 is 8.5 credits. */
  readonly creditsTenths: number;
  /** true: in the announced XI; false: announced as not playing; null: not announced yet. */
  readonly announced: boolean | null;
}

/**
 * The players that teams of a match are picked from. The position of a player in `players` is the pool index, which is
 * what a roster and a board store; so a squad only ever grows at its end.
 */
export interface Squad {
  readonly players: readonly Player[];
}

export function assertSquad(squad: Squad): void {
  assert(squad.players.length <= POOL_SIZE_MAX, `a squad has at most ${POOL_SIZE_MAX} players`);
  const ids = new Set(squad.players.map((player) => player.id));
  assert(ids.size === squad.players.length, "a squad lists each player once");
}

export function poolIndexById(squad: Squad): Map<PlayerId, number> {
  return new Map(squad.players.map((player, index) => [player.id, index]));
}

/**
 * Why `after` can't replace `before`, or null. Saved teams name players by pool index, so a player once in a squad keeps
 * place, side, role and credits; only new players and announcements are free.
 */
export function checkSquadChange(before: Squad | null, after: Squad): string | null {
  if (after.players.length > POOL_SIZE_MAX) {
    return `players: a squad has at most ${POOL_SIZE_MAX} players, this one ${after.players.length}`;
  }
  const seen = new Set<PlayerId>();
  for (const [index, player] of after.players.entries()) {
    if (seen.has(player.id)) return `players[${index}]: "${player.id}" is listed twice`;
    seen.add(player.id);
  }
  for (const [index, old] of (before?.players ?? []).entries()) {
    const kept = after.players[index];
    const same =
      kept?.id === old.id &&
      kept.side === old.side &&
      kept.role === old.role &&
      kept.creditsTenths === old.creditsTenths;
    if (!same) return `players[${index}]: "${old.id}" must keep its place, side, role and credits`;
  }
  return null;
}
