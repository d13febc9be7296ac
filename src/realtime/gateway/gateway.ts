import type { Builder, Offset } from "flatbuffers";
import type { Contest } from "../../domain/contest.ts";
import type { ContestId, MatchId } from "../../domain/ids.ts";
import type { Match } from "../../domain/match.ts";
import { type HallDeps, MatchHall, type StreamPosition, type Told } from "./match-hall.ts";
import type { Session } from "./session.ts";

export type GatewayDeps = Omit<HallDeps, "publish" | "told">;

/** Writes the answer to a follow call, and in the same turn lets the session follow. */
export type WriteFollowed = (builder: Builder) => Offset;

/** The epoch of the streams over data of this identity; never 0, which is what a client that has seen nothing says. */
export const epochOf = (identity: string): number => Bun.hash.crc32(identity) || 1;

/**
 * The streams of a node. It holds what its own sockets have been told and asks nobody for a user: boards are read from
 * memory, and whoever follows a match is told of a change within a tick.
 */
export class Gateway {
  readonly #deps: GatewayDeps;
  readonly #halls = new Map<MatchId, MatchHall>();
  readonly #ticker: Timer;
  /** Since the node started. */
  readonly told: Told = { ownRanks: 0, rounds: 0, busyMs: 0 };
  #publish: HallDeps["publish"] = () => undefined;

  constructor(deps: GatewayDeps) {
    this.#deps = deps;
    // What is published elsewhere, match states among it, is seen with the next tick.
    this.#ticker = setInterval(() => this.#tick(), deps.limits.tickMs);
  }

  /** Topics live in the server that the sockets are of. */
  publishTo(publish: HallDeps["publish"]): void {
    this.#publish = publish;
  }

  /** New points are on the boards of the match. */
  published(match: MatchId): void {
    this.#halls.get(match)?.wake();
  }

  /**
   * Lets the session follow the contest, in the same turn in which `answer` is called: what it is given writes the answer,
   * and everything pushed later builds on that. The session may have gone while the room opened; then nothing is answered.
   */
  async followContest(
    session: Session,
    contest: Contest,
    matchNow: Match,
    seen: StreamPosition,
    answer: (write: WriteFollowed) => void,
  ): Promise<void> {
    await this.#hall(matchNow).withRoom(contest.id, session, (hall, room) => {
      if (session.connection !== null) answer(hall.followContest(session, room, contest, seen));
    });
  }

  followMatch(session: Session, match: Match, seen: StreamPosition, answer: (write: WriteFollowed) => void): void {
    answer(this.#hall(match).followMatch(session, match, seen));
  }

  unfollowContest(session: Session, contest: ContestId): void {
    for (const { hall } of session.presences.slice()) hall.unfollowContest(session, contest);
  }

  unfollowMatch(session: Session, match: MatchId): void {
    this.#halls.get(match)?.unfollowMatch(session);
  }

  stop(): void {
    clearInterval(this.#ticker);
    for (const hall of this.#halls.values()) hall.stop();
  }

  #hall(match: Match): MatchHall {
    let hall = this.#halls.get(match.id);
    if (hall === undefined) {
      const { told } = this;
      const deps = { ...this.#deps, told, publish: (topic: string, frame: Uint8Array) => this.#publish(topic, frame) };
      this.#halls.set(match.id, (hall = new MatchHall(match, deps)));
    }
    return hall;
  }

  #tick(): void {
    for (const [match, hall] of this.#halls) {
      if (!hall.isEmpty) hall.wake();
      else {
        hall.stop();
        this.#halls.delete(match);
      }
    }
  }
}
