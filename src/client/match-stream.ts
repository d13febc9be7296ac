import type { InningsBoard } from "../domain/scoring/innings.ts";
import type { MatchId } from "../domain/ids.ts";
import type { Match, MatchState } from "../domain/match.ts";
import type { PointsQp } from "../domain/points.ts";
import type { ClientIn } from "../edge/socket/generated/powerplay/wire/client-in.ts";
import {
  type Ball,
  Call,
  type InningsScore,
  MatchFollowed,
  type MatchMoved,
  Resumed,
} from "../edge/socket/generated/wire_generated.ts";
import { textOf } from "../edge/socket/read.ts";
import { Stream, type StreamPosition } from "./follow.ts";
import { matchOf, tableOf } from "./replies.ts";

export interface BallLine {
  readonly offset: number;
  /** Whole seconds. */
  readonly atMs: number;
  readonly eventId: string;
  readonly text: string;
  /** What the ball gave, to the players of the squad by their place in it. */
  readonly reasons: readonly {
    readonly poolIndex: number;
    readonly rule: string;
    readonly pointsQp: PointsQp;
    readonly provisional: boolean;
  }[];
}

export type InningsLine = InningsBoard;

export interface MatchView {
  readonly match: Match;
  readonly offset: number;
  /** By place in the squad; a player that is missing has none. */
  readonly pointsQp: readonly PointsQp[];
  readonly scoreboard: readonly InningsLine[];
  /** Oldest first, the last few hundred. */
  readonly balls: readonly BallLine[];
}

const BALLS_KEPT = 400;

export class MatchStream extends Stream<MatchView> {
  readonly followCall = Call.FollowMatch;
  readonly unfollowCall = Call.UnfollowMatch;
  #epoch = 0;

  constructor(readonly id: MatchId) {
    super();
  }

  get position(): StreamPosition {
    return { epoch: this.#epoch, offset: this.view?.offset ?? 0 };
  }

  answered(frame: ClientIn): void {
    this.matchFollowed(tableOf(frame, MatchFollowed));
  }

  matchFollowed(followed: MatchFollowed): void {
    this.#epoch = followed.epoch();
    const match = matchOf(followed.match()!);
    let view: MatchView =
      followed.resumed() === Resumed.Snapshot || this.view === null
        ? {
            match,
            offset: followed.offset(),
            pointsQp: Array.from(followed.pointsQpArray() ?? []),
            scoreboard: Array.from({ length: followed.scoreboardLength() }, (_, index) =>
              inningsLine(followed.scoreboard(index)!),
            ),
            balls: [],
          }
        : { ...this.view, match };
    for (let index = 0; index < followed.ballsLength(); index++) view = withBall(view, followed.balls(index)!);
    this.show({ ...view, offset: followed.offset() });
  }

  ball(ball: Ball): void {
    if (this.view !== null && ball.offset() > this.view.offset) this.show(withBall(this.view, ball));
  }

  moved(moved: MatchMoved): void {
    if (this.view === null) return;
    const match = { ...this.view.match, state: textOf(moved.state()) as MatchState };
    this.show({ ...this.view, match });
  }
}

const inningsLine = (score: InningsScore): InningsLine => ({
  innings: score.innings(),
  side: score.side() as 0 | 1,
  superOver: score.superOver(),
  runs: score.runs(),
  wickets: score.wickets(),
  overs: `${score.overs()}.${score.balls()}`,
});

function withBall(view: MatchView, ball: Ball): MatchView {
  const eventId = textOf(ball.eventId());
  const rules = textOf(ball.rules()).split(" ");
  const line: BallLine = {
    offset: ball.offset(),
    atMs: ball.atS() * 1_000,
    eventId,
    text: textOf(ball.text()),
    reasons: Array.from({ length: ball.reasonsLength() }, (_, index) => {
      const reason = ball.reasons(index)!;
      return {
        poolIndex: reason.poolIndex(),
        rule: rules[reason.rule()] ?? "",
        pointsQp: reason.pointsQp(),
        provisional: reason.provisional(),
      };
    }),
  };
  // A correction takes the place of what it corrects.
  const known = view.balls.findIndex((before) => before.eventId === eventId);
  const balls = known < 0 ? [...view.balls, line].slice(-BALLS_KEPT) : view.balls.with(known, line);
  const pointsQp = view.pointsQp.slice();
  for (let index = 0; index < ball.changedLength(); index++) {
    const changed = ball.changed(index)!;
    pointsQp[changed.poolIndex()] = changed.pointsQp();
  }
  const moved = Array.from({ length: ball.scoresLength() }, (_, index) => inningsLine(ball.scores(index)!));
  const unmoved = view.scoreboard.filter((line) => !moved.some(({ innings }) => innings === line.innings));
  const scoreboard = [...unmoved, ...moved].toSorted((a, b) => a.innings - b.innings);
  return { ...view, offset: ball.offset(), pointsQp, scoreboard, balls };
}
