import type { ContestId, EntryId } from "../domain/ids.ts";
import { type Roster, ROSTER_SIZE } from "../domain/roster.ts";
import type { Board } from "./board/board.ts";
import type { Commitment } from "./board/commitment.ts";
import { indexOfId } from "./board/queries.ts";
import type { BoardIdentity } from "./board/shared-memory.ts";
import type { LockedTeams } from "./index/port.ts";

/** One slice of a locked match that this node has open. */
export class LockedSlice {
  /** Compact standings of samples, by the version of their points and by contest. */
  readonly kept = new Map<number, Map<ContestId, Uint8Array>>();

  constructor(
    readonly identity: BoardIdentity,
    readonly board: Board,
  ) {}

  /** Every team of the slice, in a contest or not. */
  get teams(): LockedTeams {
    return this.board.teams;
  }

  /** The roster that the team had at the deadline; null for a team that was never saved in time. */
  rosterOf(entry: EntryId): Roster | null {
    const index = this.leafIndexOf(entry);
    return index === null ? null : this.teams.rosters.slice(index * ROSTER_SIZE, (index + 1) * ROSTER_SIZE);
  }

  leafIndexOf(entry: EntryId): number | null {
    const index = indexOfId(this.teams.entryIds, entry);
    return index < 0 ? null : index;
  }

  /** null: being computed, for a few seconds after the deadline. */
  commitment(): Commitment | null {
    return this.board.commitment();
  }

  keep(pointsVersion: number, contest: ContestId, compact: Uint8Array): void {
    const standings = this.kept.get(pointsVersion) ?? new Map<ContestId, Uint8Array>();
    this.kept.set(pointsVersion, standings.set(contest, compact));
  }
}
