import { expect } from "bun:test";
import { assert } from "../../domain/assert.ts";
import { contestId } from "../../domain/ids.ts";
import { bytesOf, type OpenStore, testsWith } from "../contract.ts";
import type { BoardEntries, BoardHead } from "./boards.ts";
import type { HotStore } from "./port.ts";

export interface ClockInHand {
  /** Makes the store's time pass. */
  advance(ms: number): Promise<void>;
  /** Whether it passes by itself as well, as a server's does; a test takes far less than a minute of it. */
  readonly runs: boolean;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** Each sentence of the law in port.ts, asked of any engine. Keys may vanish by law; a store of a few keys keeps them. */
export function hotStoreContract(open: OpenStore<HotStore>, clock: ClockInHand): void {
  const test = testsWith(open);

  test("what is present is the latest value; a reader can't change it", async (store) => {
    expect(await store.get("k")).toBeNull();
    await store.set("k", bytesOf("one"), MINUTE_MS);
    await store.set("k", bytesOf("two"), MINUTE_MS);
    const read = await store.get("k");
    read?.fill(0);
    expect(await store.get("k")).toEqual(bytesOf("two"));
    await store.delete("k");
    expect(await store.get("k")).toBeNull();
  });

  test("a value ends with its time to live", async (store) => {
    await store.set("k", bytesOf("v"), 10 * MINUTE_MS);
    await clock.advance(9 * MINUTE_MS);
    expect(await store.get("k")).toEqual(bytesOf("v"));
    await clock.advance(MINUTE_MS);
    expect(await store.get("k")).toBeNull();
    expect(await store.setIfAbsent("k", bytesOf("w"), MINUTE_MS)).toBeNull();
    expect(await store.setIfAbsent("k", bytesOf("x"), HOUR_MS)).toEqual(bytesOf("w"));
    // The loser did not lengthen what the winner wrote.
    await clock.advance(MINUTE_MS);
    expect(await store.get("k")).toBeNull();
  });

  test("of many who set a key if it is absent one wins, and all others learn its value", async (store) => {
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) => store.setIfAbsent("k", bytesOf(`v${index}`), MINUTE_MS)),
    );
    expect(answers.filter((answer) => answer === null)).toHaveLength(1);
    const winner = await store.get("k");
    expect(answers.filter((answer) => answer !== null).every((answer) => Bun.deepEquals(answer, winner))).toBe(true);
  });

  test("a bucket starts full, refuses with the time to wait, and refills", async (store) => {
    const bucket = { capacity: 3, refillPerSecond: 1 / 3_600 };
    for (let taken = 0; taken < 3; taken++) expect(await store.take("b", bucket)).toEqual({ allowed: true });
    const refused = await store.take("b", bucket);
    assert(!refused.allowed, "the bucket is empty");
    expect(refused.retryAfterMs).toBeLessThanOrEqual(HOUR_MS);
    expect(refused.retryAfterMs).toBeGreaterThanOrEqual(clock.runs ? HOUR_MS - MINUTE_MS : HOUR_MS);
    expect(await store.take("other", bucket)).toEqual({ allowed: true });
    await clock.advance(HOUR_MS);
    expect(await store.take("b", bucket)).toEqual({ allowed: true });
    expect((await store.take("b", bucket)).allowed).toBe(false);
    // A seventh of a second is no whole number in the units of any clock.
    expect(await store.take("sevenths", { capacity: 1, refillPerSecond: 7 })).toEqual({ allowed: true });
    await clock.advance(60 * HOUR_MS);
    const takes = await Promise.all(Array.from({ length: 10 }, () => store.take("b", bucket)));
    expect(takes.filter(({ allowed }) => allowed)).toHaveLength(3);
  });

  test("messages reach the subscribers of their channel, in order, until they leave", async (store) => {
    const heard: string[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    const leave = await store.subscribe("c", (message) => {
      heard.push(new TextDecoder().decode(message));
      if (heard.length === 2) resolve();
    });
    await store.publish("other", bytesOf("x"));
    await store.publish("c", bytesOf("1"));
    await store.publish("c", bytesOf("2"));
    await promise;
    await leave();
    await store.publish("c", bytesOf("3"));
    expect(heard).toEqual(["1", "2"]);
  });

  test("of a board's slices the newest version that all have is read, whatever else is kept", async (store) => {
    expect(await store.boardHeads(contest)).toEqual([]);
    await putBoard(store, sliceOf(0, 1), entriesOf(2_000, 3));
    // The other slice is missing, so there is no whole board.
    expect(await store.boardHeads(contest)).toEqual([]);
    await putBoard(store, sliceOf(5, 1), entriesOf(1_000, 900));
    expect(bySlice(await store.boardHeads(contest))).toEqual([sliceOf(0, 1), sliceOf(5, 1)]);

    // One slice goes on, twice: the version in common stays, the one in between doesn't.
    await putBoard(store, sliceOf(0, 2), entriesOf(2_000, 4));
    await putBoard(store, sliceOf(0, 3), entriesOf(2_000, 5));
    expect(await store.boardVersions([contest, contestId(2)])).toEqual([
      new Map([
        [0, 3],
        [5, 1],
      ]),
      new Map(),
    ]);
    expect(bySlice(await store.boardHeads(contest))).toEqual([sliceOf(0, 1), sliceOf(5, 1)]);
    expect(await readBoard(store, 1, 0, 2_000)).toEqual(entriesOf(2_000, 3));
    expect(await readBoard(store, 2, 0, 2_000)).toBeNull();

    await putBoard(store, sliceOf(5, 3), entriesOf(1_000, 7));
    expect(bySlice(await store.boardHeads(contest))).toEqual([sliceOf(0, 3), sliceOf(5, 3)]);
    expect(await readBoard(store, 1, 0, 2_000)).toBeNull();
    // A late writer of an old version changes nothing.
    await putBoard(store, sliceOf(0, 1), entriesOf(2_000, 3));
    expect(bySlice(await store.boardHeads(contest))).toEqual([sliceOf(0, 3), sliceOf(5, 3)]);
    expect(await readBoard(store, 1, 0, 2_000)).toBeNull();
  });

  test("entries of a board come by their places, in total order, exact to the largest id and lowest score", async (store) => {
    const head = { ...sliceOf(0, 9), contestEntryCount: 6, entryCount: 6, heldCount: 5 };
    const entryIds = Float64Array.of(7, 2 ** 52 - 1, 3, 2 ** 32, 2 ** 32 + 64);
    const scoresQp = Int16Array.of(32_767, 12, 0, 0, -32_767);
    await putBoard(store, head, { entryIds, scoresQp });
    expect(await readBoard(store, 9, 0, 5)).toEqual({ entryIds, scoresQp });
    const ranges = [
      { slice: 0, start: 1, end: 3 },
      { slice: 0, start: 4, end: 5 },
    ];
    expect(await store.boardEntries(contest, 9, ranges)).toEqual([
      { entryIds: entryIds.slice(1, 3), scoresQp: scoresQp.slice(1, 3) },
      { entryIds: entryIds.slice(4), scoresQp: scoresQp.slice(4) },
    ]);
    // The same again is the same.
    await putBoard(store, head, { entryIds, scoresQp });
    expect(await readBoard(store, 9, 0, 5)).toEqual({ entryIds, scoresQp });
    await clock.advance(10 * MINUTE_MS);
    expect(await store.boardHeads(contest)).toEqual([]);
    expect(await readBoard(store, 9, 0, 5)).toBeNull();
  });

  test("a board whose entries fail on the way is not there, and the one before is", async (store) => {
    const head = { ...sliceOf(0, 1), contestEntryCount: 2_000 };
    await putBoard(store, head, entriesOf(2_000, 3));
    const failing = store.putBoard(
      { ...head, pointsVersion: 2 },
      (async function* () {
        yield entriesOf(1_000, 8);
        throw new Error("the board has moved away");
      })(),
      10 * MINUTE_MS,
    );
    expect(failing).rejects.toThrow("moved away");
    await failing.catch(() => undefined);
    expect(await store.boardHeads(contest)).toEqual([head]);
    expect(await readBoard(store, 1, 0, 2_000)).toEqual(entriesOf(2_000, 3));
  });
}

const contest = contestId(1);

const sliceOf = (slice: number, pointsVersion: number): BoardHead => ({
  contestId: contest,
  slice,
  pointsVersion,
  contestEntryCount: 3_000,
  entryCount: slice === 0 ? 2_000 : 1_000,
  heldCount: slice === 0 ? 2_000 : 1_000,
  compact: bytesOf(`standing of ${slice} at ${pointsVersion}`),
});

/** Ids that ascend within runs of equal scores. */
function entriesOf(count: number, seed: number): BoardEntries {
  const entryIds = Float64Array.from({ length: count }, (_, place) => (place + seed) * 64 + 1);
  return { entryIds, scoresQp: Int16Array.from({ length: count }, (_, place) => 400 - Math.floor(place / seed)) };
}

/** In pieces that come out even with nothing. */
function putBoard(store: HotStore, head: BoardHead, { entryIds, scoresQp }: BoardEntries): Promise<void> {
  async function* pieces() {
    for (let from = 0; from < entryIds.length; from += 777) {
      yield { entryIds: entryIds.subarray(from, from + 777), scoresQp: scoresQp.subarray(from, from + 777) };
    }
  }
  return store.putBoard(head, pieces(), 10 * MINUTE_MS);
}

async function readBoard(store: HotStore, version: number, start: number, end: number): Promise<BoardEntries | null> {
  const found = await store.boardEntries(contest, version, [{ slice: 0, start, end }]);
  return found && found[0]!;
}

const bySlice = (heads: readonly BoardHead[]): BoardHead[] => heads.toSorted((a, b) => a.slice - b.slice);
