import { type BallEvent, type FeedEvent, unknownPlayers, type Wicket, WICKET_KINDS } from "../feed.ts";
import type { PlayerId } from "../ids.ts";
import { POOL_SIZE_MAX, type PointsQp, type PointsVector } from "../points.ts";
import { assertSquad, poolIndexById, type Squad } from "../squad.ts";
import { inBallOrder } from "./ball-order.ts";
import {
  countDelivery,
  emptyInnings,
  type Innings,
  type InningsBoard,
  inningsBoard,
  settleMaidens,
} from "./innings.ts";
import { type Breakdown, breakdownInto, emptyBreakdown } from "./player-points.ts";
import { emptyStats, inningsStats, type PlayerStats } from "./player-stats.ts";
import { isProvisional, RULE_KINDS, type ScoringRules } from "./rules.ts";
import type { Applied, MatchScore, PointsChange, ReasonLine } from "./sport.ts";

/** A points vector has 16 bits a player; points that only a nonsensical feed can reach saturate rather than wrap round. */
const VECTOR_QP_MAX = 32_766;

type Sign = 1 | -1;

const SUPERSEDED: Applied = { applied: false, refusal: "superseded" };

/**
 * The points of one cricket match, event by event. The law of `MatchScore` holds because every statistic is a sum over
 * balls: a correction takes the old ball away and adds the new one, and the rest (milestones, rates, maidens) is a function
 * of the sums. The price of an event is that of the few players whom it touches, however long the match.
 */
export class CricketScore implements MatchScore<FeedEvent> {
  readonly #rules: ScoringRules;
  readonly #squad: Squad;
  readonly #poolIndex: ReadonlyMap<PlayerId, number>;
  readonly #finalById = new Map<string, FeedEvent>();
  readonly #innings: Innings[] = [];
  readonly #stats: readonly PlayerStats[];
  readonly #breakdowns: readonly Breakdown[];
  readonly #pointsQp: Int32Array;
  readonly #scratch = emptyBreakdown();
  /** Pool indices whose statistics the event under way has changed. */
  readonly #touched: number[] = [];

  constructor(rules: ScoringRules, squad: Squad) {
    assertSquad(squad);
    this.#rules = rules;
    this.#squad = squad;
    this.#poolIndex = poolIndexById(squad);
    this.#stats = squad.players.map(emptyStats);
    this.#breakdowns = squad.players.map(emptyBreakdown);
    this.#pointsQp = new Int32Array(squad.players.length);
  }

  apply(event: FeedEvent): Applied {
    const known = this.#finalById.get(event.id);
    if (known !== undefined && known.version >= event.version) return SUPERSEDED;
    const faults = unknownPlayers(event, this.#poolIndex);
    if (faults.length > 0) return { applied: false, refusal: "player_unknown", faults };
    // From here on the event counts.
    if (known !== undefined) this.#count(known, -1);
    this.#count(event, 1);
    this.#finalById.set(event.id, event);
    return this.#settleTouched(event.id);
  }

  points(): PointsVector {
    const vector = new Int16Array(POOL_SIZE_MAX);
    for (const [index, qp] of this.#pointsQp.entries()) {
      vector[index] = Math.max(-VECTOR_QP_MAX, Math.min(VECTOR_QP_MAX, qp));
    }
    return vector;
  }

  pointsOf(poolIndex: number): PointsQp {
    return this.#pointsQp[poolIndex] ?? 0;
  }

  reasons(): ReasonLine[] {
    const replay = new CricketScore(this.#rules, this.#squad);
    return this.events().flatMap((event) => {
      const applied = replay.apply(event);
      return applied.applied ? applied.reasons : [];
    });
  }

  events(): FeedEvent[] {
    return inBallOrder(this.#finalById.values());
  }

  /** The event as it counts now. */
  event(id: string): FeedEvent | undefined {
    return this.#finalById.get(id);
  }

  /** What a player has done so far, for display. */
  statsOf(poolIndex: number): Readonly<PlayerStats> | undefined {
    return this.#stats[poolIndex];
  }

  scoreboard(): InningsBoard[] {
    return this.#innings.filter(({ eventsOfSide: [first, second] }) => first + second > 0).map(inningsBoard);
  }

  #count(event: FeedEvent, sign: Sign): void {
    switch (event.type) {
      case "ball":
        this.#countBall(event, sign);
        break;
      case "lineup":
        for (const player of event.startingXi) this.#touch(this.#indexOf(player)).lineups += sign;
        break;
      case "substitution":
        if (!event.superOver) this.#touch(this.#indexOf(event.playerIn)).substitutions += sign;
        break;
      case "penaltyRuns": {
        const innings = this.#inningsAt(event.innings, false);
        innings.eventsOfSide[event.side] += sign;
        innings.runs += sign * event.runs;
        break;
      }
      case "matchEnd":
      case "void":
        break;
    }
  }

  #countBall(ball: BallEvent, sign: Sign): void {
    const batter = this.#indexOf(ball.batter);
    const innings = this.#inningsAt(ball.innings, ball.superOver);
    innings.eventsOfSide[this.#squad.players[batter]!.side] += sign;
    innings.runs += sign * ball.runs.total;
    for (const wicket of ball.wickets) if (WICKET_KINDS[wicket.kind].isOut) innings.wickets += sign;

    const { wides = 0, noballs = 0 } = ball.extras;
    const isLegal = wides === 0 && noballs === 0;
    const conceded = ball.runs.batter + wides + noballs;
    const bowler = this.#indexOf(ball.bowler);
    countDelivery(innings, ball.over, bowler, isLegal, conceded, sign);
    if (ball.superOver) return;

    settleMaidens(innings, ball.over, (maidenBowler, maidens) => {
      this.#touch(maidenBowler).maidens += maidens;
    });
    const batting = this.#touch(batter);
    if (wides === 0) batting.ballsFaced += sign;
    batting.runs += sign * ball.runs.batter;
    inningsStats(batting, ball.innings).runs += sign * ball.runs.batter;
    if (!ball.nonBoundary) {
      if (ball.runs.batter === 4) batting.fours += sign;
      else if (ball.runs.batter === 6) batting.sixes += sign;
    }
    const bowling = this.#touch(bowler);
    bowling.conceded += sign * conceded;
    if (isLegal) bowling.legalBalls += sign;
    if (isLegal && conceded === 0) bowling.dots += sign;
    for (const wicket of ball.wickets) this.#countWicket(ball, wicket, bowling, sign);
  }

  #countWicket(ball: BallEvent, wicket: Wicket, bowling: PlayerStats, sign: Sign): void {
    const kind = WICKET_KINDS[wicket.kind];
    if (kind.isOut) inningsStats(this.#touch(this.#indexOf(wicket.playerOut)), ball.innings).timesOut += sign;
    if (kind.bowlers) {
      bowling.wickets += sign;
      inningsStats(bowling, ball.innings).wickets += sign;
    }
    if (wicket.kind === "lbw" || wicket.kind === "bowled") bowling.lbwOrBowled += sign;
    if (wicket.kind === "caughtAndBowled") bowling.catches += sign;
    const last = this.#fielder(wicket, 1);
    if (last === null && wicket.kind !== "runOut") return;
    if (wicket.kind === "caught") last!.catches += sign;
    if (wicket.kind === "stumped") last!.stumpings += sign;
    if (wicket.kind === "runOut") {
      const isDirectHit = wicket.fielders?.length === 1;
      if (last !== null && isDirectHit) last.runOutsDirect += sign;
      if (last !== null && !isDirectHit) last.runOutsCaught += sign;
      const lastButOne = this.#fielder(wicket, 2);
      if (lastButOne !== null) lastButOne.runOutsThrown += sign;
    }
  }

  /** The statistics of the last (1) or last but one (2) fielder; null for nobody, somebody unknown or a substitute. */
  #fielder(wicket: Wicket, fromLast: 1 | 2): PlayerStats | null {
    const fielder = wicket.fielders?.at(-fromLast);
    if (fielder === undefined || fielder.player === null || fielder.substitute) return null;
    return this.#touch(this.#indexOf(fielder.player));
  }

  #settleTouched(eventId: string): Applied {
    const changed: PointsChange[] = [];
    const reasons: ReasonLine[] = [];
    for (const poolIndex of this.#touched) {
      const role = this.#squad.players[poolIndex]!.role;
      const newQp = breakdownInto(this.#scratch, this.#stats[poolIndex]!, role, this.#rules);
      const breakdown = this.#breakdowns[poolIndex]!;
      for (const [kind, rule] of RULE_KINDS.entries()) {
        const qp = this.#scratch[kind]! - breakdown[kind]!;
        if (qp !== 0) reasons.push({ poolIndex, eventId, rule, qp, provisional: isProvisional(rule) });
      }
      breakdown.set(this.#scratch);
      const oldQp = this.#pointsQp[poolIndex]!;
      if (newQp !== oldQp) changed.push({ poolIndex, oldQp, newQp });
      this.#pointsQp[poolIndex] = newQp;
    }
    this.#touched.length = 0;
    return { applied: true, changed, reasons };
  }

  #touch(poolIndex: number): PlayerStats {
    if (!this.#touched.includes(poolIndex)) this.#touched.push(poolIndex);
    return this.#stats[poolIndex]!;
  }

  #indexOf(player: PlayerId): number {
    return this.#poolIndex.get(player)!;
  }

  /** A super over is a record of its own even under the same number, so that correcting the flag moves the ball cleanly. */
  #inningsAt(number: number, superOver: boolean): Innings {
    const index = number * 2 + (superOver ? 1 : 0);
    for (let next = this.#innings.length; next <= index; next++) {
      this.#innings.push(emptyInnings(Math.floor(next / 2), next % 2 === 1));
    }
    return this.#innings[index]!;
  }
}
