/**
 * The ledger on Aerospike beside the embedded one, in the same run on the same cores: transfers with durable
 * acknowledgements, one a call, over spread accounts, into one hot account and into striped ones; and a settlement. Both must
 * leave the same books. What "durable" is differs: the embedded ledger has synced its file, a Community cluster of one node
 * has the write in memory (see openAerospikeLedger).
 *
 *   TEST_AEROSPIKE_URL=aerospike://127.0.0.1:3000/test TRANSFERS=40000 bun bench/aerospike.ts
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { limits } from "../src/config.ts";
import { type AccountId, escrowAccount, gatewayAccount, prizeAccount, userAccount } from "../src/domain/account.ts";
import { assert } from "../src/domain/assert.ts";
import { contestId, entryId, teamNo, userId } from "../src/domain/ids.ts";
import { paise } from "../src/domain/money.ts";
import { openLedgerAt, ownUrl, throwAway } from "../src/stores/ledger/aerospike/temporary.ts";
import { openEmbeddedLedger } from "../src/stores/ledger/embedded.ts";
import type { Ledger, Transfer } from "../src/stores/ledger/port.ts";
import { drive, type Measured } from "./money/workload.ts";

const TRANSFERS = Number(process.env["TRANSFERS"] ?? 40_000);
const PAYMENTS = Number(process.env["PAYMENTS"] ?? 200_000);
const RUNS = 3;
const CALLERS = [64, 1_024] as const;
const USERS = 10_000;
const STRIPES = 64;
const FUNDS_PAISE = paise(1_000_000);

const userOf = (index: number): AccountId => userAccount(userId(1 + ((index * 7_919) % USERS)));
const stripeOf = (stripe: number): AccountId => escrowAccount(contestId(1), stripe);

/** Where the money of the transfer with this index goes; all come from the wallets. */
const SHAPES: Readonly<Record<string, (index: number) => AccountId>> = {
  "spread accounts": (index) => userAccount(userId(USERS + 1 + ((index * 7_907) % USERS))),
  "one hot account": () => stripeOf(0),
  "64 stripes": (index) => stripeOf(index % STRIPES),
};

interface OpenedLedger {
  readonly ledger: Ledger;
  dispose(): Promise<void>;
}

async function openEmbedded(): Promise<OpenedLedger> {
  const directory = await mkdtemp(join(tmpdir(), "powerplay-aerospike-"));
  const ledger = await openEmbeddedLedger({
    file: join(directory, "ledger.sqlite"),
    pendingMax: limits.storePendingMax,
  });
  return {
    ledger,
    async dispose() {
      await ledger.close();
      await rm(directory, { recursive: true });
    },
  };
}

async function openAerospike(): Promise<OpenedLedger> {
  const server = process.env["TEST_AEROSPIKE_URL"];
  assert(server !== undefined, "TEST_AEROSPIKE_URL names a server");
  const url = ownUrl(server);
  const ledger = await openLedgerAt(url);
  return {
    ledger,
    async dispose() {
      await ledger.close();
      await throwAway(url);
    },
  };
}

const CONTENDERS = { embedded: openEmbedded, aerospike: openAerospike } as const;

const transferOf = (index: number, credit: AccountId): Transfer => ({
  txnId: `join:${index}`,
  debit: userOf(index),
  credit,
  amountPaise: paise(1 + (index % 100)),
  kind: "join",
  ref: "bench",
  atMs: 1,
});

async function fund(ledger: Ledger): Promise<void> {
  const entries = Array.from({ length: USERS }, (_, index) => entryId(userId(index + 1), teamNo(1)));
  const results = await ledger.payEntries({
    txnPrefix: "fund:",
    debit: gatewayAccount,
    kind: "deposit",
    ref: "bench",
    atMs: 1,
    entries,
    amountsPaise: entries.map(() => FUNDS_PAISE),
  });
  assert(
    results.every(({ ok }) => ok),
    "all are funded",
  );
}

/** Everything that the transfers left: to be the same of both. */
async function digestOf(ledger: Ledger): Promise<string> {
  const users = Array.from({ length: 2 * USERS }, (_, index) => userAccount(userId(index + 1)));
  const stripes = Array.from({ length: STRIPES }, (_, stripe) => stripeOf(stripe));
  const accounts = [gatewayAccount, prizeAccount(contestId(1)), ...users, ...stripes];
  const audit = await ledger.audit();
  assert(audit.sumPaise === 0 && audit.differences.length === 0, "the books balance");
  const totals = Object.entries(audit.totalsPaise).toSorted();
  const balances = await ledger.balances(accounts);
  return Bun.hash(JSON.stringify([audit.transferCount, audit.accountCount, totals, balances])).toString(16);
}

async function runTransfers(
  open: () => Promise<OpenedLedger>,
  callers: number,
  creditOf: (index: number) => AccountId,
): Promise<Measured & { digest: string }> {
  const { ledger, dispose } = await open();
  await fund(ledger);
  const measured = await drive(TRANSFERS, callers, async (index) => {
    const [result] = await ledger.transfer([transferOf(index, creditOf(index))]);
    assert(result!.ok && !result!.replayed, `transfer ${index} happens`);
  });
  const digest = await digestOf(ledger);
  await dispose();
  return { ...measured, digest };
}

async function runPayments(open: () => Promise<OpenedLedger>): Promise<Measured & { digest: string }> {
  const { ledger, dispose } = await open();
  const [pool, chunk] = [prizeAccount(contestId(1)), limits.settlement.chunkPayments];
  const total = paise(PAYMENTS * 100);
  await ledger.transfer([{ ...transferOf(0, pool), txnId: "fund", debit: gatewayAccount, amountPaise: total }]);
  const chunks = Math.ceil(PAYMENTS / chunk);
  const measured = await drive(chunks, limits.settlement.chunksInFlight, async (index) => {
    const from = (index - 1) * chunk;
    const entries = Array.from({ length: Math.min(chunk, PAYMENTS - from) }, (_, place) =>
      entryId(userId(1 + ((from + place) % (2 * USERS))), teamNo(1 + Math.floor((from + place) / (2 * USERS)))),
    );
    const payments = { txnPrefix: "prize:", debit: pool, kind: "prize", ref: "1", atMs: 1, entries } as const;
    const results = await ledger.payEntries({ ...payments, amountsPaise: entries.map(() => paise(100)) });
    assert(
      results.every(({ ok }) => ok),
      "all are paid",
    );
  });
  const digest = await digestOf(ledger);
  await dispose();
  return { ...measured, perSecond: (measured.perSecond * PAYMENTS) / chunks, digest };
}

/** Both in turn, round by round, so that a neighbour that changes its pace changes both. */
async function compare(
  what: string,
  run: (open: () => Promise<OpenedLedger>) => Promise<Measured & { digest: string }>,
) {
  const runs = { embedded: [] as Measured[], aerospike: [] as Measured[] };
  for (let round = 0; round < RUNS; round++) {
    const digests: string[] = [];
    for (const who of ["embedded", "aerospike"] as const) {
      const { digest, ...measured } = await run(CONTENDERS[who]);
      runs[who].push(measured);
      digests.push(digest);
    }
    assert(digests[0] === digests[1], `both leave the same books: ${what}`);
  }
  for (const who of ["embedded", "aerospike"] as const) {
    const { perSecond, p50Ms, p99Ms } = runs[who].toSorted((a, b) => a.perSecond - b.perSecond)[RUNS >> 1]!;
    const rate = Math.round(perSecond).toLocaleString("en").padStart(8);
    console.log(
      `${what.padEnd(32)} ${who.padEnd(10)} ${rate}/s  p50 ${p50Ms.toFixed(1)} ms  p99 ${p99Ms.toFixed(1)} ms`,
    );
  }
}

console.log(`${TRANSFERS} transfers, ${PAYMENTS} payments, median of ${RUNS}`);
for (const [shape, creditOf] of Object.entries(SHAPES)) {
  for (const callers of CALLERS) {
    await compare(`${shape}, ${callers} callers`, (open) => runTransfers(open, callers, creditOf));
  }
}
await compare("settlement, chunks of payments", runPayments);
