import { performance } from "node:perf_hooks";

/** ₹49 from a wallet that holds ₹100: one join each, and what is left tells whether it was debited once. */
export const FEE_PAISE = 4_900;
export const WALLET_PAISE = 10_000;

/** Who joins what: user 1 … userCount, each once. */
export interface JoinPlan {
  readonly name: string;
  readonly userCount: number;
  readonly contestCount: number;
}

export const contestOf = (plan: JoinPlan, user: number): number => 1 + (user % plan.contestCount);

/** One design of the whole join: seat, debit, entry, ledger, announcement, durable before the answer. */
export interface Contender {
  readonly name: string;
  /** Funds the users and opens the contests; every run starts from an empty store. */
  prepare(plan: JoinPlan): Promise<void>;
  /** Rejects when the join is refused. */
  join(user: number): Promise<void>;
  /** What the joins left: to be the same of all contenders. */
  digest(): Promise<JoinDigest>;
  close(): Promise<void>;
}

export interface JoinDigest {
  readonly entryCount: number;
  readonly escrowPaise: number;
  readonly walletsPaise: number;
  readonly announcedCount: number;
  readonly fullestContest: number;
}

export interface Measured {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** `callers` loops that each wait for an answer before they ask again, over operations 1 … count. */
export async function drive(
  count: number,
  callers: number,
  operate: (index: number) => Promise<unknown>,
): Promise<Measured> {
  const timesMs = new Float64Array(count);
  let next = 0;
  const caller = async () => {
    while (next < count) {
      const index = next++;
      const startedMs = performance.now();
      await operate(index + 1);
      timesMs[index] = performance.now() - startedMs;
    }
  };
  const startedMs = performance.now();
  await Promise.all(Array.from({ length: callers }, caller));
  const seconds = (performance.now() - startedMs) / 1_000;
  timesMs.sort();
  const percentile = (share: number) => timesMs[Math.min(count - 1, Math.floor(share * count))]!;
  return { perSecond: count / seconds, p50Ms: percentile(0.5), p99Ms: percentile(0.99) };
}
