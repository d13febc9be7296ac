import { expect, test } from "bun:test";
import { type BatchResult, playOnAllCores } from "./simulation-batch.ts";
import { simulate } from "./simulation.ts";

const SEEDS = 1_000;

/**
 * A law that held proves nothing about what never came up. Each of these has to, in a thousand seeds, at least as often; all
 * come up several times as often.
 */
const SEEN_MIN: Readonly<Record<string, number>> = {
  crash: 2_000,
  "crash with joins under way": 500,
  "crash with entries to announce": 200,
  "crash with a contest settling": 10,
  "crash with a contest cancelling": 100,
  "crash with a withdrawal created": 200,
  "crash with a withdrawal held": 100,
  "crash with a withdrawal sent": 200,
  "a group was undone by a full disk": 100,
  "Ledger: an outage": 50,
  "Catalog: an outage": 100,
  "EventLog: an outage": 50,
  "TeamStore: an outage": 20,
  "HotStore: an outage": 10,
  "Provider: an outage": 5,
  "Ledger: a question was lost": 500,
  "Ledger: an answer was lost": 500,
  "Ledger: a call took effect that nobody waited for": 1_000,
  "Provider: an answer was lost": 100,
  "join: new": 5_000,
  "join: replayed": 2_000,
  "join: idempotency_key_reused": 200,
  "join: already_joined": 500,
  "join: entry_limit": 200,
  "join: contest_full": 500,
  "join: contest_not_open": 200,
  "join: insufficient_funds": 1_000,
  "join: team_missing": 200,
  "join: match_started": 1_000,
  "save: acknowledged": 5_000,
  "save: match_started": 1_000,
  "save in the last 50 ms": 100,
  "save: acknowledged by a spool": 1_000,
  "save: spooled and locked": 10,
  "a spool that the catalog could not be told of": 500,
  "a start with saves in the spool": 100,
  "crash with saves in the spool": 100,
  "a lock that met an open spool": 50,
  "out of a spool behind a later save": 100,
  "in the log long after it was given up": 20,
  "EventLog: a record waited for the end of an outage": 1_000,
  "transfer deposit": 2_000,
  "transfer join-refund": 5,
  "transfer refund": 1_000,
  "transfer prize": 1_000,
  "transfer margin": 100,
  "transfer void": 200,
  "transfer withdrawal_hold": 1_000,
  "transfer withdrawal-end": 300,
  "transfer withdrawal-reversal": 50,
  "withdrawal paid": 500,
  "withdrawal returned": 500,
  "withdrawal: provider_refused": 100,
  "webhook: credited": 5_000,
  "webhook: paid": 1_000,
  "webhook: returned": 200,
  "forged webhook: bad_signature": 200,
  "feed: acknowledged": 200,
  "feed: match_over": 100,
  "a correction re-opened the review": 10,
  "contest settled": 1_000,
  "contest cancelled": 1_000,
  "match released": 500,
  "match abandoned": 50,
};

let thousand: Promise<BatchResult> | null = null;
const played = () => (thousand ??= playOnAllCores(1, SEEDS));

test("a thousand seeds break no law", async () => {
  const { failures, seedCount } = await played();
  expect(failures).toEqual([]);
  expect(seedCount).toBe(SEEDS);
}, 240_000);

test("the thousand seeds went through everything that can happen", async () => {
  const { coverage } = await played();
  const missing = Object.entries(SEEN_MIN).filter(([what, min]) => (coverage[what] ?? 0) < min);
  expect(missing.map(([what, min]) => `${what}: ${coverage[what] ?? 0}, at least ${min}`)).toEqual([]);
}, 240_000);

test.each([7, 8])("seed %p replays exactly, event by event, in any process", async (seed) => {
  const one = simulate(seed, {}, true);
  const two = simulate(seed, {}, true);
  expect(two.trace).toEqual(one.trace);
  const elsewhere = await playOnAllCores(seed, 1, true);
  expect(elsewhere.traceHash).toBe(Bun.hash(one.trace!.join("\n")).toString(16));
  expect(one.trace!.length).toBeGreaterThan(1_000);
  await one.close();
  await two.close();
});
