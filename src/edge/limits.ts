import type { TokenBucket } from "../stores/hot-store/port.ts";

/** What one user (or one address, where nobody is logged in) may do on one route. */
export interface EdgeLimits {
  readonly rates: Readonly<Record<RateName, TokenBucket>>;
  /** A squad of 64 players is about 10 KB; nothing else comes near. */
  readonly bodyBytesMax: number;
  /** How far a feed provider's clock may be from ours, and so how long a captured request could be sent again. */
  readonly feedReplayWindowMs: number;
  readonly accessTokenTtlMs: number;
  readonly refreshTokenTtlMs: number;
  /** Verified tokens kept: at about 500 bytes each, 100 K take 50 MB, what one node's sockets would need. */
  readonly tokenCacheMax: number;
  /** Whole seconds. */
  readonly requestIdleMs: number;
  /** Requests under way at a stop get this long. */
  readonly drainMs: number;
}

export type RateName =
  | "teamSaves"
  | "joins"
  | "deposits"
  | "withdrawals"
  | "reads"
  | "publicReads"
  | "logins"
  | "authentications"
  | "registrations"
  | "admin"
  | "feed"
  | "webhooks";

const perSecond = (count: number): TokenBucket => ({ capacity: count, refillPerSecond: count });
const perMinute = (count: number): TokenBucket => ({ capacity: count, refillPerSecond: count / 60 });

export const edgeLimits: EdgeLimits = {
  rates: {
    teamSaves: perSecond(10),
    joins: perMinute(60),
    deposits: perSecond(1),
    withdrawals: perSecond(1),
    reads: perSecond(50),
    // By address: a mobile carrier puts thousands of people behind one.
    publicReads: perSecond(1000),
    logins: perMinute(30),
    // By address: after a restart everybody comes back at once.
    authentications: perSecond(5_000),
    registrations: perMinute(30),
    admin: perSecond(200),
    // A replay at full speed is one sender's thousands of events a second.
    feed: perSecond(20_000),
    webhooks: perSecond(1000),
  },
  bodyBytesMax: 64 * 1024,
  feedReplayWindowMs: 5 * 60_000,
  accessTokenTtlMs: 60 * 60_000,
  refreshTokenTtlMs: 30 * 24 * 60 * 60_000,
  tokenCacheMax: 100_000,
  requestIdleMs: 10_000,
  drainMs: 10_000,
};
