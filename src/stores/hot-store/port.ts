import type { MirroredBoards } from "./boards.ts";

/**
 * Fast and forgettable: current teams, idempotency of answers, rate limits, copies of boards (boards.ts), messages between nodes.
 *
 * Law: any key may vanish at any time, all of them at once too. Nothing that money or fairness rests on is only here.
 * What is present is the latest value written through this port.
 */
export interface HotStore extends MirroredBoards {
  get(key: string): Promise<Uint8Array | null>;
  set(key: string, value: Uint8Array, ttlMs: number): Promise<void>;
  delete(key: string): Promise<void>;
  /** Atomic: stores and answers null, or answers what was already there. */
  setIfAbsent(key: string, value: Uint8Array, ttlMs: number): Promise<Uint8Array | null>;
  /** Atomic token bucket. Starts full. */
  take(key: string, bucket: TokenBucket): Promise<TakeResult>;
  publish(channel: string, message: Uint8Array): Promise<void>;
  /** Messages published after it resolved, in order per publisher; at most once each. Answers the unsubscribe. */
  subscribe(channel: string, onMessage: (message: Uint8Array) => void): Promise<() => Promise<void>>;
  close(): Promise<void>;
}

export interface TokenBucket {
  readonly capacity: number;
  readonly refillPerSecond: number;
}

export type TakeResult = { readonly allowed: true } | { readonly allowed: false; readonly retryAfterMs: number };
