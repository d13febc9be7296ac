import { assert } from "../../domain/assert.ts";
import type { ContestId, EntryId } from "../../domain/ids.ts";
import { isBeforeDeadline } from "../../domain/match.ts";
import { ROSTER_SIZE } from "../../domain/roster.ts";
import { CONTEST_JOIN_BYTES, isOvertaken, isSpooled, TEAM_SAVE_BYTES } from "../../stream/records.ts";
import type { ContestColumns } from "../kernel/port.ts";
import { putRoster, tileBytes } from "../kernel/tiles.ts";
import { assertWholeRecords, BAD_RECORD } from "./records.ts";
import type { BuiltIndex, IndexedContest, IndexedMatch, LockedTeams, RosterIndex } from "./port.ts";

/** The reference in plain TypeScript, and what serves on a machine without a C compiler. */
export const openTypescriptIndex = (match: IndexedMatch): RosterIndex => new TypescriptIndex(match);

class TypescriptIndex implements RosterIndex {
  readonly #match: IndexedMatch;
  /** Place of a team in `#rosters`. */
  readonly #places = new Map<number, number>();
  #rosters = new Uint8Array(1 << 16);
  /** The newest server time of the saves that counted, by place. */
  readonly #savedMs: number[] = [];
  readonly #entries = new Map<ContestId, { ids: Float64Array; count: number }>();

  constructor(match: IndexedMatch) {
    this.#match = match;
  }

  addTeamSaves(records: Uint8Array): void {
    const view = viewOf(records, TEAM_SAVE_BYTES);
    for (let at = 0; at < records.length; at += TEAM_SAVE_BYTES) {
      if (view.getUint32(at + 28, true) !== this.#match.id) continue;
      if (!isBeforeDeadline(this.#match, view.getFloat64(at + 8, true))) continue;
      const known = this.#places.size;
      const place = this.#placeOf(entryIdAt(view, at));
      const savedMs = view.getFloat64(at + 8, true);
      const newestMs = place < known ? this.#savedMs[place]! : savedMs;
      if (isOvertaken(savedMs, newestMs, isSpooled(records, at))) continue;
      this.#savedMs[place] = Math.max(savedMs, newestMs);
      this.#rosters.set(records.subarray(at + 16, at + 16 + ROSTER_SIZE), place * ROSTER_SIZE);
    }
  }

  addContestJoins(records: Uint8Array): void {
    const view = viewOf(records, CONTEST_JOIN_BYTES);
    for (let at = 0; at < records.length; at += CONTEST_JOIN_BYTES) {
      if (view.getUint32(at + 4, true) !== this.#match.id) continue;
      if (!isBeforeDeadline(this.#match, view.getFloat64(at + 16, true))) continue;
      this.#addEntry(view.getUint32(at, true) as ContestId, entryIdAt(view, at + 8));
    }
  }

  build(): BuiltIndex {
    let entriesWithoutTeam = 0;
    const entryIdsOf: Float64Array[] = [];
    const contests: IndexedContest[] = [];
    for (const [contestId, { ids, count }] of [...this.#entries].sort(([a], [b]) => a - b)) {
      const announced = withoutRepeats(ids.slice(0, count).sort());
      const entryIds = announced.filter((id) => this.#places.has(id));
      entriesWithoutTeam += announced.length - entryIds.length;
      if (entryIds.length === 0) continue;
      entryIdsOf.push(entryIds);
      contests.push({ contestId, entryCount: entryIds.length });
    }
    return {
      teams: this.#teams(),
      contests,
      entriesWithoutTeam,
      takeContest: (index) => this.#columnsOf(entryIdsOf[index]!),
    };
  }

  close(): void {
    this.#places.clear();
    this.#entries.clear();
  }

  #teams(): LockedTeams {
    const entryIds = Float64Array.from(this.#places.keys()).sort();
    const rosters = new Uint8Array(entryIds.length * ROSTER_SIZE);
    for (let index = 0; index < entryIds.length; index++) {
      const from = this.#places.get(entryIds[index]!)! * ROSTER_SIZE;
      rosters.set(this.#rosters.subarray(from, from + ROSTER_SIZE), index * ROSTER_SIZE);
    }
    return { entryIds, rosters };
  }

  #columnsOf(entryIds: Float64Array): ContestColumns {
    const tiles = new Uint8Array(tileBytes(entryIds.length));
    for (let position = 0; position < entryIds.length; position++) {
      putRoster(tiles, position, this.#rosters, this.#places.get(entryIds[position]!)! * ROSTER_SIZE);
    }
    return { entryCount: entryIds.length, entryIds, tiles };
  }

  #placeOf(entry: number): number {
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

function viewOf(records: Uint8Array, recordBytes: number): DataView {
  assertWholeRecords(records, recordBytes);
  return new DataView(records.buffer, records.byteOffset, records.byteLength);
}

function entryIdAt(view: DataView, at: number): EntryId {
  const id = view.getFloat64(at, true);
  assert(Number.isSafeInteger(id) && id > 0, BAD_RECORD);
  return id as EntryId;
}

function withoutRepeats(sorted: Float64Array): Float64Array {
  return sorted.filter((id, index) => index === 0 || id !== sorted[index - 1]);
}
