import { describe, expect, test } from "bun:test";
import { contestId, entryId, type EntryId, matchId, teamNo, userId } from "../../domain/ids.ts";
import type { PointsVector } from "../../domain/points.ts";
import { type Roster, scoreRoster } from "../../domain/roster.ts";
import type { LogBatch } from "../../stores/event-log/port.ts";
import { encodeContestJoin, encodeTeamSave } from "../../stream/records.ts";
import { openKernel } from "../kernel/open.ts";
import type { Kernel } from "../kernel/port.ts";
import { below, type Random, randomPoints, randomRoster, seededRandom } from "../kernel/random-board.ts";
import { typescriptKernel } from "../kernel/typescript.ts";
import { IndexBuilder } from "./index-builder.ts";
import { MatchBoard, type RankedEntry } from "./match-board.ts";
import { Standing } from "./standing.ts";

const match = { id: matchId(3), startMs: 1_000 };
const POOL = 30;

const batchOf = (records: readonly Uint8Array[]): LogBatch => {
  const bytes = Buffer.concat(records);
  let end = 0;
  return { firstOffset: 0, bytes, ends: Uint32Array.from(records, (record) => (end += record.length)) };
};

interface Plan {
  readonly rosters: Map<EntryId, Roster>;
  readonly contests: Map<number, EntryId[]>;
  readonly board: MatchBoard;
}

/** Saves with edits, late saves, foreign matches and repeated announcements: what a log really holds. */
function randomBoard(random: Random, kernel: Kernel, sizes: readonly number[]): Plan {
  const builder = new IndexBuilder(match);
  const rosters = new Map<EntryId, Roster>();
  const contests = new Map<number, EntryId[]>();
  const saves: Uint8Array[] = [];
  const joins: Uint8Array[] = [];
  const save = (entry: EntryId, roster: Roster, serverTsMs: number, id = match.id) =>
    saves.push(encodeTeamSave({ entryId: entry, matchId: id, serverTsMs, roster }));
  for (const [index, size] of sizes.entries()) {
    const id = contestId(index + 1);
    const entries: EntryId[] = [];
    for (let number = 0; number < size; number++) {
      const entry = entryId(userId(number + 1), teamNo(1 + (index % 3)));
      if (!rosters.has(entry)) {
        save(entry, randomRoster(random, POOL), 10);
        rosters.set(entry, randomRoster(random, POOL));
        save(entry, rosters.get(entry)!, 999);
        save(entry, randomRoster(random, POOL), match.startMs);
        save(entry, randomRoster(random, POOL), 10, matchId(4));
      }
      entries.push(entry);
      const join = encodeContestJoin({ contestId: id, matchId: match.id, entryId: entry, serverTsMs: 999 });
      joins.push(join);
      if (below(random, 5) === 0) joins.push(join);
    }
    const late = entryId(userId(900_000), teamNo(1));
    joins.push(encodeContestJoin({ contestId: id, matchId: match.id, entryId: late, serverTsMs: match.startMs }));
    contests.set(id, entries);
  }
  for (let at = 0; at < saves.length; at += 1_000) builder.addTeamSaves(batchOf(saves.slice(at, at + 1_000)));
  builder.addContestJoins(batchOf(joins));
  const index = builder.build();
  expect(index.entriesWithoutTeam).toBe(0);
  return { rosters, contests, board: new MatchBoard(index, kernel) };
}

/** The whole board by a plain sort. */
function sortedBoard(entries: readonly EntryId[], rosters: Plan["rosters"], points: PointsVector): RankedEntry[] {
  const rows = entries.map((entry) => ({ entryId: entry, scoreQp: scoreRoster(rosters.get(entry)!, points) }));
  rows.sort((a, b) => b.scoreQp - a.scoreQp || a.entryId - b.entryId);
  return rows.map((row) => ({ ...row, rank: 1 + rows.findIndex((other) => other.scoreQp === row.scoreQp) }));
}

describe.each([["typescript", typescriptKernel] as const, ["fastest", openKernel()] as const])(
  "boards with the %s kernel",
  (_name, kernel) => {
    test("every rank, page, neighbour and tie group equals a plain sort, ball after ball", async () => {
      const random = seededRandom(21);
      const { rosters, contests, board } = randomBoard(random, kernel, [1, 2, 3, 64, 65, 300, 1_500]);
      for (let version = 1; version <= 6; version++) {
        // Few points make great ties.
        const points = randomPoints(random, POOL, version % 2 === 0 ? 6 : 600);
        board.rescore(points, version);
        expect(board.version).toBe(version);
        for (const [id, entries] of contests) {
          const contest = contestId(id);
          const sorted = sortedBoard(entries, rosters, points);
          expect(board.entryCount(contest)).toBe(entries.length);
          expect(board.top(contest, 100)).toEqual(sorted.slice(0, 100));
          for (let probe = 0; probe < 8; probe++) {
            const at = below(random, entries.length);
            const count = 1 + below(random, 20);
            expect(board.page(contest, at, count)).toEqual(sorted.slice(at, at + count));
            const { entryId: entry, rank, scoreQp } = sorted[at]!;
            expect(board.entry(contest, entry)).toEqual({ entryId: entry, rank, scoreQp, roster: rosters.get(entry)! });
            expect(board.positionOf(contest, entry)).toBe(at);
            const sampled = new Standing(board.standing(contest)!.copy());
            expect(sampled.rank(scoreQp)).toBe(rank);
            const groups: RankedEntry[] = [];
            for await (const chunk of board.final(contest).chunks(at)) {
              expect(chunk.tiedCount).toBe(sorted.filter((row) => row.rank === chunk.rank).length);
              for (const member of chunk.entries) {
                const row = sorted.find((candidate) => candidate.entryId === member)!;
                expect(row.rank).toBe(chunk.rank);
                groups.push(row);
              }
            }
            expect(groups).toEqual(sorted.slice(sorted.length - groups.length));
            expect(groups.length).toBeGreaterThanOrEqual(sorted.length - at);
          }
        }
      }
    });

    test("an older version never replaces a newer one", () => {
      const { contests, board } = randomBoard(seededRandom(5), kernel, [50]);
      const points = randomPoints(seededRandom(6), POOL, 600);
      board.rescore(points, 7);
      const before = board.top(contestId(1), 50);
      board.rescore(new Int16Array(64), 6);
      board.rescore(new Int16Array(64), 7);
      expect(board.top(contestId(1), 50)).toEqual(before);
      expect(contests.get(1)).toHaveLength(50);
    });

    test("who is not in a contest has no rank there, and a contest without entries is empty", () => {
      const { board } = randomBoard(seededRandom(5), kernel, [5]);
      expect(board.entry(contestId(1), entryId(userId(77), teamNo(1)))).toBeNull();
      expect(board.entry(contestId(9), entryId(userId(1), teamNo(1)))).toBeNull();
      expect(board.top(contestId(9), 10)).toEqual([]);
      expect(board.page(contestId(1), 5, 10)).toEqual([]);
      expect(board.rosterOf(entryId(userId(77), teamNo(1)))).toBeNull();
    });
  },
);
