import type { Builder, Offset } from "flatbuffers";
import type { Match, MatchState } from "../../domain/match.ts";
import type { Contest } from "../../domain/contest.ts";
import type { ContestId, MatchId, UserId } from "../../domain/ids.ts";
import {
  ballFrame,
  type BallUpdate,
  type ContestState,
  matchMovedFrame,
  type OwnSlot,
  setSlot,
  writeContestFollowed,
  writeMatchFollowed,
} from "../../edge/socket/pushes.ts";
import { writeFrame } from "../../edge/socket/frame-writer.ts";
import { Message, Resumed } from "../../edge/socket/generated/wire_generated.ts";
import type { PointsUpdate } from "../../stream/points-update.ts";
import type { NamesOf } from "../known-names.ts";
import { ContestRoom, type LiveBoards, type RoomChange } from "./contest-room.ts";
import { Pacer } from "./pacer.ts";
import type { Connection, Session } from "./session.ts";

export interface HallDeps {
  readonly boards: LiveBoards;
  readonly namesOf: NamesOf;
  readonly matchNow: (match: MatchId) => Promise<Match | null>;
  /** Every event of the match that is folded, in order. */
  readonly updatesOf: (match: MatchId) => readonly PointsUpdate[];
  /** Names the life of the log: offsets of another epoch mean nothing. */
  readonly epoch: number;
  readonly publish: (topic: string, frame: Uint8Array) => void;
  readonly limits: HallLimits;
  /** Grows as followers are told. */
  readonly told: Told;
  /** Hears of balls when the last follower here has been told of them. */
  readonly onBallsTold?: (balls: readonly PointsUpdate[]) => void;
  readonly onTrouble: (error: unknown) => void;
}

export interface Told {
  ownRanks: number;
  rounds: number;
  /** Spent writing to sockets, of whatever a round takes with its pauses. */
  busyMs: number;
}

/** What a client has seen of a stream. */
export interface StreamPosition {
  readonly epoch: number;
  readonly offset: number;
}

export interface HallLimits {
  readonly tickMs: number;
  readonly spreadMs: number;
  /** Sockets that are written to in one turn of the event loop. */
  readonly sliceSockets: number;
  readonly snapshotBalls: number;
  /** A client that missed more gets a snapshot. */
  readonly missedBallsMax: number;
}

/** A session in a hall: what it follows here. */
export class Presence {
  followsMatch = false;
  readonly rooms: ContestRoom[] = [];
  /** Its place in the slice. */
  place = 0;

  constructor(
    readonly session: Session,
    readonly hall: MatchHall,
    readonly slice: Slice,
  ) {}

  get isEmpty(): boolean {
    return !this.followsMatch && this.rooms.length === 0;
  }
}

/**
 * Sockets that are written to together. Each has its own topics, so that what is published and what is sent to one socket
 * alone leave in one write, and no publish goes to more sockets than fit into a turn of the event loop.
 */
class Slice {
  /** In no order: an array, because a round walks all of them twice. */
  readonly presences: Presence[] = [];

  constructor(readonly index: number) {}

  add(presence: Presence): void {
    presence.place = this.presences.push(presence) - 1;
  }

  remove({ place }: Presence): void {
    const last = this.presences.pop()!;
    if (last.place === place) return;
    this.presences[place] = last;
    last.place = place;
  }
}

const contestTopic = (room: ContestRoom, slice: Slice): string => `c${room.contestId}.${slice.index}`;
const matchTopic = (match: MatchId, slice: Slice): string => `m${match}.${slice.index}`;

/** Everything that is followed of one match on this node. */
export class MatchHall {
  readonly #deps: HallDeps;
  readonly #rooms = new Map<ContestId, ContestRoom>();
  readonly #slices: Slice[] = [];
  #ballOffset = 0;
  #state: MatchState;
  #again = false;
  #flushing: Promise<void> | null = null;
  #flushedAtMs = Number.NEGATIVE_INFINITY;
  #timer: Timer | undefined;

  constructor(
    readonly match: Match,
    deps: HallDeps,
  ) {
    this.#deps = deps;
    this.#state = match.state;
    this.#ballOffset = this.#updates().at(-1)?.version ?? 0;
  }

  get isEmpty(): boolean {
    return this.#rooms.size === 0 && this.#slices.every((slice) => slice.presences.length === 0);
  }

  /** Something may have changed: told at once when nothing was told for a tick, with the next tick otherwise. */
  wake(): void {
    if (this.#timer !== undefined) return;
    const waitMs = this.#flushedAtMs + this.#deps.limits.tickMs - performance.now();
    if (waitMs <= 0) {
      void this.flush();
      return;
    }
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.flush();
    }, waitMs);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  /** Calls `enter` with the room of a contest, once it shows what the board shows. */
  async withRoom(
    contest: ContestId,
    session: Session,
    enter: (hall: MatchHall, room: ContestRoom) => void,
  ): Promise<void> {
    const { boards } = this.#deps;
    let room = this.#rooms.get(contest);
    if (room === undefined) this.#rooms.set(contest, (room = new ContestRoom(contest, this.match.id, boards)));
    // Held like by a follower, so that the last one to leave meanwhile does not take it along.
    room.followerCount++;
    try {
      await room.opened(boards, this.#deps.namesOf);
      // Who follows before there is a board, or changes the user meanwhile, is given the own entries later.
      if (room.isLive && session.userId !== null) await boards.prepare(this.match.id, contest, [session.userId]);
      enter(this, room);
    } finally {
      this.#vacate(room);
    }
  }

  /**
   * The session follows the room from now on. The answer that is written must leave before anything else is sent to the
   * session, for what is pushed next builds on it.
   */
  followContest(session: Session, room: ContestRoom, contest: Contest, seen: StreamPosition) {
    const presence = this.#enter(session);
    if (!presence.rooms.includes(room)) {
      presence.rooms.push(room);
      room.followerCount++;
      this.#findOwn(session, room);
    }
    // Once it reads again, it gets everything and is subscribed.
    if (!session.isPaused) session.connection?.subscribe(contestTopic(room, presence.slice));
    const { epoch } = this.#deps;
    const knows = room.isLive && seen.epoch === epoch && seen.offset >= room.topOffset && seen.offset > 0;
    const offset = knows ? Math.max(seen.offset, room.offset) : room.offset;
    return (builder: Builder): Offset =>
      writeContestFollowed(
        builder,
        knows ? Resumed.NothingNew : Resumed.Snapshot,
        { ...this.#contestState(session, room), offset, ...(knows ? { top: [] } : {}) },
        contest,
      );
  }

  unfollowContest(session: Session, contest: ContestId): void {
    const presence = this.#presenceOf(session);
    const at = presence?.rooms.findIndex((room) => room.contestId === contest) ?? -1;
    if (presence === undefined || at < 0) return;
    const [room] = presence.rooms.splice(at, 1);
    session.forgetEntries(room!);
    session.connection?.unsubscribe(contestTopic(room!, presence.slice));
    this.#vacate(room!);
    if (presence.isEmpty) this.leave(session);
  }

  followMatch(session: Session, match: Match, seen: StreamPosition) {
    const presence = this.#enter(session);
    presence.followsMatch = true;
    if (!session.isPaused) session.connection?.subscribe(matchTopic(this.match.id, presence.slice));
    const { epoch, limits } = this.#deps;
    const shown = this.#shownUpdates();
    const latest = shown.at(-1)?.update ?? null;
    const missed = shown.filter(({ update }) => update.version > seen.offset);
    const state = { match: { ...match, state: this.#state }, epoch, offset: this.#ballOffset };
    if (seen.epoch !== epoch || seen.offset === 0 || missed.length > limits.missedBallsMax) {
      const balls = shown.slice(-limits.snapshotBalls);
      return (builder: Builder): Offset => writeMatchFollowed(builder, Resumed.Snapshot, { ...state, latest, balls });
    }
    const resumed = missed.length === 0 ? Resumed.NothingNew : Resumed.Missed;
    const offset = Math.max(seen.offset, this.#ballOffset);
    return (builder: Builder): Offset =>
      writeMatchFollowed(builder, resumed, { ...state, offset, latest: null, balls: missed });
  }

  unfollowMatch(session: Session): void {
    const presence = this.#presenceOf(session);
    if (presence === undefined) return;
    presence.followsMatch = false;
    session.connection?.unsubscribe(matchTopic(this.match.id, presence.slice));
    if (presence.isEmpty) this.leave(session);
  }

  /** The session is gone, or follows nothing here any more. */
  leave(session: Session): void {
    const at = session.presences.findIndex(({ hall }) => hall === this);
    if (at < 0) return;
    const [presence] = session.presences.splice(at, 1);
    presence!.slice.remove(presence!);
    for (const room of presence!.rooms) this.#vacate(room);
  }

  /** Another user is at the other end: what was theirs is not the new one's. */
  identify(session: Session): void {
    const presence = this.#presenceOf(session);
    for (const room of presence?.rooms ?? []) {
      session.forgetEntries(room);
      this.#findOwn(session, room);
      this.#sendContest(session, room);
    }
  }

  /** Reads no more: what is published from now on is not for this session. */
  pause(session: Session): void {
    const presence = this.#presenceOf(session);
    if (presence === undefined) return;
    for (const room of presence.rooms) session.connection?.unsubscribe(contestTopic(room, presence.slice));
    session.connection?.unsubscribe(matchTopic(this.match.id, presence.slice));
  }

  /** Reads again: gets everything as it is now, and not what was said meanwhile. */
  unpause(session: Session): void {
    const presence = this.#presenceOf(session);
    if (presence === undefined) return;
    for (const room of presence.rooms) {
      session.connection?.subscribe(contestTopic(room, presence.slice));
      this.#sendContest(session, room);
    }
    if (!presence.followsMatch) return;
    session.connection?.subscribe(matchTopic(this.match.id, presence.slice));
    const shown = this.#shownUpdates();
    const state = {
      match: { ...this.match, state: this.#state },
      epoch: this.#deps.epoch,
      offset: this.#ballOffset,
      latest: shown.at(-1)?.update ?? null,
      balls: shown.slice(-this.#deps.limits.snapshotBalls),
    };
    session.connection?.sendBinary(
      writeFrame(Message.MatchFollowed, 0, (builder) => writeMatchFollowed(builder, Resumed.Snapshot, state)),
    );
  }

  /** Tells all followers what is new. One round at a time; a call during a round is answered by one more after it. */
  flush(): Promise<void> {
    if (this.#flushing !== null) {
      this.#again = true;
      return this.#flushing;
    }
    this.#flushing = (async () => {
      try {
        do {
          this.#again = false;
          await this.#round();
        } while (this.#again);
      } catch (error) {
        this.#deps.onTrouble(error);
      } finally {
        this.#flushing = null;
      }
    })();
    return this.#flushing;
  }

  async #round(): Promise<void> {
    const { boards, limits, matchNow, namesOf, publish } = this.#deps;
    const changes = new Map<ContestRoom, RoomChange>();
    for (const room of this.#rooms.values()) {
      const change = await room.advance(boards, namesOf);
      if (change !== null) changes.set(room, change);
    }
    const match = await matchNow(this.match.id);
    const matchFrames: Uint8Array[] = [];
    const balls = this.#updatesAfter(this.#ballOffset);
    for (const ball of balls) {
      matchFrames.push(ballFrame(ball));
      this.#ballOffset = ball.update.version;
    }
    if (match !== null && match.state !== this.#state) {
      this.#state = match.state;
      matchFrames.push(matchMovedFrame(match.id, match.state));
    }
    if (changes.size === 0 && matchFrames.length === 0) return;
    this.#flushedAtMs = performance.now();

    const { told } = this.#deps;
    told.rounds++;
    const slices = this.#slices.filter((slice) => slice.presences.length > 0);
    await this.#prepareOpened(changes, slices);
    const pacer = new Pacer(slices.length, limits.spreadMs);
    for (const [index, slice] of slices.entries()) {
      const startMs = performance.now();
      this.#tell(slice, changes, matchFrames, publish);
      told.busyMs += performance.now() - startMs;
      await pacer.after(index);
    }
    if (slices.length > 0) this.#deps.onBallsTold?.(balls.map(({ update }) => update));
  }

  /** Rosters of all followers of a contest that has opened are one question, not one each. */
  async #prepareOpened(changes: ReadonlyMap<ContestRoom, RoomChange>, slices: readonly Slice[]): Promise<void> {
    const users = new Map<ContestRoom, UserId[]>();
    for (const [room, { opened }] of changes) if (opened) users.set(room, []);
    if (users.size === 0) return;
    for (const { rooms, session } of slices.flatMap(({ presences }) => presences)) {
      if (session.userId === null) continue;
      for (const room of rooms) users.get(room)?.push(session.userId);
    }
    const { boards, onTrouble } = this.#deps;
    // Those that are not known after it are asked for one by one.
    await Promise.all(
      Array.from(users, ([room, followers]) =>
        boards.prepare(this.match.id, room.contestId, followers)?.catch(onTrouble),
      ),
    );
  }

  /** One turn of the event loop: nothing in here waits. */
  #tell(
    slice: Slice,
    changes: ReadonlyMap<ContestRoom, RoomChange>,
    matchFrames: readonly Uint8Array[],
    publish: HallDeps["publish"],
  ): void {
    const followed = new Set<ContestRoom>();
    for (const { rooms, session } of slice.presences) {
      // What is in the buffer now was not read since the last round: a queue would only grow.
      if (!session.isPaused && (session.connection?.getBufferedAmount() ?? 0) > 0) session.pause();
      for (const room of rooms) followed.add(room);
    }
    for (const frame of matchFrames) publish(matchTopic(this.match.id, slice), frame);
    for (const room of followed) {
      const topFrame = changes.get(room)?.topFrame;
      if (topFrame) publish(contestTopic(room, slice), topFrame);
    }
    for (const { rooms, session } of slice.presences) {
      for (const room of rooms) {
        if (!changes.get(room)?.opened) continue;
        this.#findOwn(session, room);
        if (!session.isPaused) this.#sendContest(session, room);
      }
      if (!session.isPaused) this.#sendOwnRanks(session, changes);
    }
  }

  /** At once when the user's rosters are known here; otherwise the client is told again when they are. */
  #findOwn(session: Session, room: ContestRoom): void {
    const { boards, onTrouble } = this.#deps;
    const { userId } = session;
    if (userId === null || !room.isLive) return;
    const waiting = boards.prepare(this.match.id, room.contestId, [userId]);
    if (waiting === null) {
      session.ownEntries(room, room.entriesOf(userId, boards));
      return;
    }
    waiting
      .then(() => {
        if (session.userId !== userId || this.#presenceOf(session)?.rooms.includes(room) !== true) return;
        session.ownEntries(room, room.entriesOf(userId, boards));
        if (!session.isPaused) this.#sendContest(session, room);
      })
      .catch(onTrouble);
  }

  #sendOwnRanks(session: Session, changes: ReadonlyMap<ContestRoom, RoomChange>): void {
    const { connection } = session;
    let count = 0;
    const { own } = session;
    for (let slot = 0; slot < own.length; slot++) {
      const entry = own[slot]!;
      if (entry === null || !changes.has(entry.room)) continue;
      const frame = entry.change();
      if (frame === null) continue;
      outgoing.frames[count] = frame;
      outgoing.slots[count] = slot;
      count++;
    }
    if (count === 0 || connection === null) return;
    // What was published to this socket in this turn leaves first, in the same write.
    this.#deps.told.ownRanks += count;
    outgoing.count = count;
    outgoing.connection = connection;
    connection.cork(sendOutgoing);
  }

  #sendContest(session: Session, room: ContestRoom): void {
    const state = this.#contestState(session, room);
    session.connection?.sendBinary(
      writeFrame(Message.ContestFollowed, 0, (builder) => writeContestFollowed(builder, Resumed.Snapshot, state, null)),
    );
  }

  #contestState(session: Session, room: ContestRoom): ContestState {
    const own: OwnSlot[] = [];
    for (const [slot, entry] of session.own.entries()) {
      if (entry?.room !== room) continue;
      // The state says what is, so this is what the session will have been told.
      entry.told = room.standingOf(entry.roster);
      own.push({ slot, entryId: entry.entryId, ...entry.told });
    }
    return {
      contestId: room.contestId,
      epoch: this.#deps.epoch,
      offset: room.offset,
      live: room.isLive,
      entryCount: room.entryCount,
      own,
      top: room.top,
      lastTiedCount: room.lastTiedCount,
    };
  }

  #updates(): readonly PointsUpdate[] {
    return this.#deps.updatesOf(this.match.id);
  }

  #updatesAfter(offset: number): BallUpdate[] {
    const updates = this.#updates();
    let first = updates.length;
    while (first > 0 && updates[first - 1]!.version > offset) first--;
    return updates.slice(first).map((update, index) => ({ update, before: updates[first + index - 1] ?? null }));
  }

  /** What followers have been told; the newest may still be on their way. */
  #shownUpdates(): BallUpdate[] {
    return this.#updatesAfter(0).filter(({ update }) => update.version <= this.#ballOffset);
  }

  #presenceOf(session: Session): Presence | undefined {
    return session.presences.find(({ hall }) => hall === this);
  }

  #enter(session: Session): Presence {
    const known = this.#presenceOf(session);
    if (known !== undefined) return known;
    let slice = this.#slices.find(({ presences }) => presences.length < this.#deps.limits.sliceSockets);
    if (slice === undefined) this.#slices.push((slice = new Slice(this.#slices.length)));
    const presence = new Presence(session, this, slice);
    slice.add(presence);
    session.presences.push(presence);
    return presence;
  }

  #vacate(room: ContestRoom): void {
    if (--room.followerCount > 0) return;
    this.#rooms.delete(room.contestId);
    room.close();
  }
}

/** One for all, so that no closure is made for each socket and tick. */
const outgoing = {
  frames: [] as Uint8Array[],
  slots: [] as number[],
  count: 0,
  connection: null as Connection | null,
};

function sendOutgoing(): void {
  const { connection, count, frames, slots } = outgoing;
  for (let index = 0; index < count; index++) {
    const frame = frames[index]!;
    setSlot(frame, slots[index]!);
    connection!.sendBinary(frame);
  }
}
