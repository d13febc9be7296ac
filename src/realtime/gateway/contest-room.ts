import type { NamesOf } from "../known-names.ts";
import { type ContestId, type EntryId, entryId, type MatchId, type TeamNo, type UserId } from "../../domain/ids.ts";
import { TEAMS_PER_USER_MAX } from "../../domain/contest.ts";
import { userOfEntry } from "../../domain/ids.ts";
import type { PointsQp } from "../../domain/points.ts";
import { type Roster, scoreRoster } from "../../domain/roster.ts";
import { ownRankFrame, type StandingOfEntry, type TopEntry, topMovedFrame } from "../../edge/socket/pushes.ts";
import type { StandingAt } from "../board/standings-file.ts";
import { topChanges } from "./top-list.ts";

/** Boards as the gateway reads them (whole-boards.ts). Standings and rosters are read without waiting. */
export interface LiveBoards {
  /** undefined: not known yet, or not locked. null: nobody entered. Of a contest that is watched. */
  standing(match: MatchId, contest: ContestId): StandingAt | null | undefined;
  /** Of a user whose entries of the contest were prepared. */
  roster(match: MatchId, contest: ContestId, entry: EntryId): Roster | null;
  /** Keeps the standing known until `stop`. `ready`: it is, or can't be for now. */
  watch(match: MatchId, contest: ContestId): { readonly ready: Promise<void>; readonly stop: () => void };
  /** Makes the rosters of these users known; null when they are. Of a contest that has a standing. */
  prepare(match: MatchId, contest: ContestId, users: readonly UserId[]): Promise<void> | null;
}

const TOP_SHOWN = 10;

/**
 * What the followers of one contest have been told. Their own ranks follow from it: the points and the standing that are
 * shown are of one version, and an entry's score and rank are computed from both, here, without asking anybody.
 */
export class ContestRoom {
  followerCount = 0;
  #at: StandingAt | null = null;
  #isLive = false;
  #top: readonly TopEntry[] = [];
  #topOffset = 0;
  #opened: Promise<unknown> | null = null;
  #last: Promise<unknown> = Promise.resolve();
  /** Encoded once for each score, whoever has it. */
  readonly #ownFrames = new Map<PointsQp, Uint8Array>();
  readonly #watch: ReturnType<LiveBoards["watch"]>;

  constructor(
    readonly contestId: ContestId,
    readonly matchId: MatchId,
    boards: LiveBoards,
  ) {
    this.#watch = boards.watch(matchId, contestId);
  }

  /** Nobody follows it any more. */
  close(): void {
    this.#watch.stop();
  }

  /** false before the deadline and while the board is being built. */
  get isLive(): boolean {
    return this.#isLive;
  }

  get offset(): number {
    return this.#at?.pointsVersion ?? 0;
  }

  /** The version at which the top list last changed. */
  get topOffset(): number {
    return this.#topOffset;
  }

  get entryCount(): number {
    return this.#at?.standing.entryCount ?? 0;
  }

  get top(): readonly TopEntry[] {
    return this.#top;
  }

  get lastTiedCount(): number {
    const last = this.#top.at(-1);
    return last === undefined ? 0 : this.#at!.standing.countAt(last.scoreQp);
  }

  /** Resolves when the room shows what the board showed when its first follower came. */
  opened(boards: LiveBoards, namesOf: NamesOf): Promise<unknown> {
    this.#opened ??= this.#watch.ready.then(() => this.advance(boards, namesOf));
    return this.#opened;
  }

  /** One after the other, whoever asks. */
  advance(boards: LiveBoards, namesOf: NamesOf): Promise<RoomChange | null> {
    const advancing = this.#last.then(() => this.#advance(boards, namesOf));
    this.#last = advancing.catch(() => null);
    return advancing;
  }

  /** Takes over what the board shows now. Answers null when that is what was shown before. */
  async #advance(boards: LiveBoards, namesOf: NamesOf): Promise<RoomChange | null> {
    const at = boards.standing(this.matchId, this.contestId);
    if (at === undefined) return null;
    if (this.#isLive && (at === null || at.pointsVersion <= this.offset)) return null;
    const rows = at?.standing.top().slice(0, TOP_SHOWN) ?? [];
    const names = new Map(this.#top.map(({ entryId, userName }) => [entryId, userName]));
    const strangers = rows.flatMap((row) => (names.has(row.entryId) ? [] : [userOfEntry(row.entryId)]));
    const found = strangers.length === 0 ? null : await namesOf([...new Set(strangers)]);
    const top = rows.map(({ entryId, scoreQp }): TopEntry => {
      const user = userOfEntry(entryId);
      return { entryId, scoreQp, userName: names.get(entryId) ?? found?.get(user) ?? `user ${user}` };
    });

    // From here on nothing waits: followers who come in between have seen either all of the old or all of the new.
    const opened = !this.#isLive;
    const changes = topChanges(this.#top, top);
    const baseOffset = this.#topOffset;
    this.#isLive = true;
    this.#at = at;
    this.#top = top;
    this.#ownFrames.clear();
    if (changes.length === 0 && !opened) return { opened, topFrame: null };
    this.#topOffset = this.offset;
    const topFrame = opened
      ? null
      : topMovedFrame(this.contestId, baseOffset, this.offset, changes, this.lastTiedCount);
    return { opened, topFrame };
  }

  /** The user's entries, found by the ids that they would have. */
  entriesOf(user: UserId, boards: LiveBoards): OwnEntry[] {
    if (this.#at === null) return [];
    const entries: OwnEntry[] = [];
    for (let team = 1; team <= TEAMS_PER_USER_MAX; team++) {
      const id = entryId(user, team as TeamNo);
      const roster = boards.roster(this.matchId, this.contestId, id);
      if (roster !== null) entries.push(new OwnEntry(this, id, roster, this.standingOf(roster)));
    }
    return entries;
  }

  standingOf(roster: Roster): StandingOfEntry {
    const { points, standing } = this.#at!;
    const scoreQp = scoreRoster(roster, points);
    return { scoreQp, rank: standing.rank(scoreQp), tiedCount: standing.countAt(scoreQp) };
  }

  ownFrame(standing: StandingOfEntry): Uint8Array {
    let frame = this.#ownFrames.get(standing.scoreQp);
    if (frame === undefined) this.#ownFrames.set(standing.scoreQp, (frame = ownRankFrame(standing, this.offset)));
    return frame;
  }
}

export interface RoomChange {
  /** The board was not there before: followers get all of it, and now have own entries. */
  readonly opened: boolean;
  /** null: the top list is as it was. */
  readonly topFrame: Uint8Array | null;
}

/** An entry of a session's user, and what that session was told of it last. */
export class OwnEntry {
  constructor(
    readonly room: ContestRoom,
    readonly entryId: EntryId,
    readonly roster: Roster,
    public told: StandingOfEntry,
  ) {}

  /** The frame to send, or null when the session knows already. */
  change(): Uint8Array | null {
    const now = this.room.standingOf(this.roster);
    const { told } = this;
    if (now.rank === told.rank && now.scoreQp === told.scoreQp && now.tiedCount === told.tiedCount) return null;
    this.told = now;
    return this.room.ownFrame(now);
  }
}
