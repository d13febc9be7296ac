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
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      const players = this.#eleven(random);
      const captain = players[random.int(4)]!;
      const viceCaptain = random.pick(players.filter((player) => player !== captain));
      const draft = { players, captain, viceCaptain };
      if (checkRosterIndexed(draft, this.#squad, this.#poolIndex, this.#rules).ok) return draft;
    }
    assert(false, `no legal team in ${ATTEMPTS_MAX} draws: the squad can't satisfy the rules "${this.#rules.name}"`);
  }

  /** Minimum of each role first, then whoever is popular; popularity falls with each attempt's own luck. */
  #eleven(random: Random): PlayerId[] {
    const playing = this.#squad.players.filter((player) => player.announced !== false);
    const appeal = new Map(playing.map((player) => [player, random.next() * 20 + player.creditsTenths * 0.2]));
    const byAppeal = playing.toSorted((a, b) => appeal.get(b)! - appeal.get(a)!);
    const picked = new Set<(typeof byAppeal)[number]>();
    for (const role of Object.keys(this.#rules.perRole) as (typeof byAppeal)[number]["role"][]) {
      const [min] = this.#rules.perRole[role];
      for (const player of byAppeal.filter((candidate) => candidate.role === role).slice(0, min)) picked.add(player);
    }
    for (const player of byAppeal) {
      if (picked.size === this.#rules.playerCount) break;
      picked.add(player);
    }
    return byAppeal.filter((player) => picked.has(player)).map((player) => player.id);
  }
}
