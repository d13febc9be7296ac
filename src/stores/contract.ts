/** What the contract suites of all ports share. They know nothing of any engine. */
import { test } from "bun:test";

export interface OpenedStore<Store> {
  readonly store: Store;
  /** Closes the store and opens the same data again, as a restarted process would. Answers the new one. */
  reopen(): Promise<Store>;
  /** Closes whatever is open and throws the data away. */
  dispose(): Promise<void>;
}

/** Each call opens a store without data. */
export type OpenStore<Store> = () => Promise<OpenedStore<Store>>;

/** Declares tests that each get a store of their own. */
export function testsWith<Store>(open: OpenStore<Store>) {
  return (name: string, body: (store: Store, reopen: () => Promise<Store>) => Promise<void>): void =>
    test(name, async () => {
      const opened = await open();
      try {
        await body(opened.store, () => opened.reopen());
      } finally {
        await opened.dispose();
      }
    });
}

/** Mulberry32: the same seed gives the same run on every machine. `below(n)` is 0 … n - 1. */
export function seededRandom(seed: number): { below(limit: number): number; pick<T>(items: readonly T[]): T } {
  let state = seed >>> 0;
  const below = (limit: number): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit);
  };
  return { below, pick: (items) => items[below(items.length)]! };
}

export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
export const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
