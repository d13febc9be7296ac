import { expect, test } from "bun:test";
import { contestId, entryId, type MatchId, matchId, teamNo, userId } from "../../domain/ids.ts";
import { ROSTER_SIZE } from "../../domain/roster.ts";
import { asSpooled, encodeContestJoin, encodeTeamSave, isSpooled } from "../../stream/records.ts";
import { below, type Random, randomRoster, seededRandom } from "../kernel/random-board.ts";
import { rosterAt, tileBytes } from "../kernel/tiles.ts";
import type { BuiltIndex, OpenRosterIndex, RosterIndex } from "./port.ts";
import { openTypescriptIndex } from "./typescript.ts";

const DEADLINE_MS = 1_000_000;
const match = { id: matchId(9), startMs: DEADLINE_MS };
const otherMatch = matchId(10);

const packed = (records: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(records));

interface RandomLog {
  readonly saves: readonly Uint8Array[];
  readonly joins: readonly Uint8Array[];
}

/** Saves, repeated saves, joins, repeated joins, late ones, ones of another match, joins without a team. */
function randomLog(random: Random, userCount: number, contestCount: number): RandomLog {
  const saves: Uint8Array[] = [];
  const joins: Uint8Array[] = [];
  const timeMs = (): number => DEADLINE_MS - 500 + below(random, 520);
  const anyMatch = (): MatchId => (random() < 0.05 ? otherMatch : match.id);
  for (let n = 0; n < userCount * 4; n++) {
    // Some users have ids beyond 32 bits.
    const user = userId(1 + below(random, userCount) + (random() < 0.1 ? 2 ** 34 : 0));
    const entry = entryId(user, teamNo(1 + below(random, 3)));
    const saved = { entryId: entry, matchId: anyMatch(), serverTsMs: timeMs(), roster: randomRoster(random, 40) };
    const record = encodeTeamSave(saved);
    saves.push(random() < 0.3 ? asSpooled(record) : record);
    for (let joined = below(random, 3); joined > 0; joined--) {
      const contest = contestId(1 + below(random, contestCount) ** 2);
      joins.push(encodeContestJoin({ contestId: contest, matchId: anyMatch(), entryId: entry, serverTsMs: timeMs() }));
    }
  }
  return { saves, joins };
}

/** What an index says, as plain values. */
function contentsOf(built: BuiltIndex) {
  return {
    teams: Array.from(built.teams.entryIds, (id, index) => [
      id,
      [...built.teams.rosters.subarray(index * ROSTER_SIZE, (index + 1) * ROSTER_SIZE)],
    ]),
    entriesWithoutTeam: built.entriesWithoutTeam,
    contests: built.contests.map(({ contestId, entryCount }, index) => {
      const columns = built.takeContest(index);
      expect(columns.entryCount).toBe(entryCount);
      expect(columns.tiles.length).toBe(tileBytes(entryCount));
      return { contestId, entryIds: [...columns.entryIds], tiles: Buffer.from(columns.tiles).toString("hex") };
    }),
  };
}

/** The law said plainly: maps, filters and sorts over decoded records. */
function byTheLaw({ saves, joins }: RandomLog) {
  const view = (record: Uint8Array) => new DataView(record.buffer, record.byteOffset);
  const teams = new Map<number, number[]>();
  const savedMsOf = new Map<number, number>();
  for (const save of saves) {
    if (view(save).getUint32(28, true) !== match.id || view(save).getFloat64(8, true) >= DEADLINE_MS) continue;
    const entry = view(save).getFloat64(0, true);
    const savedMs = view(save).getFloat64(8, true);
    const newestMs = savedMsOf.get(entry) ?? savedMs;
    if (savedMs < newestMs - (isSpooled(save) ? 0 : 100)) continue;
    savedMsOf.set(entry, Math.max(savedMs, newestMs));
    teams.set(entry, [...save.subarray(16, 16 + ROSTER_SIZE)]);
  }
  const contests = new Map<number, Set<number>>();
  const orphans = new Set<string>();
  for (const join of joins) {
    if (view(join).getUint32(4, true) !== match.id || view(join).getFloat64(16, true) >= DEADLINE_MS) continue;
    const contest = view(join).getUint32(0, true);
    const entry = view(join).getFloat64(8, true);
    if (teams.has(entry)) contests.set(contest, (contests.get(contest) ?? new Set()).add(entry));
    else orphans.add(`${contest} ${entry}`);
  }
  return { teams, contests, orphanCount: orphans.size };
}

function fill(index: RosterIndex, { saves, joins }: RandomLog, batchRecords: number): BuiltIndex {
  for (let at = 0; at < saves.length; at += batchRecords)
    index.addTeamSaves(packed(saves.slice(at, at + batchRecords)));
  for (let at = 0; at < joins.length; at += batchRecords) {
    index.addContestJoins(packed(joins.slice(at, at + batchRecords)));
  }
  return index.build();
}

export function rosterIndexContract(open: OpenRosterIndex): void {
  test("holds the newest save in time of each team, and each entry of each contest once, in order of id", () => {
    for (const [seed, users] of [
      [1, 1],
      [2, 30],
      [3, 700],
      [4, 6_000],
    ] as const) {
      const log = randomLog(seededRandom(seed), users, 12);
      const law = byTheLaw(log);
      const index = open(match);
      const built = fill(index, log, 257);
      expect([...built.teams.entryIds]).toEqual([...law.teams.keys()].sort((a, b) => a - b));
      for (const [place, id] of built.teams.entryIds.entries()) {
        const roster = built.teams.rosters.subarray(place * ROSTER_SIZE, (place + 1) * ROSTER_SIZE);
        expect([...roster]).toEqual(law.teams.get(id)!);
      }
      expect(built.entriesWithoutTeam).toBe(law.orphanCount);
      expect(built.contests.map(({ contestId }) => Number(contestId))).toEqual(
        [...law.contests.keys()].sort((a, b) => a - b),
      );
      for (const [place, { contestId }] of built.contests.entries()) {
        const { entryIds, tiles } = built.takeContest(place);
        expect([...entryIds]).toEqual([...law.contests.get(contestId)!].sort((a, b) => a - b));
        for (const [position, id] of entryIds.entries()) {
          expect([...rosterAt(tiles, position)]).toEqual(law.teams.get(id)!);
        }
      }
      index.close();
    }
  });

  test("gives the same bytes as the reference, however the log is cut into batches", () => {
    for (let seed = 10; seed < 16; seed++) {
      const random = seededRandom(seed);
      const log = randomLog(random, 1 + below(random, 3_000), 1 + below(random, 200));
      const reference = openTypescriptIndex(match);
      const expected = contentsOf(fill(reference, log, 10_000));
      for (const batchRecords of [1 + below(random, 40), 4_096]) {
        const index = open(match);
        expect(contentsOf(fill(index, log, batchRecords))).toEqual(expected);
        index.close();
      }
    }
  });

  test("nothing at or after the deadline counts", () => {
    const index = open(match);
    const roster = randomRoster(seededRandom(1), 30);
    const late = randomRoster(seededRandom(2), 30);
    const entry = entryId(userId(5), teamNo(1));
    const save = (serverTsMs: number, saved: Uint8Array) =>
      encodeTeamSave({ entryId: entry, matchId: match.id, serverTsMs, roster: saved });
    const join = (contest: number, serverTsMs: number) =>
      encodeContestJoin({ contestId: contestId(contest), matchId: match.id, entryId: entry, serverTsMs });
    index.addTeamSaves(packed([save(DEADLINE_MS - 1, roster), save(DEADLINE_MS, late)]));
    index.addContestJoins(packed([join(1, DEADLINE_MS - 1), join(2, DEADLINE_MS), join(3, DEADLINE_MS + 1)]));
    const built = index.build();
    expect(built.contests).toEqual([{ contestId: contestId(1), entryCount: 1 }]);
    expect(rosterAt(built.takeContest(0).tiles, 0)).toEqual(roster);
    index.close();
  });

  test("reading a partition twice changes nothing", () => {
    const log = randomLog(seededRandom(20), 300, 20);
    const once = open(match);
    const twice = open(match);
    const expected = contentsOf(fill(once, log, 100));
    const again = { saves: [...log.saves, ...log.saves], joins: [...log.joins, ...log.joins] };
    expect(contentsOf(fill(twice, again, 64))).toEqual(expected);
    once.close();
    twice.close();
  });

  test("an empty log is an empty index", () => {
    const index = open(match);
    const { contests, entriesWithoutTeam, teams } = index.build();
    expect({ contests, entriesWithoutTeam, teamCount: teams.entryIds.length }).toEqual({
      contests: [],
      entriesWithoutTeam: 0,
      teamCount: 0,
    });
    index.close();
  });

  test("a damaged record is refused by name", () => {
    const index = open(match);
    const record = encodeTeamSave({
      entryId: 65 as never,
      matchId: match.id,
      serverTsMs: 1,
      roster: new Uint8Array(11),
    });
    const view = new DataView(record.buffer);
    for (const id of [0, -65, 65.5, Number.NaN, 2 ** 53]) {
      view.setFloat64(0, id, true);
      expect(() => index.addTeamSaves(record)).toThrow("no positive safe integer");
    }
    expect(() => index.addTeamSaves(record.subarray(1))).toThrow("32 bytes");
    index.close();
  });
}
