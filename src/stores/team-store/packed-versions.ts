import { assert } from "../../domain/assert.ts";
import type { EntryId, MatchId } from "../../domain/ids.ts";
import { ROSTER_SIZE } from "../../domain/roster.ts";
import type { TeamVersion } from "./port.ts";

const NUMBERS_PER_ROW = 4;

/**
 * Team versions on their way to the writer: two arrays instead of two objects a row, because a thread clones an array of
 * numbers in one piece and objects one by one.
 */
export interface PackedVersions {
  /** Match, entry, version and time of each row; all of them safe integers. */
  readonly numbers: Float64Array;
  readonly rosters: Uint8Array;
}

export function packVersions(rows: readonly TeamVersion[]): PackedVersions {
  const numbers = new Float64Array(rows.length * NUMBERS_PER_ROW);
  const rosters = new Uint8Array(rows.length * ROSTER_SIZE);
  for (let index = 0; index < rows.length; index++) {
    const { matchId, entryId, version, savedAtMs, roster } = rows[index]!;
    assert(roster.length === ROSTER_SIZE, `a roster has ${ROSTER_SIZE} bytes`);
    const at = index * NUMBERS_PER_ROW;
    numbers[at] = matchId;
    numbers[at + 1] = entryId;
    numbers[at + 2] = version;
    numbers[at + 3] = savedAtMs;
    rosters.set(roster, index * ROSTER_SIZE);
  }
  return { numbers, rosters };
}

/** The rosters share the packed memory. */
export function forEachVersion({ numbers, rosters }: PackedVersions, visit: (row: TeamVersion) => void): void {
  for (let index = 0; index * NUMBERS_PER_ROW < numbers.length; index++) {
    const at = index * NUMBERS_PER_ROW;
    visit({
      matchId: numbers[at]! as MatchId,
      entryId: numbers[at + 1]! as EntryId,
      version: numbers[at + 2]!,
      savedAtMs: numbers[at + 3]!,
      roster: rosters.subarray(index * ROSTER_SIZE, (index + 1) * ROSTER_SIZE),
    });
  }
}
