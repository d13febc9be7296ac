import { assert } from "../../domain/assert.ts";
import type { ContestId, EntryId } from "../../domain/ids.ts";
import { leafHash, MerkleTree } from "../../domain/merkle.ts";
import { POOL_SIZE_MAX, type PointsQp, type PointsVector } from "../../domain/points.ts";
import { type Roster, ROSTER_SIZE, scoreRoster } from "../../domain/roster.ts";
import type { FinalBoard, TieChunk } from "../../transaction/payouts.ts";
import { assertPoints, type Kernel, type Pass, type PassContest } from "../kernel/port.ts";
import { slotBytes } from "../kernel/slot.ts";
import { rosterAt } from "../kernel/tiles.ts";
import type { LockedContest, LockedIndex, LockedTeams } from "./index-builder.ts";
import { Standing } from "./standing.ts";

export interface RankedEntry {
  readonly entryId: EntryId;
  readonly scoreQp: PointsQp;
  readonly rank: number;
}

/** One version of all standings of the match; whoever holds it reads one instant. */
interface Generation {
  readonly version: number;
  readonly points: PointsVector;
  readonly arena: Uint8Array;
}

interface BoardContest extends LockedContest, PassContest {}

/** Entries that settlement reads at a time. */
const CHUNK_ENTRIES = 1 << 16;

/**
 * All boards of one locked match: immutable columns, and the standings that follow from one points vector. Order is total:
 * score descending, then entry id ascending; equal scores share a rank.
 *
 * A pass fills the arena that is not shown and then shows it, so every answer is of one points version. It runs on the
 * calling thread: a board of 100 K entries takes it well under a millisecond with the native kernel.
 */
export class MatchBoard {
  readonly teams: LockedTeams;
  readonly #kernel: Kernel;
  readonly #contests = new Map<ContestId, BoardContest>();
  readonly #pass: Pass;
  #shown: Generation;
  #spare: Uint8Array;
  #tree: MerkleTree | null = null;

  constructor(index: LockedIndex, kernel: Kernel) {
    this.teams = index.teams;
    this.#kernel = kernel;
    let arenaBytes = 0;
    for (const contest of index.contests) {
      this.#contests.set(contest.contestId, { ...contest, slotOffset: arenaBytes });
      arenaBytes += slotBytes(contest.entryCount);
    }
    this.#pass = kernel.preparePass([...this.#contests.values()]);
    this.#spare = new Uint8Array(arenaBytes);
    this.#shown = this.#run(new Int16Array(POOL_SIZE_MAX), 0, new Uint8Array(arenaBytes));
  }

  get version(): number {
    return this.#shown.version;
  }

  get points(): PointsVector {
    return this.#shown.points;
  }

  contests(): ContestId[] {
    return [...this.#contests.keys()];
  }

  /** 0 for a contest that nobody entered. */
  entryCount(contest: ContestId): number {
    return this.#contests.get(contest)?.entryCount ?? 0;
  }

  /** Exact standings of every contest by these points. An older version than is shown changes nothing. */
  rescore(points: PointsVector, version: number): void {
    if (version <= this.#shown.version) return;
    const before = this.#shown;
    this.#shown = this.#run(points.slice(), version, this.#spare);
    this.#spare = before.arena;
  }

  top(contest: ContestId, count: number): RankedEntry[] {
    const standing = this.standing(contest);
    if (standing === null) return [];
    return standing.top(count).map((row) => ({ ...row, rank: standing.rank(row.scoreQp) }));
  }

  /** `count` entries from a position of the board on, 0 the best. */
  page(id: ContestId, fromPosition: number, count: number): RankedEntry[] {
    const contest = this.#contests.get(id);
    const standing = this.standing(id);
    const end = Math.min(fromPosition + count, contest?.entryCount ?? 0);
    if (contest === undefined || standing === null || fromPosition >= end) return [];
    const highQp = standing.scoreAt(fromPosition);
    const lowQp = standing.scoreAt(end - 1);
    const rows: RankedEntry[] = [];
    const take = (minQp: number, maxQp: number, skip: number, limit: number) => {
      if (minQp > maxQp || limit <= 0) return;
      const query = { minQp, maxQp, from: 0, backward: false, skip, limit };
      const { positions, scoresQp } = this.#kernel.select(this.#shown.points, contest, query);
      const found = Array.from(positions, (position, index) => {
        const scoreQp = scoresQp[index]!;
        return { entryId: contest.entryIds[position] as EntryId, scoreQp, rank: standing.rank(scoreQp) };
      });
      // Positions ascend by entry id, and the sort is stable.
      rows.push(...found.sort((a, b) => b.scoreQp - a.scoreQp));
    };
    // The scores at both ends may be shared by millions, of whom a few are wanted; all between them are.
    const wanted = end - fromPosition;
    take(highQp, highQp, fromPosition - standing.above(highQp), wanted);
    take(lowQp + 1, highQp - 1, 0, wanted - rows.length);
    if (lowQp < highQp) take(lowQp, lowQp, 0, wanted - rows.length);
    return rows;
  }

  /** null when the entry is not in the contest. */
  entry(id: ContestId, entry: EntryId): (RankedEntry & { readonly roster: Roster }) | null {
    const contest = this.#contests.get(id);
    if (contest === undefined) return null;
    const position = indexOf(contest.entryIds, entry);
    if (position < 0) return null;
    const roster = rosterAt(contest.tiles, position);
    const scoreQp = scoreRoster(roster, this.#shown.points);
    return { entryId: entry, scoreQp, rank: this.standing(id)!.rank(scoreQp), roster };
  }

  /** Where the entry is on the board, 0 the best; ties in the order of entry ids. */
  positionOf(id: ContestId, entry: EntryId): number | null {
    const contest = this.#contests.get(id);
    const found = this.entry(id, entry);
    if (contest === undefined || found === null) return null;
    const { scoreQp } = found;
    const own = indexOf(contest.entryIds, entry);
    const query = { minQp: scoreQp, maxQp: scoreQp, from: 0, backward: false, skip: 0 };
    const tied = this.#kernel.select(this.#shown.points, contest, { ...query, limit: contest.entryCount }).positions;
    return found.rank - 1 + tied.indexOf(own);
  }

  standing(id: ContestId): Standing | null {
    const contest = this.#contests.get(id);
    if (contest === undefined) return null;
    const { arena } = this.#shown;
    return new Standing(arena.subarray(contest.slotOffset, contest.slotOffset + slotBytes(contest.entryCount)));
  }

  /** The roster that the team had at the deadline; null for a team that was never saved in time. */
  rosterOf(entry: EntryId): Roster | null {
    const index = indexOf(this.teams.entryIds, entry);
    return index < 0 ? null : this.teams.rosters.slice(index * ROSTER_SIZE, (index + 1) * ROSTER_SIZE);
  }

  /** The Merkle tree over all locked teams, in the order of `teams`; null when nobody saved one. */
  commitment(): MerkleTree | null {
    const { entryIds } = this.teams;
    if (entryIds.length === 0) return null;
    this.#tree ??= new MerkleTree(
      Array.from(entryIds, (entry) => leafHash(entry as EntryId, this.rosterOf(entry as EntryId)!)),
    );
    return this.#tree;
  }

  leafIndexOf(entry: EntryId): number | null {
    const index = indexOf(this.teams.entryIds, entry);
    return index < 0 ? null : index;
  }

  /** The board as settlement reads it. The points must be final, for it is read over a while. */
  final(id: ContestId): FinalBoard {
    const contest = this.#contests.get(id);
    const standing = this.standing(id);
    if (contest === undefined || standing === null) return { entryCount: 0, async *chunks() {} };
    const { points } = this.#shown;
    const kernel = this.#kernel;
    return {
      entryCount: contest.entryCount,
      async *chunks(fromPosition) {
        let highQp = standing.scoreAt(fromPosition);
        while (highQp >= standing.minQp) {
          const lowQp = rangeBelow(standing, highQp);
          yield* lowQp === highQp
            ? chunksOfGroup(kernel, points, contest, standing, highQp)
            : chunksOfRange(kernel, points, contest, standing, lowQp, highQp);
          highQp = lowQp - 1;
        }
      },
    };
  }

  #run(points: PointsVector, version: number, arena: Uint8Array): Generation {
    assertPoints(points);
    if (this.#contests.size > 0) this.#pass.run(points, arena);
    return { version, points, arena };
  }
}

/** The lowest score down to which the entries from `highQp` on fit one chunk; at least `highQp` itself. */
function rangeBelow(standing: Standing, highQp: PointsQp): PointsQp {
  const before = standing.above(highQp);
  let low = standing.minQp;
  let high = highQp;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (standing.above(middle - 1) - before <= CHUNK_ENTRIES) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** One tie group that may be larger than a chunk. */
function* chunksOfGroup(
  kernel: Kernel,
  points: PointsVector,
  contest: LockedContest,
  standing: Standing,
  scoreQp: PointsQp,
): Generator<TieChunk> {
  const tiedCount = standing.tiedAt(scoreQp);
  let from = 0;
  for (let offset = 0; offset < tiedCount;) {
    const query = { minQp: scoreQp, maxQp: scoreQp, from, backward: false, skip: 0, limit: CHUNK_ENTRIES };
    const { positions } = kernel.select(points, contest, query);
    assert(positions.length > 0, "the scan finds as many as the histogram counted");
    const entries = Float64Array.from(positions, (position) => contest.entryIds[position]!);
    yield { rank: standing.rank(scoreQp), tiedCount, offset, entries };
    offset += positions.length;
    from = positions.at(-1)! + 1;
  }
}

/** All tie groups of a range of scores that fits one chunk: one scan for all of them. */
function* chunksOfRange(
  kernel: Kernel,
  points: PointsVector,
  contest: LockedContest,
  standing: Standing,
  lowQp: PointsQp,
  highQp: PointsQp,
): Generator<TieChunk> {
  const limit = standing.above(lowQp - 1) - standing.above(highQp);
  const query = { minQp: lowQp, maxQp: highQp, from: 0, backward: false, skip: 0, limit };
  const { positions, scoresQp } = kernel.select(points, contest, query);
  assert(positions.length === limit, "the scan finds as many as the histogram counted");
  const byScore = new Map<PointsQp, number[]>();
  for (let index = 0; index < positions.length; index++) {
    const entry = contest.entryIds[positions[index]!]!;
    const group = byScore.get(scoresQp[index]!);
    if (group) group.push(entry);
    else byScore.set(scoresQp[index]!, [entry]);
  }
  for (const [scoreQp, entries] of [...byScore].sort(([a], [b]) => b - a)) {
    yield { rank: standing.rank(scoreQp), tiedCount: entries.length, offset: 0, entries: Float64Array.from(entries) };
  }
}

function indexOf(ascending: Float64Array, id: number): number {
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
