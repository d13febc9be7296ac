import type { Clock } from "../../domain/clock.ts";
import type { ContestId } from "../../domain/ids.ts";
import { type BoardEntries, type BoardHead, type MirroredBoards, wholeVersion } from "./boards.ts";

interface Kept extends BoardEntries {
  readonly head: BoardHead;
  readonly untilMs: number;
}

const ENTRY_BYTES = 10;
const BOARD_OVERHEAD_BYTES = 400;

const bytesOf = ({ head }: Kept): number => head.heldCount * ENTRY_BYTES + head.compact.length + BOARD_OVERHEAD_BYTES;

/** Past `bytesMax` the contests that were written longest ago vanish, as the law allows. */
export class InMemoryBoards implements MirroredBoards {
  /** In the order of their last writes. */
  readonly #contests = new Map<ContestId, readonly Kept[]>();
  #bytes = 0;

  constructor(
    readonly clock: Clock,
    readonly bytesMax: number,
  ) {}

  async putBoard(head: BoardHead, entries: AsyncIterable<BoardEntries>, ttlMs: number): Promise<void> {
    const entryIds = new Float64Array(head.heldCount);
    const scoresQp = new Int16Array(head.heldCount);
    let at = 0;
    for await (const piece of entries) {
      entryIds.set(piece.entryIds, at);
      scoresQp.set(piece.scoresQp, at);
      at += piece.entryIds.length;
    }
    const own = { ...head, compact: head.compact.slice() };
    const kept = { head: own, entryIds, scoresQp, untilMs: this.clock.nowMs() + ttlMs };
    const others = this.#live(head.contestId).filter(
      (other) => other.head.slice !== head.slice || other.head.pointsVersion !== head.pointsVersion,
    );
    this.#replace(head.contestId, onlyNeeded([...others, kept]));
    for (const contest of this.#contests.keys()) {
      if (this.#bytes <= this.bytesMax) break;
      this.#replace(contest, []);
    }
  }

  async boardHeads(contest: ContestId): Promise<readonly BoardHead[]> {
    const heads = this.#live(contest).map(({ head }) => head);
    const whole = wholeVersion(heads);
    return heads.filter(({ pointsVersion }) => pointsVersion === whole);
  }

  async boardEntries(
    contest: ContestId,
    pointsVersion: number,
    ranges: readonly { readonly slice: number; readonly start: number; readonly end: number }[],
  ): Promise<readonly BoardEntries[] | null> {
    const live = this.#live(contest).filter(({ head }) => head.pointsVersion === pointsVersion);
    const found = ranges.map(({ end, slice, start }) => {
      const kept = live.find(({ head }) => head.slice === slice);
      return kept && { entryIds: kept.entryIds.slice(start, end), scoresQp: kept.scoresQp.slice(start, end) };
    });
    const present = found.filter((piece) => piece !== undefined);
    return present.length === found.length ? present : null;
  }

  async boardVersions(contests: readonly ContestId[]): Promise<readonly ReadonlyMap<number, number>[]> {
    return contests.map((contest) => newestBySlice(this.#live(contest)));
  }

  clear(): void {
    this.#contests.clear();
    this.#bytes = 0;
  }

  #live(contest: ContestId): readonly Kept[] {
    const kept = this.#contests.get(contest) ?? [];
    const live = kept.filter(({ untilMs }) => untilMs > this.clock.nowMs());
    if (live.length < kept.length) this.#replace(contest, live);
    return live;
  }

  #replace(contest: ContestId, kept: readonly Kept[]): void {
    for (const old of this.#contests.get(contest) ?? []) this.#bytes -= bytesOf(old);
    this.#contests.delete(contest);
    if (kept.length === 0) return;
    for (const each of kept) this.#bytes += bytesOf(each);
    this.#contests.set(contest, kept);
  }
}

function onlyNeeded(kept: readonly Kept[]): readonly Kept[] {
  const newest = newestBySlice(kept);
  const whole = wholeVersion(kept.map(({ head }) => head));
  return kept.filter(({ head: { pointsVersion, slice } }) => {
    if (pointsVersion === whole) return true;
    return pointsVersion > (whole ?? -1) && pointsVersion === newest.get(slice);
  });
}

function newestBySlice(kept: readonly Kept[]): ReadonlyMap<number, number> {
  const newest = new Map<number, number>();
  for (const { head } of kept) newest.set(head.slice, Math.max(head.pointsVersion, newest.get(head.slice) ?? 0));
  return newest;
}
