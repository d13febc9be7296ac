import { assert } from "../domain/assert.ts";
import type { Clock } from "../domain/clock.ts";
import { checkContestTerms, type Contest, type ContestTerms } from "../domain/contest.ts";
import type { ContestId, MatchId, PlayerId } from "../domain/ids.ts";
import { isBeforeDeadline, type Match } from "../domain/match.ts";
import { ROSTER_RULES } from "../domain/roster.ts";
import { checkSquadChange, type Squad } from "../domain/squad.ts";
import type { Admin, AdminRefusal, AdminResult, PrizeRelease } from "../edge/game.ts";
import type { Catalog } from "../stores/catalog/port.ts";
import type { LockResult } from "../stream/roster-lock.ts";
import type { FinalScores } from "./final-scores.ts";
import type { Settlement } from "./settlement.ts";

export interface MatchLifecycleDeps {
  readonly catalog: Catalog;
  readonly clock: Clock;
  /** Names of the scoring rules that a match may choose. */
  readonly scoringRules: ReadonlySet<string>;
  readonly lock: (match: MatchId) => Promise<LockResult>;
  /** From here on no correction counts, whichever node took it. Repeatable. */
  readonly closePoints: (match: MatchId) => Promise<void>;
  /** Resolves when every feed event that was accepted is in the match's points. */
  readonly pointsSettled: (match: MatchId) => Promise<void>;
  readonly settlement: Pick<Settlement, "settle" | "cancel">;
  /** Of a contest of a match whose points are settled. */
  readonly finalScores: (contest: Contest) => Promise<FinalScores>;
  /** Told of every change of a match or its squad, so that caches forget it. */
  readonly onChange: (match: MatchId) => void;
}

const refused = (refusal: AdminRefusal, message: string) => ({ ok: false, refusal, message }) as const;

/** What an admin does to a match, from its creation to the release of its prizes. Every call is repeatable. */
export class MatchLifecycle implements Admin {
  readonly #deps: MatchLifecycleDeps;

  constructor(deps: MatchLifecycleDeps) {
    this.#deps = deps;
  }

  async createMatch(match: Omit<Match, "id" | "state">): Promise<AdminResult<Match>> {
    const { catalog, clock, scoringRules } = this.#deps;
    if (!isBeforeDeadline(match, clock.nowMs())) return refused("invalid", "startMs: the match starts in the past");
    if (!scoringRules.has(match.scoringRules)) {
      return refused("invalid", `scoringRules: "${match.scoringRules}" is none of ${[...scoringRules].join(", ")}`);
    }
    if (ROSTER_RULES[match.rosterRules] === undefined) {
      const known = Object.keys(ROSTER_RULES).join(", ");
      return refused("invalid", `rosterRules: "${match.rosterRules}" is none of ${known}`);
    }
    return { ok: true, value: await catalog.createMatch(match) };
  }

  async putSquad(match: MatchId, squad: Squad): Promise<AdminResult<Squad>> {
    const found = await this.#upcoming(match);
    if (!found.ok) return found;
    const before = await this.#deps.catalog.squad(match);
    const fault = checkSquadChange(before, squad);
    if (fault !== null) return refused("invalid", fault);
    return this.#storeSquad(match, squad);
  }

  async announce(match: MatchId, players: readonly PlayerId[]): Promise<AdminResult<Squad>> {
    const found = await this.#upcoming(match);
    if (!found.ok) return found;
    const squad = await this.#deps.catalog.squad(match);
    if (squad === null) return refused("wrong_state", "the match has no squad yet");
    const playing = new Set(players);
    const known = new Set(squad.players.map((player) => player.id));
    const stranger = players.find((player) => !known.has(player));
    if (stranger !== undefined) return refused("unknown_player", `players: "${stranger}" is not in the squad`);
    return this.#storeSquad(match, {
      players: squad.players.map((player) => ({ ...player, announced: playing.has(player.id) })),
    });
  }

  async createContest(terms: ContestTerms): Promise<AdminResult<Contest>> {
    const found = await this.#upcoming(terms.matchId);
    if (!found.ok) return found;
    const faults = checkContestTerms(terms);
    if (faults.length > 0) {
      return refused("invalid", faults.map((fault) => `${fault.field}: ${fault.message}`).join("; "));
    }
    return { ok: true, value: await this.#deps.catalog.createContest(terms) };
  }

  async lock(match: MatchId): Promise<AdminResult<Match>> {
    const result = await this.#deps.lock(match);
    if (result === "match_not_found") return refused("match_not_found", `there is no match ${match}`);
    if (result === "deadline_not_passed") return refused("wrong_state", "the deadline has not passed yet");
    if (result === "wrong_state") return refused("wrong_state", "the match was abandoned");
    return this.#current(match);
  }

  async cancelContest(contest: ContestId): Promise<AdminResult<Contest>> {
    const { catalog, settlement } = this.#deps;
    const ended = await settlement.cancel(contest);
    if (!ended.ok) {
      return ended.refusal === "contest_not_found"
        ? refused("contest_not_found", `there is no contest ${contest}`)
        : refused("wrong_state", `the contest can't be cancelled: ${ended.refusal}`);
    }
    return { ok: true, value: (await catalog.contest(contest))! };
  }

  async abandonMatch(match: MatchId): Promise<AdminResult<Match>> {
    const { catalog, settlement } = this.#deps;
    const found = await catalog.match(match);
    if (found === null) return refused("match_not_found", `there is no match ${match}`);
    if (found.state === "settled" || found.state === "released") {
      return refused("wrong_state", `the match is ${found.state}`);
    }
    if (found.state !== "abandoned") {
      const moved = await catalog.moveMatch(match, found.state, "abandoned");
      if (!moved) return refused("wrong_state", "the match changed its state just now; ask again");
    }
    this.#deps.onChange(match);
    for (const contest of await catalog.contests(match)) {
      const ended = await settlement.cancel(contest.id);
      assert(ended.ok, `a contest of an abandoned match is refunded, yet ${contest.id} is not`);
    }
    return this.#current(match);
  }

  endMatch(match: MatchId): Promise<AdminResult<Match>> {
    return this.#move(match, "live", "review");
  }

  async approveResult(match: MatchId): Promise<AdminResult<Match>> {
    const moved = await this.#move(match, "review", "settled");
    // What was accepted by now is what was approved; a correction after it re-opens the review.
    if (moved.ok) await this.#deps.pointsSettled(match);
    return moved;
  }

  async releasePrizes(match: MatchId): Promise<AdminResult<PrizeRelease>> {
    const { catalog, closePoints, finalScores, onChange, pointsSettled, settlement } = this.#deps;
    const found = await catalog.match(match);
    if (found === null) return refused("match_not_found", `there is no match ${match}`);
    // This move and a correction's back to review exclude each other: one of the two is refused.
    if (!(await catalog.moveMatch(match, "settled", "released"))) {
      return refused("wrong_state", `the match is ${found.state}; approve its result first`);
    }
    onChange(match);
    await closePoints(match);
    await pointsSettled(match);
    const contests: PrizeRelease["contests"][number][] = [];
    for (const contest of await catalog.contests(match)) {
      const ended = await settlement.settle(contest.id, await finalScores(contest));
      if (!ended.ok) return refused("wrong_state", `contest ${contest.id} can't be settled: ${ended.refusal}`);
      const { outcome, entryCount, paidPaise } = ended;
      contests.push({ contestId: contest.id, outcome, entryCount, paidPaise });
    }
    return { ok: true, value: { contests } };
  }

  /** Takes every contest whose end was begun or decided to it: what a crash left, or a store that went away. */
  async resume(contestsMax: number): Promise<void> {
    const { catalog } = this.#deps;
    const resumed = new Set<MatchId>();
    for (const { id, matchId } of await catalog.contestsToEnd(contestsMax)) {
      if (resumed.has(matchId)) continue;
      const state = (await catalog.match(matchId))?.state;
      if (state === "released" || state === "abandoned") resumed.add(matchId);
      if (state === "released") await this.releasePrizes(matchId);
      else if (state === "abandoned") await this.abandonMatch(matchId);
      else await this.cancelContest(id);
    }
  }

  async #storeSquad(match: MatchId, squad: Squad): Promise<AdminResult<Squad>> {
    await this.#deps.catalog.putSquad(match, squad);
    this.#deps.onChange(match);
    return { ok: true, value: squad };
  }

  /** What changes who can be picked or joined is for matches whose deadline has not passed. */
  async #upcoming(match: MatchId): Promise<AdminResult<Match>> {
    const found = await this.#deps.catalog.match(match);
    if (found === null) return refused("match_not_found", `there is no match ${match}`);
    if (found.state !== "upcoming" || !isBeforeDeadline(found, this.#deps.clock.nowMs())) {
      return refused("squad_locked", `the match is ${found.state} and its deadline has passed`);
    }
    return { ok: true, value: found };
  }

  async #move(match: MatchId, from: Match["state"], to: Match["state"]): Promise<AdminResult<Match>> {
    const { catalog, onChange } = this.#deps;
    const found = await catalog.match(match);
    if (found === null) return refused("match_not_found", `there is no match ${match}`);
    if (!(await catalog.moveMatch(match, from, to))) {
      return refused("wrong_state", `the match is ${found.state}, not ${from}`);
    }
    onChange(match);
    return this.#current(match);
  }

  async #current(match: MatchId): Promise<AdminResult<Match>> {
    const found = await this.#deps.catalog.match(match);
    return found === null ? refused("match_not_found", `there is no match ${match}`) : { ok: true, value: found };
  }
}
