import { assert } from "../../domain/assert.ts";
import type { ContestId, EntryId, MatchId } from "../../domain/ids.ts";
import { isBeforeDeadline } from "../../domain/match.ts";
import { ROSTER_SIZE } from "../../domain/roster.ts";
import type { LogBatch } from "../../stores/event-log/port.ts";
import { CONTEST_JOIN_BYTES, TEAM_SAVE_BYTES } from "../../stream/records.ts";
import type { ContestColumns } from "../kernel/port.ts";
import { putRoster, tileBytes } from "../kernel/tiles.ts";

export interface LockedContest extends ContestColumns {
  readonly contestId: ContestId;
}

/** Every team of a match as it was at the deadline. */
export interface LockedTeams {
  /** Ascending. */
  readonly entryIds: Float64Array;
  /** `ROSTER_SIZE` bytes a team, in the order of `entryIds`. */
  readonly rosters: Uint8Array;
}

export interface LockedIndex {
  readonly contests: readonly LockedContest[];
  readonly teams: LockedTeams;
  /** Announced entries whose team no save in time is known of; a join is refused without a team, so none is expected. */
  readonly entriesWithoutTeam: number;
}

/**
 * Joins what the log says: the newest save of each team that came before the deadline, and the entries of each contest.
 * Guard three of three: a record whose server time is not before the deadline counts for nothing, whoever wrote it. The
 * result depends on the log alone, so a board can be rebuilt at any time; reading a partition twice changes nothing.
 */
export class IndexBuilder {
  readonly #match: { readonly id: MatchId; readonly startMs: number };
  /** Place of a team in `#rosters`. */
  readonly #places = new Map<EntryId, number>();
  #rosters = new Uint8Array(1 << 16);
  readonly #entries = new Map<ContestId, { ids: Float64Array; count: number }>();

  constructor(match: { readonly id: MatchId; readonly startMs: number }) {
    this.#match = match;
  }

  /** A batch of `team-saves`; batches of one partition in their order. */
  addTeamSaves({ bytes, ends }: LogBatch): void {
    const view = viewOf(bytes, ends.length, TEAM_SAVE_BYTES);
    for (let at = 0; at < bytes.length; at += TEAM_SAVE_BYTES) {
      if (view.getUint32(at + 28, true) !== this.#match.id) continue;
      if (!isBeforeDeadline(this.#match, view.getFloat64(at + 8, true))) continue;
      const place = this.#placeOf(view.getFloat64(at, true) as EntryId);
      this.#rosters.set(bytes.subarray(at + 16, at + 16 + ROSTER_SIZE), place * ROSTER_SIZE);
    }
  }

  /** A batch of `contest-joins`. */
  addContestJoins({ bytes, ends }: LogBatch): void {
    const view = viewOf(bytes, ends.length, CONTEST_JOIN_BYTES);
    for (let at = 0; at < bytes.length; at += CONTEST_JOIN_BYTES) {
      if (view.getUint32(at + 4, true) !== this.#match.id) continue;
      if (!isBeforeDeadline(this.#match, view.getFloat64(at + 16, true))) continue;
      this.#addEntry(view.getUint32(at, true) as ContestId, view.getFloat64(at + 8, true));
    }
  }

  build(): LockedIndex {
    let entriesWithoutTeam = 0;
    const contests = [...this.#entries]
      .sort(([a], [b]) => a - b)
      .flatMap(([contestId, { ids, count }]) => {
        const announced = withoutRepeats(ids.slice(0, count).sort());
        const entryIds = announced.filter((entry) => this.#places.has(entry as EntryId));
        entriesWithoutTeam += announced.length - entryIds.length;
        if (entryIds.length === 0) return [];
        const tiles = new Uint8Array(tileBytes(entryIds.length));
        for (let position = 0; position < entryIds.length; position++) {
          putRoster(tiles, position, this.#rosters, this.#places.get(entryIds[position] as EntryId)! * ROSTER_SIZE);
        }
        return [{ contestId, entryCount: entryIds.length, entryIds, tiles }];
      });
    return { contests, teams: this.#teams(), entriesWithoutTeam };
  }

  #teams(): LockedTeams {
    const entryIds = Float64Array.from(this.#places.keys()).sort();
    const rosters = new Uint8Array(entryIds.length * ROSTER_SIZE);
    for (let index = 0; index < entryIds.length; index++) {
      const from = this.#places.get(entryIds[index] as EntryId)! * ROSTER_SIZE;
      rosters.set(this.#rosters.subarray(from, from + ROSTER_SIZE), index * ROSTER_SIZE);
    }
    return { entryIds, rosters };
  }

  #placeOf(entry: EntryId): number {
    let place = this.#places.get(entry);
    if (place !== undefined) return place;
    place = this.#places.size;
    this.#places.set(entry, place);
    if ((place + 1) * ROSTER_SIZE > this.#rosters.length) {
      const larger = new Uint8Array(this.#rosters.length * 2);
      larger.set(this.#rosters);
      this.#rosters = larger;
    }
    return place;
  }

  #addEntry(contest: ContestId, entry: number): void {
    let entries = this.#entries.get(contest);
    if (entries === undefined) this.#entries.set(contest, (entries = { ids: new Float64Array(64), count: 0 }));
    if (entries.count === entries.ids.length) {
      const larger = new Float64Array(entries.ids.length * 2);
      larger.set(entries.ids);
      entries.ids = larger;
    }
    entries.ids[entries.count++] = entry;
  }
}

function viewOf(bytes: Uint8Array, recordCount: number, recordBytes: number): DataView {
  assert(bytes.length === recordCount * recordBytes, `every record of the batch has ${recordBytes} bytes`);
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function withoutRepeats(sorted: Float64Array): Float64Array {
  return sorted.filter((id, index) => index === 0 || id !== sorted[index - 1]);
}

/** Place of an id among ascending ones, or -1. */
export function indexOfId(ascending: Float64Array, id: number): number {
  let low = 0;
  let high = ascending.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const at = ascending[middle]!;
    if (at === id) return middle;
    if (at < id) low = middle + 1;
    else high = middle - 1;
  }
  return -1;
}
