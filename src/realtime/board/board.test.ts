import { afterAll, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readdirSync, rmSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { verifyInclusion } from "../../client/inclusion-proof.ts";
import { type ContestId, contestId, type EntryId, matchId } from "../../domain/ids.ts";
import { HASH_WORDS, hashLeaves, MerkleTree } from "../../domain/merkle.ts";
import { scoreRoster } from "../../domain/roster.ts";
import { openKernel } from "../kernel/open.ts";
import type { ContestColumns } from "../kernel/port.ts";
import { below, randomColumns, randomPoints, randomRoster, seededRandom, teamsOf } from "../kernel/random-board.ts";
import { putRoster, rosterAt, tileBytes } from "../kernel/tiles.ts";
import { typescriptKernel } from "../kernel/typescript.ts";
import { Board, standingOf } from "./board.ts";
import { BoardWriter, planSegments } from "./board-writer.ts";
import { Commitment } from "./commitment.ts";
import { writeCommitment } from "./commitment-file.ts";
import { neighbours, page } from "./queries.ts";
import { type BoardIdentity, boardName, NotEnoughMemoryError, removeUnfinished } from "./shared-memory.ts";
import { type RankedEntry, Standing } from "./standing.ts";

const root = mkdtempSync(join(tmpdir(), "boards-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const kernels = { fastest: openKernel(), typescript: typescriptKernel };
const identity: BoardIdentity = { matchId: matchId(7), slice: 0, sliceCount: 1 };
const owner = { verify: true, owner: true };
const poolSize = 30;

function writeBoard(directory: string, contests: ReadonlyMap<ContestId, ContestColumns>, segmentBytesMax?: number) {
  const plan = {
    ...identity,
    logPosition: "0:42",
    contests: Array.from(contests, ([contestId, { entryCount }]) => ({ contestId, entryCount })),
    teams: teamsOf(contests.values()),
    ...(segmentBytesMax === undefined ? {} : { segmentBytesMax }),
  };
  const writer = BoardWriter.create(directory, plan);
  for (const [id, columns] of contests) writer.append(id, columns);
  return writer.seal();
}

function openBoard(directory: string, options = owner): Board {
  const opening = Board.open(directory, identity, options);
  if (!opening.ok) throw new Error(opening.reason);
  return opening.board;
}

const randomContests = (seed: number, sizes: readonly number[]): Map<ContestId, ContestColumns> => {
  const random = seededRandom(seed);
  return new Map(
    sizes.map((entryCount, index) => [contestId(100 + index), randomColumns(random, entryCount, poolSize)]),
  );
};

/** The oracle: score everybody by the scoring law, sort, count. */
function sortedEntries(columns: ContestColumns, points: Int16Array): RankedEntry[] {
  const entries = Array.from(columns.entryIds, (id, position) => ({
    entryId: id as EntryId,
    scoreQp: scoreRoster(rosterAt(columns.tiles, position), points),
  })).sort((a, b) => b.scoreQp - a.scoreQp || a.entryId - b.entryId);
  const tied = new Map<number, number>();
  for (const { scoreQp } of entries) tied.set(scoreQp, (tied.get(scoreQp) ?? 0) + 1);
  let rank = 1;
  return entries.map((entry, index) => {
    if (index > 0 && entries[index - 1]!.scoreQp !== entry.scoreQp) rank = index + 1;
    return { ...entry, rank, tiedCount: tied.get(entry.scoreQp)! };
  });
}

for (const [name, kernel] of Object.entries(kernels)) {
  describe(`board: ${name}`, () => {
    test("rank, top, page and neighbours equal a plain sort, ball after ball, in contests of every size", () => {
      const directory = join(root, `sort-${name}`);
      const contests = randomContests(1, [1, 2, 5, 63, 101, 900, 3000, 9000]);
      writeBoard(directory, contests);
      const board = openBoard(directory);
      const random = seededRandom(2);
      // From all zero (one great tie) to a wide spread, with corrections down.
      for (let version = 1; version <= 6; version++) {
        const points = randomPoints(random, poolSize, [0, 2, 20, 600, 40, 1200][version - 1]!);
        board.rescore(kernel, { pointsVersion: version, timeMs: version * 1000, points });
        for (const [id, columns] of contests) {
          const { standing, pointsVersion } = board.standing(id)!;
          const sorted = sortedEntries(columns, points);
          const contest = { columns: board.contests.get(id)!, points, standing };
          expect(pointsVersion).toBe(version);
          expect(standing.entryCount).toBe(columns.entryCount);
          expect(standing.top()).toEqual(sorted.slice(0, 100));
          expect(sorted.map((entry) => standing.rank(entry.scoreQp))).toEqual(sorted.map((entry) => entry.rank));
          expect(sorted.map((_, place) => standing.scoreAtPlace(place))).toEqual(sorted.map((entry) => entry.scoreQp));
          for (let question = 0; question < 6; question++) {
            const place = below(random, columns.entryCount);
            const radius = below(random, 8);
            expect(page(kernel, contest, place, 20)).toEqual(sorted.slice(place, place + 20));
            expect(neighbours(kernel, contest, sorted[place]!.entryId, radius)).toEqual(
              sorted.slice(Math.max(0, place - radius), place + radius + 1),
            );
          }
          expect(neighbours(kernel, contest, 1e15 as EntryId, 5)).toEqual([]);
        }
      }
    });

    test("standings of slices merge by addition to the standing of the whole", () => {
      const random = seededRandom(3);
      for (const entryCount of [10, 500, 20_000]) {
        const whole = randomColumns(random, entryCount, poolSize);
        const points = randomPoints(random, poolSize, 300);
        const slices = [0, 1, 2]
          .map((slice) => sliceOf(whole, slice, 3))
          .map((part) => standingOf(kernel, part, points));
        const merged = Standing.merge(slices.map((part) => Standing.decode(part.bytes)));
        expect(Buffer.from(merged.bytes)).toEqual(Buffer.from(standingOf(kernel, whole, points).bytes));
      }
    });
  });
}

function sliceOf(whole: ContestColumns, slice: number, count: number): ContestColumns {
  const positions = Array.from(whole.entryIds.keys()).filter((position) => position % count === slice);
  const part = randomColumns(seededRandom(0), positions.length, poolSize);
  for (const [to, from] of positions.entries()) {
    part.entryIds[to] = whole.entryIds[from]!;
    putRoster(part.tiles, to, rosterAt(whole.tiles, from));
  }
  return part;
}

test("a contest with a tie too large to collect is paged and searched all the same", () => {
  const entryCount = 600_000;
  const columns = { entryCount, entryIds: new Float64Array(entryCount), tiles: new Uint8Array(tileBytes(entryCount)) };
  const random = seededRandom(4);
  const rosters = Array.from({ length: 40 }, () => randomRoster(random, poolSize));
  for (let position = 0; position < entryCount; position++) {
    columns.entryIds[position] = 65 + position * 64;
    putRoster(columns.tiles, position, rosters[random() < 0.9 ? 0 : below(random, 40)]!);
  }
  const points = randomPoints(random, poolSize, 60);
  const standing = standingOf(kernels.fastest, columns, points);
  const contest = { columns, points, standing };
  const sorted = sortedEntries(columns, points);
  const tieStart = sorted.findIndex((entry) => standing.countAt(entry.scoreQp) > 500_000);
  const tieEnd = sorted.findLastIndex((entry) => standing.countAt(entry.scoreQp) > 500_000);
  for (const place of [
    0,
    tieStart - 2,
    tieStart,
    tieStart + 1,
    300_000,
    tieEnd - 1,
    tieEnd,
    tieEnd + 3,
    entryCount - 1,
  ]) {
    expect(page(kernels.fastest, contest, place, 7)).toEqual(sorted.slice(place, place + 7));
    expect(neighbours(kernels.fastest, contest, sorted[place]!.entryId, 5)).toEqual(
      sorted.slice(Math.max(0, place - 5), place + 6),
    );
  }
});

describe("board files", () => {
  const contests = randomContests(5, [3000, 40, 1, 2500, 700]);

  test("a sealed board opens with its contests, rosters and log position, over several segments", () => {
    const directory = join(root, "segments");
    writeBoard(directory, contests, 70_000);
    const board = openBoard(directory);
    expect(readdirSync(join(directory, boardName(identity))).sort()).toEqual([
      "rosters-0.fb",
      "rosters-1.fb",
      "standings.fb",
      "teams.fb",
    ]);
    expect(board.teams).toEqual(teamsOf(contests.values()));
    expect(board.logPosition).toBe("0:42");
    expect(board.entryCount).toBe(6241);
    expect([...board.contests.keys()]).toEqual([...contests.keys()]);
    for (const [id, columns] of contests) {
      expect(board.contests.get(id)!.entryIds).toEqual(columns.entryIds);
      const last = columns.entryCount - 1;
      expect(board.roster(id, columns.entryIds[last]! as EntryId)).toEqual(rosterAt(columns.tiles, last));
      expect(board.roster(id, 3 as EntryId)).toBeUndefined();
    }
  });

  test("contests fill segments in order and never span two", () => {
    const sizes = [10, 400, 400, 30].map((entryCount, index) => ({ contestId: contestId(1 + index), entryCount }));
    const segments = planSegments(sizes, 14_000);
    expect(segments.map((segment) => segment.length)).toEqual([2, 2]);
    expect(segments.flat()).toEqual(sizes);
  });

  test("a re-attached board serves what was published before, until the next pass", () => {
    const directory = join(root, "reattach");
    writeBoard(directory, contests);
    const points = randomPoints(seededRandom(6), poolSize, 300);
    expect(openBoard(directory).standing(contestId(100))).toBeUndefined();
    openBoard(directory).rescore(kernels.fastest, { pointsVersion: 9, timeMs: 5, points });
    const again = openBoard(directory);
    expect(again.published()).toEqual({ pointsVersion: 9, timeMs: 5, points });
    expect(again.standing(contestId(103))!.standing.top()).toEqual(
      sortedEntries(contests.get(contestId(103))!, points).slice(0, 100),
    );
  });

  test("a writer that died in a pass left the published standings whole, and the next pass goes on from there", () => {
    const directory = join(root, "died-in-pass");
    writeBoard(directory, contests);
    const board = openBoard(directory);
    const random = seededRandom(7);
    const [first, second] = [randomPoints(random, poolSize, 300), randomPoints(random, poolSize, 300)];
    board.rescore(kernels.fastest, { pointsVersion: 1, timeMs: 1, points: first });
    // The pass that never ends: it filled its half with rubbish.
    board.standings.beginPass().arena.fill(255);
    const reader = openBoard(directory, { verify: true, owner: false });
    expect(reader.published()?.points).toEqual(first);
    expect(reader.standing(contestId(100))!.standing.entryCount).toBe(3000);
    const next = openBoard(directory);
    next.rescore(kernels.fastest, { pointsVersion: 2, timeMs: 2, points: second });
    expect(reader.published()).toEqual({ pointsVersion: 2, timeMs: 2, points: second });
    expect(reader.standing(contestId(100))!.standing.top()).toEqual(
      sortedEntries(contests.get(contestId(100))!, second).slice(0, 100),
    );
  });

  test("a board that nobody entered a contest of has its teams", () => {
    const directory = join(root, "no-contests");
    const teams = teamsOf(contests.values());
    BoardWriter.create(directory, { ...identity, logPosition: "", contests: [], teams }).seal();
    const board = openBoard(directory);
    board.rescore(kernels.fastest, { pointsVersion: 1, timeMs: 1, points: new Int16Array(64) });
    expect(board.contests.size).toBe(0);
    expect(board.teams).toEqual(teams);
    expect(board.published()?.pointsVersion).toBe(1);
  });

  test("a commitment to the teams is there once it was written, proves each of them, and is refused when damaged", async () => {
    const directory = join(root, "commitment");
    const path = writeBoard(directory, contests);
    const board = openBoard(directory);
    expect(board.commitment()).toBeNull();
    writeCommitment(path, board.boardId, Commitment.over(board.teams));
    const commitment = openBoard(directory).commitment()!;
    const { entryIds, rosters } = board.teams;
    const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
    // The tree over all leaves at once, which no block structure knows.
    const hashes = new Uint32Array(entryIds.length * HASH_WORDS);
    hashLeaves(entryIds, rosters, 0, entryIds.length, hashes);
    const whole = MerkleTree.over(hashes);
    expect(hex(commitment.root)).toBe(hex(whole.root));
    for (let leafIndex = 0; leafIndex < entryIds.length; leafIndex += 97) {
      const siblings = commitment.proof(leafIndex);
      expect(siblings).toEqual(whole.proof(leafIndex));
      const rosterHex = hex(rosters.subarray(leafIndex * 11, leafIndex * 11 + 11));
      const leaf = { entryId: entryIds[leafIndex] as EntryId, rosterHex, leafIndex, leafCount: entryIds.length };
      const proof = { ...leaf, slice: 0, slices: [] };
      expect(await verifyInclusion({ ...proof, siblingsHex: siblings.map(hex) }, hex(whole.root))).toBe(true);
    }
    const file = join(path, "commitment.fb");
    const bytes = new Uint8Array(await Bun.file(file).arrayBuffer());
    for (const at of [8, bytes.length >> 1, bytes.length - 1]) {
      const damaged = bytes.slice();
      damaged[at]! ^= 16;
      await Bun.write(file, damaged);
      expect(openBoard(directory).commitment()).toBeNull();
    }
    truncateSync(file, 70);
    expect(openBoard(directory).commitment()).toBeNull();
  });

  test.each(["rosters-0.fb", "teams.fb"])("one changed byte anywhere in %s, or a cut, is refused", async (file) => {
    const directory = join(root, "damage");
    const path = join(writeBoard(directory, randomContests(8, [300, 7])), file);
    const whole = new Uint8Array(await Bun.file(path).arrayBuffer());
    const random = seededRandom(9);
    for (let round = 0; round < 200; round++) {
      const at = below(random, whole.length);
      // A zero may be padding between columns: it carries nothing, and no checksum covers it.
      if (whole[at] === 0) continue;
      const damaged = whole.slice();
      damaged[at]! ^= 1 << below(random, 8);
      await Bun.write(path, damaged);
      expect(Board.open(directory, identity, owner).ok).toBe(false);
      await Bun.write(path, whole);
    }
    truncateSync(path, whole.length - 1);
    expect(Board.open(directory, identity, owner)).toMatchObject({ ok: false });
    truncateSync(path, 10);
    expect(Board.open(directory, identity, owner)).toMatchObject({ ok: false });
  });

  test("too little shared memory is refused before anything is written, with the numbers", () => {
    const directory = join(root, "full");
    const contests = Array.from({ length: 2000 }, (_, i) => ({ contestId: contestId(1 + i), entryCount: 100_000_000 }));
    const plan = { ...identity, logPosition: "", contests, teams: teamsOf([]) };
    expect(() => BoardWriter.create(directory, plan)).toThrow(NotEnoughMemoryError);
    expect(readdirSync(directory)).toEqual([]);
  });

  test("a removed board is gone", () => {
    const directory = join(root, "removed");
    const path = writeBoard(directory, contests);
    Board.remove(directory, identity);
    expect(existsSync(path)).toBe(false);
    expect(Board.open(directory, identity, owner)).toMatchObject({ ok: false });
  });

  test("a writer killed at any moment leaves no board that opens, or a whole one", async () => {
    const directory = join(root, "killed");
    for (let round = 0; round < 6; round++) {
      const writer = Bun.spawn([process.execPath, join(import.meta.dir, "endless-writer.ts"), directory], {
        stdout: "pipe",
        stderr: "inherit",
      });
      const reader = writer.stdout.getReader();
      // A random number of progress marks later, wherever that is.
      for (let mark = 0; mark < 1 + round * 7; mark++) await reader.read();
      writer.kill("SIGKILL");
      await writer.exited;
      const opening = Board.open(directory, identity, owner);
      if (opening.ok) {
        expect(opening.board.entryCount).toBe(30_000);
        opening.board.rescore(kernels.fastest, { pointsVersion: 1, timeMs: 1, points: new Int16Array(64).fill(2) });
        expect(opening.board.standing(contestId(1))!.standing.rank(25)).toBe(1);
      }
      removeUnfinished(directory);
      expect(readdirSync(directory).filter((name) => name.endsWith(".building"))).toEqual([]);
    }
  });
});
