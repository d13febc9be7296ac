import { dlopen, ptr, toArrayBuffer } from "bun:ffi";
import { assert } from "../../domain/assert.ts";
import type { ContestId } from "../../domain/ids.ts";
import { ROSTER_SIZE } from "../../domain/roster.ts";
import { CONTEST_JOIN_BYTES, TEAM_SAVE_BYTES } from "../../stream/records.ts";
import { tileBytes } from "../kernel/tiles.ts";
import type { BuiltIndex, IndexedMatch, LockedTeams, OpenRosterIndex, RosterIndex } from "./port.ts";
import { assertWholeRecords, BAD_RECORD } from "./records.ts";

const SYMBOLS = {
  pp_index_create: { args: ["u32", "f64"], returns: "ptr" },
  pp_index_free: { args: ["ptr"], returns: "void" },
  pp_index_add_saves: { args: ["ptr", "ptr", "u32"], returns: "i32" },
  pp_index_add_joins: { args: ["ptr", "ptr", "u32"], returns: "i32" },
  pp_index_build: { args: ["ptr"], returns: "i32" },
  pp_index_team_count: { args: ["ptr"], returns: "u32" },
  pp_index_contest_count: { args: ["ptr"], returns: "u32" },
  pp_index_entries_without_team: { args: ["ptr"], returns: "u32" },
  pp_index_contests: { args: ["ptr", "ptr", "ptr"], returns: "void" },
  pp_index_team_ids: { args: ["ptr"], returns: "ptr" },
  pp_index_rosters: { args: ["ptr"], returns: "ptr" },
  pp_index_take_contest: { args: ["ptr", "u32", "ptr", "ptr"], returns: "void" },
} as const;

type Library = ReturnType<typeof dlopen<typeof SYMBOLS>>["symbols"];
type Handle = NonNullable<ReturnType<Library["pp_index_create"]>>;

const BAD_RECORD_STATUS = -3;

/** `path` is a library whose version was checked (kernel/native.ts). */
export function nativeIndexOpener(path: string): OpenRosterIndex {
  const library = dlopen(path, SYMBOLS).symbols;
  return (match) => new NativeIndex(library, match);
}

class NativeIndex implements RosterIndex {
  readonly #library: Library;
  readonly #handle: Handle;

  constructor(library: Library, { id, startMs }: IndexedMatch) {
    this.#library = library;
    const handle = library.pp_index_create(id, startMs);
    if (handle === null) throw new Error("no memory for the index of a match");
    this.#handle = handle;
  }

  addTeamSaves(records: Uint8Array): void {
    this.#add(records, TEAM_SAVE_BYTES, "pp_index_add_saves");
  }

  addContestJoins(records: Uint8Array): void {
    this.#add(records, CONTEST_JOIN_BYTES, "pp_index_add_joins");
  }

  build(): BuiltIndex {
    const library = this.#library;
    const handle = this.#handle;
    check(library.pp_index_build(handle));
    const contestCount = library.pp_index_contest_count(handle);
    const contestIds = new Uint32Array(contestCount);
    const entryCounts = new Uint32Array(contestCount);
    if (contestCount > 0) library.pp_index_contests(handle, ptr(contestIds), ptr(entryCounts));
    const contests = Array.from(contestIds, (contestId, index) => ({
      contestId: contestId as ContestId,
      entryCount: entryCounts[index]!,
    }));
    const largest = contests.reduce((most, { entryCount }) => Math.max(most, entryCount), 0);
    const ids = new Float64Array(largest);
    const tiles = new Uint8Array(tileBytes(largest));
    return {
      teams: this.#teams(),
      contests,
      entriesWithoutTeam: library.pp_index_entries_without_team(handle),
      takeContest(index) {
        const { entryCount } = contests[index]!;
        const lastTile = tileBytes(entryCount);
        // Lanes that the kernel does not write are zero.
        if (entryCount % 64 !== 0) tiles.fill(0, Math.max(0, lastTile - 64 * ROSTER_SIZE), lastTile);
        library.pp_index_take_contest(handle, index, ptr(ids), ptr(tiles));
        return { entryCount, entryIds: ids.subarray(0, entryCount), tiles: tiles.subarray(0, lastTile) };
      },
    };
  }

  close(): void {
    this.#library.pp_index_free(this.#handle);
  }

  #teams(): LockedTeams {
    const count = this.#library.pp_index_team_count(this.#handle);
    if (count === 0) return { entryIds: new Float64Array(0), rosters: new Uint8Array(0) };
    const ids = this.#library.pp_index_team_ids(this.#handle);
    const rosters = this.#library.pp_index_rosters(this.#handle);
    assert(ids !== null && rosters !== null, "a built index holds its teams");
    return {
      entryIds: new Float64Array(toArrayBuffer(ids, 0, count * 8)),
      rosters: new Uint8Array(toArrayBuffer(rosters, 0, count * ROSTER_SIZE)),
    };
  }

  #add(records: Uint8Array, recordBytes: number, operation: "pp_index_add_saves" | "pp_index_add_joins"): void {
    assertWholeRecords(records, recordBytes);
    if (records.length === 0) return;
    check(this.#library[operation](this.#handle, ptr(records), records.length / recordBytes));
  }
}

function check(status: number): void {
  assert(status !== BAD_RECORD_STATUS, BAD_RECORD);
  if (status !== 0) throw new Error("no memory for the index of a match");
}
