import type { ContestId, EntryId, MatchId } from "../../domain/ids.ts";
import { userOfEntry } from "../../domain/ids.ts";
import type { PointsVector } from "../../domain/points.ts";
import { scoreRoster } from "../../domain/roster.ts";
import type { FinalScores, ScoredChunk } from "../../transaction/final-scores.ts";
import type { RankedPage, ScoredEntries } from "../board/board-protocol.ts";
import type { PointsAt } from "../board/history.ts";
import { type RankedEntry, Standing } from "../board/standing.ts";
import { SCORE_MAX, SCORE_MIN } from "../kernel/slot.ts";
import type { AskSlice } from "./ask-slice.ts";
import type { ContestSlice, SliceQuestions } from "./slice-questions.ts";

/** Up to here all entries of a score are fetched from their slices and ordered here; of more, only those near the place. */
const COLLECT_MAX = 4_096;
/** Into how many parts a search for a place among ties cuts the ids that are left; each round is one scan in each slice. */
const SEARCH_WAYS = 64;
const STREAM_ENTRIES = 32_768;
const ID_MAX = Number.MAX_SAFE_INTEGER;

/** The standings of contests at one ball, put together from all slices; null for a contest that nobody entered. */
export async function wholeStandings(
  ask: AskSlice,
  sliceCount: number,
  matchId: MatchId,
  contests: readonly ContestId[],
  at: PointsAt,
): Promise<ReadonlyMap<ContestId, WholeStanding>> {
  const found = await Promise.all(
    Array.from({ length: sliceCount }, async (_, slice) =>
      ask(matchId, slice).standings({ matchId, slice }, contests, at),
    ),
  );
  return new Map(
    contests.map((contest) => {
      const parts = found.map((slice) => slice.get(contest) ?? null);
      const entered = parts.filter((bytes) => bytes !== null).map((bytes) => Standing.decode(bytes));
      const standing = entered.length === 0 ? null : Standing.merge(entered);
      return [contest, { standing, enteredSlices: parts.flatMap((part, slice) => (part === null ? [] : [slice])) }];
    }),
  );
}

export interface WholeStanding {
  readonly standing: Standing | null;
  /** Entries are locked, so it never changes where there are some. */
  readonly enteredSlices: readonly number[];
}

/** One contest over all its slices, at one ball: exact whatever ball each of the slices shows by itself. */
export class WholeContest {
  readonly #slices: readonly ContestSlice[];
  readonly #ask: (of: ContestSlice) => SliceQuestions;

  constructor(
    ask: AskSlice,
    sliceCount: number,
    readonly matchId: MatchId,
    readonly contestId: ContestId,
    readonly at: PointsAt,
    readonly standing: Standing,
  ) {
    this.#slices = Array.from({ length: sliceCount }, (_, slice) => ({ matchId, slice, contestId }));
    // Looked up for each question, for a slice may move while this is kept.
    this.#ask = (of) => ask(of.matchId, of.slice);
  }

  /** Up to `count` entries in total order from a 0-based place. */
  async page(place: number, count: number): Promise<RankedPage> {
    const { at, standing } = this;
    const entries = await this.#between(Math.max(0, place), Math.min(place + count, standing.entryCount));
    return { pointsVersion: at.pointsVersion, entryCount: standing.entryCount, entries };
  }

  /** An entry of `slice` with up to `radius` others before and after it; null if it is not in the contest. */
  async neighbours(slice: number, entry: EntryId, radius: number): Promise<RankedPage | null> {
    const of = this.#slices[slice]!;
    const own = (await this.#ask(of).entriesOfUsers(of, [userOfEntry(entry)])).find(({ entryId }) => entryId === entry);
    if (own === undefined) return null;
    const scoreQp = scoreRoster(own.roster, this.at.points);
    const [before] = await this.#countTied(scoreQp, [entry]);
    const place = this.standing.countAbove(scoreQp) + before!;
    const start = Math.max(0, place - radius);
    return this.page(start, place + radius + 1 - start);
  }

  /** As settlement reads a contest; the points must be final. */
  finalScores(): FinalScores {
    const { standing } = this;
    return {
      entryCount: standing.entryCount,
      countAbove: (scoreQp) => standing.countAbove(scoreQp),
      countAt: (scoreQp) => standing.countAt(scoreQp),
      chunks: () => mergedById(this.#slices.map((of) => allEntries(of, this.#ask, this.at.points))),
    };
  }

  /** The entries at places [start, end) of the total order. */
  async #between(start: number, end: number): Promise<RankedEntry[]> {
    const { standing } = this;
    const entries: RankedEntry[] = [];
    for (let place = start; place < end;) {
      const maxQp = standing.scoreAtPlace(place);
      const above = standing.countAbove(maxQp);
      const tied = standing.countAt(maxQp);
      if (tied > COLLECT_MAX) {
        const count = Math.min(end, above + tied) - place;
        entries.push(...(await this.#tiedFrom(maxQp, place - above, count)));
        place += count;
        continue;
      }
      // One question for this score and as many lower ones as are wanted and not too dense.
      let minQp = maxQp;
      let reached = above + tied;
      while (reached < end) {
        const nextQp = standing.scoreAtPlace(reached);
        const next = standing.countAt(nextQp);
        if (reached - above + next > COLLECT_MAX) break;
        minQp = nextQp;
        reached += next;
      }
      const found = await this.#collect(minQp, maxQp, 0, reached - above);
      found.sort((a, b) => b.scoreQp - a.scoreQp || a.entryId - b.entryId);
      entries.push(...found.slice(place - above, end - above));
      place = Math.min(end, reached);
    }
    return entries;
  }

  /** Of the entries tied at the score, by id: those from number `skip` on. */
  async #tiedFrom(scoreQp: number, skip: number, count: number): Promise<RankedEntry[]> {
    let low = { entry: 0, before: 0 };
    let high = { entry: ID_MAX, before: this.standing.countAt(scoreQp) };
    while (skip - low.before > COLLECT_MAX && high.entry - low.entry > 1) {
      const step = Math.max(1, Math.floor((high.entry - low.entry) / SEARCH_WAYS));
      const cuts: number[] = [];
      for (let entry = low.entry + step; entry < high.entry && cuts.length < SEARCH_WAYS; entry += step)
        cuts.push(entry);
      const counts = await this.#countTied(scoreQp, cuts);
      for (const [index, before] of counts.entries()) {
        const cut = { entry: cuts[index]!, before };
        if (before <= skip) low = cut;
        else {
          high = cut;
          break;
        }
      }
    }
    const from = skip - low.before;
    const found = await this.#collect(scoreQp, scoreQp, low.entry, from + count);
    return found.sort((a, b) => a.entryId - b.entryId).slice(from, from + count);
  }

  async #countTied(scoreQp: number, below: readonly number[]): Promise<number[]> {
    const tie = { points: this.at.points, scoreQp };
    const counts = await Promise.all(this.#slices.map(async (of) => this.#ask(of).countTied(of, tie, below)));
    return below.map((_, index) => counts.reduce((sum, ofSlice) => sum + ofSlice[index]!, 0));
  }

  async #collect(minQp: number, maxQp: number, fromEntry: number, limit: number): Promise<RankedEntry[]> {
    const range = { points: this.at.points, minQp, maxQp, fromEntry, limit };
    const parts = await Promise.all(this.#slices.map(async (of) => this.#ask(of).entries(of, range)));
    return parts.flatMap(({ entryIds, scoresQp }) =>
      Array.from(entryIds, (entry, index) => this.standing.ranked(entry as EntryId, scoresQp[index]!)),
    );
  }
}

/** Every entry of a slice in ascending order of id, in pieces. */
async function* allEntries(
  of: ContestSlice,
  ask: (of: ContestSlice) => SliceQuestions,
  points: PointsVector,
): AsyncGenerator<ScoredEntries> {
  for (let fromEntry = 0; ;) {
    const range = { points, minQp: SCORE_MIN, maxQp: SCORE_MAX, fromEntry, limit: STREAM_ENTRIES };
    const found = await ask(of).entries(of, range);
    if (found.entryIds.length === 0) return;
    yield found;
    fromEntry = found.entryIds.at(-1)! + 1;
  }
}

/** Streams in ascending order of id become one. */
async function* mergedById(streams: readonly AsyncGenerator<ScoredEntries>[]): AsyncGenerator<ScoredChunk> {
  interface Head {
    readonly stream: AsyncGenerator<ScoredEntries>;
    part: ScoredEntries;
    index: number;
  }
  const heads: Head[] = [];
  for (const stream of streams) {
    const first = await stream.next();
    if (first.done !== true) heads.push({ stream, part: first.value, index: 0 });
  }
  while (heads.length > 0) {
    const entries = new Float64Array(STREAM_ENTRIES);
    const scoresQp = new Int16Array(STREAM_ENTRIES);
    let count = 0;
    while (count < STREAM_ENTRIES && heads.length > 0) {
      let lowest = heads[0]!;
      for (const head of heads) {
        if (head.part.entryIds[head.index]! < lowest.part.entryIds[lowest.index]!) lowest = head;
      }
      entries[count] = lowest.part.entryIds[lowest.index]!;
      scoresQp[count++] = lowest.part.scoresQp[lowest.index]!;
      if (++lowest.index < lowest.part.entryIds.length) continue;
      const next = await lowest.stream.next();
      if (next.done === true) heads.splice(heads.indexOf(lowest), 1);
      else Object.assign(lowest, { part: next.value, index: 0 });
    }
    yield { entries: entries.subarray(0, count), scoresQp: scoresQp.subarray(0, count) };
  }
}
