import { type ContestId, type EntryId, type TeamNo, teamOfEntry, userOfEntry } from "../domain/ids.ts";
import type { Paise } from "../domain/money.ts";
import type { PointsQp } from "../domain/points.ts";
import { PrizeSchedule } from "../domain/prizes.ts";
import type { ClientIn } from "../edge/socket/generated/powerplay/wire/client-in.ts";
import {
  Call,
  ContestFollowed,
  type OwnStanding,
  Resumed,
  type TopMoved,
} from "../edge/socket/generated/wire_generated.ts";
import { textOf } from "../edge/socket/read.ts";
import type { BoardRow } from "../edge/game.ts";
import { Stream, type StreamPosition } from "./follow.ts";
import { type ContestInfo, contestOf, tableOf } from "./replies.ts";

export type TopRow = BoardRow;

export interface OwnRow {
  readonly entryId: EntryId;
  readonly teamNo: TeamNo;
  readonly rank: number;
  /** Entries that share the rank, this one among them. */
  readonly tiedCount: number;
  readonly scoreQp: PointsQp;
  /** What the rank wins if the match ended now. */
  readonly prizePaise: Paise;
}

export interface ContestView {
  readonly contest: ContestInfo;
  /** false: the match has not been locked, or the board is being built. */
  readonly live: boolean;
  readonly entryCount: number;
  readonly offset: number;
  readonly top: readonly TopRow[];
  /** Best first. */
  readonly own: readonly OwnRow[];
}

interface Named {
  readonly entryId: EntryId;
  readonly userName: string;
  readonly scoreQp: PointsQp;
}

/** `fromPlace` of a row that was not in the list before. */
const NOWHERE = 255;

export class ContestStream extends Stream<ContestView> {
  readonly followCall = Call.FollowContest;
  readonly unfollowCall = Call.UnfollowContest;
  #contest: ContestInfo | null = null;
  #prizes: PrizeSchedule | null = null;
  #epoch = 0;
  #offset = 0;
  #live = false;
  #entryCount = 0;
  #top: readonly Named[] = [];
  #lastTiedCount = 1;
  readonly #own = new Map<number, Omit<OwnRow, "prizePaise">>();

  /** `slots` is shared by all streams of the socket. */
  constructor(
    readonly id: ContestId,
    private readonly slots: Map<number, ContestStream>,
  ) {
    super();
  }

  get position(): StreamPosition {
    return { epoch: this.#epoch, offset: this.#offset };
  }

  answered(frame: ClientIn): void {
    this.followed(tableOf(frame, ContestFollowed));
  }

  followed(followed: ContestFollowed): void {
    const contest = followed.contest();
    if (contest !== null) {
      this.#contest = contestOf(contest);
      this.#prizes = new PrizeSchedule(this.#contest.prizes, this.#contest.prizePoolPaise);
    }
    this.#epoch = followed.epoch();
    this.#offset = followed.offset();
    this.#live = followed.live();
    this.#entryCount = followed.entryCount();
    // Slots are numbered anew on each socket: what was ours may be another stream's by now.
    for (const slot of this.#own.keys()) if (this.slots.get(slot) === this) this.slots.delete(slot);
    this.#own.clear();
    for (let index = 0; index < followed.ownLength(); index++) {
      const own = followed.own(index)!;
      const entryId = own.entryId() as EntryId;
      this.slots.set(own.slot(), this);
      this.#own.set(own.slot(), {
        entryId,
        teamNo: teamOfEntry(entryId),
        rank: own.rank(),
        tiedCount: own.tiedCount(),
        scoreQp: own.scoreQp(),
      });
    }
    if (followed.resumed() === Resumed.Snapshot) {
      this.#top = Array.from({ length: followed.topLength() }, (_, index) => {
        const row = followed.top(index)!;
        return { entryId: row.entryId() as EntryId, userName: textOf(row.userName()), scoreQp: row.scoreQp() };
      });
      this.#lastTiedCount = followed.lastTiedCount();
    }
    this.#show();
  }

  ownRank(standing: OwnStanding): void {
    const slot = standing.slotAndRank() >>> 24;
    const own = this.#own.get(slot);
    if (own === undefined) return;
    this.#own.set(slot, {
      ...own,
      rank: standing.slotAndRank() & 0xff_ffff,
      tiedCount: standing.tiedCount(),
      scoreQp: standing.scoreQp(),
    });
    this.#show();
  }

  /** false: a change before this one was missed. */
  topMoved(moved: TopMoved): boolean {
    if (moved.offset() <= this.#offset) return true;
    if (moved.baseOffset() > this.#offset) return false;
    const before = this.#top;
    const top = before.slice();
    let entered = 0;
    for (let index = 0; index < moved.movesLength(); index++) {
      const move = moved.moves(index)!;
      const scoreQp = move.scoreQp();
      if (move.fromPlace() === NOWHERE) {
        const entrant = moved.entered(entered++)!;
        top[move.place()] = {
          entryId: entrant.entryId() as EntryId,
          userName: textOf(entrant.userName()),
          scoreQp,
        };
      } else top[move.place()] = { ...before[move.fromPlace()]!, scoreQp };
    }
    this.#top = top;
    this.#lastTiedCount = moved.lastTiedCount();
    this.#offset = moved.offset();
    this.#show();
    return true;
  }

  #show(): void {
    if (this.#contest === null) return;
    const prizes = this.#prizes!;
    const prizeOf = (rank: number, tiedCount: number) => prizes.split(rank, Math.max(1, tiedCount)).eachPaise;
    const lastQp = this.#top.at(-1)?.scoreQp;
    const top = this.#top.map((row): TopRow => {
      const rank = 1 + this.#top.findIndex(({ scoreQp }) => scoreQp === row.scoreQp);
      const tied = this.#top.filter(({ scoreQp }) => scoreQp === row.scoreQp).length;
      return {
        ...row,
        rank,
        userId: userOfEntry(row.entryId),
        teamNo: teamOfEntry(row.entryId),
        prizePaise: prizeOf(rank, row.scoreQp === lastQp ? this.#lastTiedCount : tied),
      };
    });
    const own = Array.from(this.#own.values(), (row): OwnRow => ({
      ...row,
      prizePaise: prizeOf(row.rank, row.tiedCount),
    }));
    own.sort((a, b) => a.rank - b.rank || a.entryId - b.entryId);
    this.show({
      contest: this.#contest,
      live: this.#live,
      entryCount: this.#entryCount,
      offset: this.#offset,
      top,
      own,
    });
  }
}
