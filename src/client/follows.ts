import type { ContestId, MatchId } from "../domain/ids.ts";
import type { ClientIn } from "../edge/socket/generated/powerplay/wire/client-in.ts";
import {
  Ball,
  type Call,
  ContestFollowed,
  MatchFollowed,
  MatchMoved,
  Message,
  OwnRank,
  TopMoved,
} from "../edge/socket/generated/wire_generated.ts";
import type { Answer } from "./answer.ts";
import type { CallOptions } from "./connection.ts";
import { ContestStream } from "./contest-stream.ts";
import type { Follow, Stream } from "./follow.ts";
import { MatchStream } from "./match-stream.ts";
import { tableOf } from "./replies.ts";
import { follow, of, type WriteTable } from "./requests.ts";
import type { ContestView } from "./contest-stream.ts";
import type { MatchView } from "./match-stream.ts";

type Caller = <T>(
  call: Call,
  write: WriteTable,
  read: (frame: ClientIn) => T,
  options: CallOptions,
) => Promise<Answer<T>>;

/** Whatever is followed is followed again on the next socket, so the call itself need not be. */
const ON_THIS_SOCKET: CallOptions = { repeatable: false, urgent: true };
const RETRY_MS_MIN = 500;

/** All streams of a client, over all its sockets. */
export class Follows {
  readonly #call: Caller;
  readonly #contests = new Map<ContestId, ContestStream>();
  readonly #matches = new Map<MatchId, MatchStream>();
  /** Own entries of this socket, as the node numbered them. */
  readonly #slots = new Map<number, ContestStream>();
  /** The last follow call of each stream. */
  readonly #asking = new WeakMap<object, Promise<void>>();
  #connected = false;

  constructor(call: Caller) {
    this.#call = call;
  }

  contest(id: ContestId): Follow<ContestView> {
    return this.#followed(this.#contests, id, () => new ContestStream(id, this.#slots));
  }

  match(id: MatchId): Follow<MatchView> {
    return this.#followed(this.#matches, id, () => new MatchStream(id));
  }

  /** On a new socket: goes on where the last one ended. */
  resume(): void {
    this.#connected = true;
    this.#slots.clear();
    for (const stream of this.#contests.values()) void this.#ask(stream);
    for (const stream of this.#matches.values()) void this.#ask(stream);
  }

  pause(): void {
    this.#connected = false;
  }

  receive(message: Message, frame: ClientIn): void {
    switch (message) {
      case Message.OwnRank: {
        const standing = tableOf(frame, OwnRank).standing()!;
        this.#slots.get(standing.slotAndRank() >>> 24)?.ownRank(standing);
        break;
      }
      case Message.TopMoved: {
        const moved = tableOf(frame, TopMoved);
        const stream = this.#contests.get(moved.contestId() as ContestId);
        if (stream !== undefined && !stream.topMoved(moved)) void this.#ask(stream);
        break;
      }
      case Message.ContestFollowed: {
        const followed = tableOf(frame, ContestFollowed);
        this.#contests.get(followed.contestId() as ContestId)?.followed(followed);
        break;
      }
      case Message.Ball: {
        const ball = tableOf(frame, Ball);
        this.#matches.get(ball.matchId() as MatchId)?.ball(ball);
        break;
      }
      case Message.MatchMoved: {
        const moved = tableOf(frame, MatchMoved);
        this.#matches.get(moved.matchId() as MatchId)?.moved(moved);
        break;
      }
      case Message.MatchFollowed: {
        const followed = tableOf(frame, MatchFollowed);
        this.#matches.get(followed.match()!.id() as MatchId)?.matchFollowed(followed);
        break;
      }
      // A message of a newer node.
      default:
    }
  }

  #followed<Id extends number, S extends Stream<View>, View>(streams: Map<Id, S>, id: Id, open: () => S): Follow<View> {
    let stream = streams.get(id);
    if (stream === undefined) {
      streams.set(id, (stream = open()));
      if (this.#connected) void this.#ask(stream);
    }
    const followed = stream;
    return followed.follow(() => {
      streams.delete(id);
      void this.#leave(followed, () => streams.has(id));
    });
  }

  /** The node may answer calls in another order than they were made, so it is told to stop once it has begun. */
  async #leave<View>(stream: Stream<View>, followedAnew: () => boolean): Promise<void> {
    await this.#asking.get(stream);
    if (!this.#connected || followedAnew()) return;
    await this.#call(stream.unfollowCall, of(stream.id), () => undefined, ON_THIS_SOCKET);
  }

  async #ask<View>(stream: Stream<View>): Promise<void> {
    const asking = this.#askOnce(stream);
    this.#asking.set(stream, asking);
    await asking;
  }

  async #askOnce<View>(stream: Stream<View>): Promise<void> {
    const { epoch, offset } = stream.position;
    const answer = await this.#call(
      stream.followCall,
      follow(stream.id, epoch, offset),
      (frame) => stream.answered(frame),
      ON_THIS_SOCKET,
    );
    if (answer.ok || answer.refusal.code === "disconnected" || answer.refusal.code === "closed") return;
    stream.refused(answer.refusal);
    if (answer.refusal.retry !== "later") return;
    setTimeout(
      () => {
        if (this.#connected && stream.isFollowed) void this.#ask(stream);
      },
      Math.max(RETRY_MS_MIN, answer.refusal.retryAfterMs),
    );
  }
}
