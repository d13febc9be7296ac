import type { Builder, Offset } from "flatbuffers";
import type { Contest as ContestFacts } from "../../domain/contest.ts";
import type { ContestId, EntryId, MatchId } from "../../domain/ids.ts";
import type { Match as MatchFacts, MatchState } from "../../domain/match.ts";
import type { PointsQp } from "../../domain/points.ts";
import type { InningsBoard } from "../../domain/scoring/innings.ts";
import type { PointsUpdate } from "../../stream/points-update.ts";
import { writeContest, writeMatch } from "./answers.ts";
import { structVector, writeFrame } from "./frame-writer.ts";
import {
  Ball,
  ContestFollowed,
  InningsScore,
  MatchFollowed,
  MatchMoved,
  Message,
  OwnEntry,
  OwnRank,
  OwnStanding,
  PlayerPoints,
  Reason,
  type Resumed,
  TopEntrant,
  TopMove,
  TopMoved,
  TopRow,
} from "./generated/wire_generated.ts";

/** What streams say. Frames are kept and sent to many, so each of these is bytes of its own. */

export interface StandingOfEntry {
  readonly rank: number;
  readonly tiedCount: number;
  readonly scoreQp: PointsQp;
}

export interface OwnSlot extends StandingOfEntry {
  readonly slot: number;
  readonly entryId: EntryId;
}

export interface TopEntry {
  readonly entryId: EntryId;
  readonly userName: string;
  readonly scoreQp: PointsQp;
}

/** `slot` 0; see `setSlot`. */
export function ownRankFrame({ rank, tiedCount, scoreQp }: StandingOfEntry, offset: number): Uint8Array {
  return writeFrame(Message.OwnRank, 0, (builder) => {
    OwnRank.startOwnRank(builder);
    OwnRank.addStanding(builder, OwnStanding.createOwnStanding(builder, rank, tiedCount, scoreQp, offset & 0xffff));
    return OwnRank.endOwnRank(builder);
  }).slice();
}

/**
 * Own-rank frames of one contest and score differ between sockets by one byte, the slot; so a frame is encoded once and
 * addressed in place. Where that byte is follows from the layout, which is the same in all of them.
 */
export function setSlot(frame: Uint8Array, slot: number): void {
  frame[SLOT_AT] = slot;
}

const SLOT_AT = (() => {
  const marked = writeFrame(Message.OwnRank, 0, (builder) => {
    OwnRank.startOwnRank(builder);
    OwnRank.addStanding(builder, OwnStanding.createOwnStanding(builder, 0xff00_0000, 0, 0, 0));
    return OwnRank.endOwnRank(builder);
  });
  return marked.lastIndexOf(0xff);
})();

export interface ContestState {
  readonly contestId: ContestId;
  readonly epoch: number;
  readonly offset: number;
  readonly live: boolean;
  readonly entryCount: number;
  readonly own: readonly OwnSlot[];
  readonly top: readonly TopEntry[];
  readonly lastTiedCount: number;
}

export function writeContestFollowed(
  builder: Builder,
  resumed: Resumed,
  state: ContestState,
  contest: ContestFacts | null,
): Offset {
  const contestAt = contest === null ? 0 : writeContest(builder, contest);
  const rows = state.top.map(({ entryId, userName, scoreQp }) =>
    TopRow.createTopRow(builder, entryId, builder.createSharedString(userName), scoreQp),
  );
  const top = ContestFollowed.createTopVector(builder, rows);
  const own = structVector(builder, ContestFollowed.startOwnVector, state.own, (entry) =>
    OwnEntry.createOwnEntry(builder, entry.entryId, entry.rank, entry.tiedCount, entry.scoreQp, entry.slot),
  );
  ContestFollowed.startContestFollowed(builder);
  ContestFollowed.addResumed(builder, resumed);
  ContestFollowed.addContestId(builder, state.contestId);
  ContestFollowed.addEpoch(builder, state.epoch);
  ContestFollowed.addOffset(builder, state.offset);
  ContestFollowed.addLive(builder, state.live);
  ContestFollowed.addEntryCount(builder, state.entryCount);
  ContestFollowed.addOwn(builder, own);
  ContestFollowed.addTop(builder, top);
  ContestFollowed.addLastTiedCount(builder, state.lastTiedCount);
  ContestFollowed.addContest(builder, contestAt);
  return ContestFollowed.endContestFollowed(builder);
}

/** `fromPlace` null: was not in the list. */
export interface TopChange {
  readonly place: number;
  readonly fromPlace: number | null;
  readonly entry: TopEntry;
}

const NOWHERE = 255;

export function topMovedFrame(
  contest: ContestId,
  baseOffset: number,
  offset: number,
  changes: readonly TopChange[],
  lastTiedCount: number,
): Uint8Array {
  return writeFrame(Message.TopMoved, 0, (builder) => {
    const entrants = changes
      .filter(({ fromPlace }) => fromPlace === null)
      .map(({ entry }) =>
        TopEntrant.createTopEntrant(builder, entry.entryId, builder.createSharedString(entry.userName)),
      );
    const entered = entrants.length === 0 ? 0 : TopMoved.createEnteredVector(builder, entrants);
    const moves = structVector(builder, TopMoved.startMovesVector, changes, ({ place, fromPlace, entry }) =>
      TopMove.createTopMove(builder, place, fromPlace ?? NOWHERE, entry.scoreQp),
    );
    return TopMoved.createTopMoved(builder, contest, baseOffset, offset, moves, entered, lastTiedCount);
  }).slice();
}

function writeInnings(builder: Builder, line: InningsBoard): Offset {
  const [overs = 0, balls = 0] = line.overs.split(".").map(Number);
  return InningsScore.createInningsScore(
    builder,
    line.innings,
    line.side,
    line.superOver,
    line.wickets,
    line.runs,
    overs,
    balls,
  );
}

/** One event of a match's stream; `before` is the one before it. */
export interface BallUpdate {
  readonly update: PointsUpdate;
  readonly before: PointsUpdate | null;
}

const sameInnings = (a: InningsBoard, b: InningsBoard): boolean =>
  a.innings === b.innings && a.runs === b.runs && a.wickets === b.wickets && a.overs === b.overs && a.side === b.side;

function writeBall(builder: Builder, { update, before }: BallUpdate): Offset {
  const names = [...new Set(update.reasons.map(({ rule }) => rule))];
  const eventId = builder.createString(update.eventId);
  const text = builder.createString(update.commentary);
  const rules = builder.createSharedString(names.join(" "));
  const reasons = structVector(builder, Ball.startReasonsVector, update.reasons, (reason) =>
    Reason.createReason(builder, reason.poolIndex, names.indexOf(reason.rule), reason.provisional, reason.qp),
  );
  const changed = structVector(builder, Ball.startChangedVector, update.changed, ({ poolIndex, newQp }) =>
    PlayerPoints.createPlayerPoints(builder, poolIndex, newQp),
  );
  const moved = update.scoreboard.filter((line) => !before?.scoreboard.some((known) => sameInnings(known, line)));
  const scores = structVector(builder, Ball.startScoresVector, moved, (line) => writeInnings(builder, line));
  Ball.startBall(builder);
  Ball.addMatchId(builder, update.matchId);
  Ball.addOffset(builder, update.version);
  Ball.addAtS(builder, Math.floor(update.atMs / 1_000));
  Ball.addEventId(builder, eventId);
  Ball.addText(builder, text);
  Ball.addRules(builder, rules);
  Ball.addReasons(builder, reasons);
  Ball.addChanged(builder, changed);
  Ball.addScores(builder, scores);
  return Ball.endBall(builder);
}

export const ballFrame = (update: BallUpdate): Uint8Array =>
  writeFrame(Message.Ball, 0, (builder) => writeBall(builder, update)).slice();

export interface MatchStreamState {
  readonly match: MatchFacts;
  readonly epoch: number;
  readonly offset: number;
  /** Of the newest ball; null in an answer that needs no points. */
  readonly latest: PointsUpdate | null;
  readonly balls: readonly BallUpdate[];
}

export function writeMatchFollowed(builder: Builder, resumed: Resumed, state: MatchStreamState): Offset {
  const match = writeMatch(builder, state.match);
  const points = MatchFollowed.createPointsQpVector(builder, [...(state.latest?.pointsQp ?? [])]);
  const scoreboard = structVector(
    builder,
    MatchFollowed.startScoreboardVector,
    state.latest?.scoreboard ?? [],
    (line) => writeInnings(builder, line),
  );
  const balls = state.balls.map((update) => writeBall(builder, update));
  const ballsAt = MatchFollowed.createBallsVector(builder, balls);
  MatchFollowed.startMatchFollowed(builder);
  MatchFollowed.addResumed(builder, resumed);
  MatchFollowed.addMatch(builder, match);
  MatchFollowed.addEpoch(builder, state.epoch);
  MatchFollowed.addOffset(builder, state.offset);
  MatchFollowed.addPointsQp(builder, points);
  MatchFollowed.addScoreboard(builder, scoreboard);
  MatchFollowed.addBalls(builder, ballsAt);
  return MatchFollowed.endMatchFollowed(builder);
}

export const matchMovedFrame = (match: MatchId, state: MatchState): Uint8Array =>
  writeFrame(Message.MatchMoved, 0, (builder) =>
    MatchMoved.createMatchMoved(builder, match, builder.createString(state)),
  ).slice();
