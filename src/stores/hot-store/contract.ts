import { expect } from "bun:test";
import { assert } from "../../domain/assert.ts";
import { bytesOf, type OpenStore, testsWith } from "../contract.ts";
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
}
