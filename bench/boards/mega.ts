import { assert } from "../../src/domain/assert.ts";
import type { EntryId } from "../../src/domain/ids.ts";
import { scoreRoster } from "../../src/domain/roster.ts";
import { rosterAt } from "../../src/realtime/kernel/tiles.ts";
import type { Bench, BenchBoard } from "./bench.ts";
import { IDENTITY } from "./entries.ts";
import { PlainSort, sameEntries } from "./plain-sort.ts";
import { timed, timedBatches, type Times } from "./timing.ts";

export interface MegaResult {
  readonly entries: number;
  /** The first pass after the attach, which also maps the pages. */
  readonly firstPassMs: number;
  /** Every ball of the match: from the points to the standing being readable. */
  readonly rerank: Times;
  /** Score of a team that the node holds, and its rank in the standing that it holds: what a tick does for every socket. */
  readonly ownRank: Times;
  /** The same for an entry of which nothing is held: standing and roster are read from shared memory. */
  readonly ownRankFromBoard: Times;
  readonly top100: Times;
  readonly neighbours: Times;
  readonly middlePage: Times;
}

const PAGE = 50;
const RADIUS = 5;
const QUERIES = 200;
const HELD = 4_096;

/** (a) One contest of 12 M: the whole re-rank of every ball of a match, and what users ask between two balls. */
export async function megaScenario({ match }: Bench, mega: BenchBoard): Promise<MegaResult> {
  const { engine, largest } = mega;
  const columns = mega.columns(largest);
  const { entryCount } = columns;
  const first = await timed(1, () => mega.rescore(match.vectors[0]!));
  const rerank = await timed(match.vectors.length, (ball) => mega.rescore(match.vectors[ball]!));

  const at = engine.standing(IDENTITY, largest)!;
  const sorted = new PlainSort(columns, at.points);
  sorted.check(at.standing);

  const spread = (index: number, count: number): number => Math.floor(((index + 0.5) / count) * entryCount);
  const held = Array.from({ length: HELD }, (_, index) => rosterAt(columns.tiles, spread(index, HELD)));
  const ownRank = timedBatches(200_000, (index) => at.standing.rank(scoreRoster(held[index & (HELD - 1)]!, at.points)));
  const entryAt = (index: number) => columns.entryIds[spread((index * 37) % QUERIES, QUERIES)]! as EntryId;
  const ownRankFromBoard = timedBatches(500, (index) => {
    const { standing, points } = engine.standing(IDENTITY, largest)!;
    return standing.rank(scoreRoster(engine.roster(IDENTITY, largest, entryAt(index % QUERIES))!, points));
  });
  const top100 = await timed(QUERIES, () => {
    const top = engine.standing(IDENTITY, largest)!.standing.top();
    assert(top.length === Math.min(100, entryCount), "a hundred are listed");
  });

  const around = await timed(QUERIES, (index) => engine.neighbours(IDENTITY, largest, entryAt(index), RADIUS));
  const place = spread(0, 1);
  const middlePage = await timed(QUERIES, (index) => engine.page(IDENTITY, largest, place + index, PAGE));
  const page = await engine.page(IDENTITY, largest, place, PAGE);
  assert(sameEntries(page!.entries, sorted.entriesAt(place, PAGE)), "the page is that of the sort");
  for (let index = 0; index < 20; index++) {
    const own = sorted.placeOf(entryAt(index));
    const from = Math.max(0, own - RADIUS);
    const expected = sorted.entriesAt(from, own + RADIUS + 1 - from);
    const found = await engine.neighbours(IDENTITY, largest, entryAt(index), RADIUS);
    assert(sameEntries(found!.entries, expected), "the neighbours are those of the sort");
  }
  return {
    entries: entryCount,
    firstPassMs: first.medianMs,
    rerank,
    ownRank,
    ownRankFromBoard,
    top100,
    neighbours: around,
    middlePage,
  };
}
