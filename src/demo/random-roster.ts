import { assert } from "../domain/assert.ts";
import type { PlayerId } from "../domain/ids.ts";
import type { Random } from "../domain/random.ts";
import { checkRosterIndexed, type RosterDraft, type RosterRules } from "../domain/roster.ts";
import { poolIndexById, type Squad } from "../domain/squad.ts";

const ATTEMPTS_MAX = 2_000;

/**
 * Draws legal teams the way people do: popular (dear) players more often, captains among them. Rejection sampling against
 * the rules themselves, so it can't disagree with them.
 */
export class RandomRosters {
  readonly #squad: Squad;
  readonly #rules: RosterRules;
  readonly #poolIndex: ReadonlyMap<PlayerId, number>;

  constructor(squad: Squad, rules: RosterRules) {
    this.#squad = squad;
    this.#rules = rules;
    this.#poolIndex = poolIndexById(squad);
  }

  draw(random: Random): RosterDraft {
    const drawn = this.complete([], random);
    assert(drawn !== null, `no legal team in ${ATTEMPTS_MAX} draws: can the squad satisfy "${this.#rules.name}"?`);
    return drawn;
  }

  /** A legal team that has all of `kept`; null when none was found. */
  complete(kept: readonly PlayerId[], random: Random): RosterDraft | null {
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      const players = this.#eleven(random, new Set(kept));
      const captain = players[random.int(4)]!;
      const viceCaptain = random.pick(players.filter((player) => player !== captain));
      const draft = { players, captain, viceCaptain };
      if (checkRosterIndexed(draft, this.#squad, this.#poolIndex, this.#rules).ok) return draft;
    }
    return null;
  }

  /** Minimum of each role first, then whoever is popular; popularity falls with each attempt's own luck. */
  #eleven(random: Random, kept: ReadonlySet<PlayerId>): PlayerId[] {
    const playing = this.#squad.players.filter((player) => player.announced !== false);
    const appeal = new Map(playing.map((player) => [player, random.next() * 20 + player.creditsTenths * 0.2]));
    const byAppeal = playing.toSorted((a, b) => appeal.get(b)! - appeal.get(a)!);
    const picked = new Set(this.#squad.players.filter((player) => kept.has(player.id)));
    for (const role of Object.keys(this.#rules.perRole) as (typeof byAppeal)[number]["role"][]) {
      const [min] = this.#rules.perRole[role];
      const have = Array.from(picked).filter((player) => player.role === role).length;
      const candidates = byAppeal.filter((player) => player.role === role && !picked.has(player));
      for (const player of candidates.slice(0, Math.max(0, min - have))) picked.add(player);
    }
    for (const player of byAppeal) {
      if (picked.size === this.#rules.playerCount) break;
      picked.add(player);
    }
    // A kept player may be one who does not play; he comes last.
    const idle = Array.from(picked).filter((player) => !appeal.has(player));
    return [...byAppeal.filter((player) => picked.has(player)), ...idle].map((player) => player.id);
  }
}
