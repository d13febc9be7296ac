import { afterEach, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type AccountId,
  escrowAccount,
  gatewayAccount,
  houseAccount,
  payoutHoldAccount,
  userAccount,
  voidAccount,
} from "../domain/account.ts";
import { type ContestId, teamNo, userId } from "../domain/ids.ts";
import { paise } from "../domain/money.ts";
import { Metrics } from "../metrics.ts";
import type { Catalog } from "../stores/catalog/port.ts";
import type { Ledger, TransferKind } from "../stores/ledger/port.ts";
import { MatchCache } from "../stream/match-cache.ts";
import { openSimulatedCatalog } from "../testing/simulated-catalog.ts";
import { openSimulatedLedger } from "../testing/simulated-ledger.ts";
import type { DifferenceKind } from "./difference.ts";
import { JoinSagas } from "./join-saga.ts";
import { NightlyReconciliation } from "./nightly-reconciliation.ts";
import type { SettlementRow } from "./payments/provider.ts";
import { differenceCounts, exitStatus, reconcile, type ReconcileDeps } from "./reconcile.ts";
import { txnIds } from "./txn-ids.ts";
import { aMatch } from "../testing/simulated-game.ts";

const ann = userId(1);
const clock = { nowMs: () => 0 };

/** Ann paid ₹50 in, entered an open contest for ₹10 and withdrew ₹20; everybody's books say so. */
async function soundBooks() {
  const catalog = openSimulatedCatalog();
  const ledger = openSimulatedLedger();
  const match = await catalog.createMatch(aMatch(1_000));
  const contest = await catalog.createContest({
    matchId: match.id,
    kind: "paid",
    name: "ten",
    entryFeePaise: paise(1_000),
    entriesMax: 5,
    entriesPerUserMax: 1,
    prizePoolPaise: paise(0),
    prizes: [],
    guaranteed: true,
    inviteCode: null,
  });
  const move = (txnId: string, debit: AccountId, credit: AccountId, amount: number, kind: TransferKind) =>
    ledger.transfer([{ txnId, debit, credit, amountPaise: paise(amount), kind, ref: "", atMs: 0 }]);
  await catalog.createDeposit({ orderId: "d1", userId: ann, amountPaise: paise(5_000), createdAtMs: 0 });
  await catalog.attachProviderOrder("d1", "order_1");
  await catalog.creditDeposit("d1", "pay_1");
  await move(txnIds.deposit("pay_1"), gatewayAccount, userAccount(ann), 5_000, "deposit");
  await catalog.createWithdrawal({ withdrawalId: "w1", userId: ann, amountPaise: paise(2_000), createdAtMs: 0 });
  await move(txnIds.withdrawalHold("w1"), userAccount(ann), payoutHoldAccount, 2_000, "withdrawal_hold");
  await move(txnIds.withdrawalEnd("w1"), payoutHoldAccount, gatewayAccount, 2_000, "withdrawal_paid");
  for (const [from, to] of [
    ["created", "held"],
    ["held", "sent"],
    ["sent", "paid"],
  ] as const) {
    await catalog.moveWithdrawal("w1", from, to);
  }
  const matches = new MatchCache(catalog, { matchesMax: 10, ttlMs: 1 });
  const sagas = new JoinSagas({ catalog, ledger, matches, clock, teamExists: async () => true, termsMax: 10 });
  await sagas.join(ann, contest.id, teamNo(1), { idempotencyKey: null, inviteCode: null });
  const settlementRows: SettlementRow[] = [
    { kind: "payment", entityId: "pay_1", reference: "order_1", amountPaise: paise(5_000) },
    { kind: "payout", entityId: "pout_1", reference: "w1", amountPaise: paise(2_000) },
  ];
  const deps: ReconcileDeps = {
    catalog,
    ledger,
    boardCounts: async () => new Map([[contest.id, 1]]),
    settlementRows,
    pageRows: 1,
    rowsMax: 10,
  };
  return { catalog, ledger, contest, move, deps };
}

type Books = Awaited<ReturnType<typeof soundBooks>>;

const kindsOf = async (deps: ReconcileDeps): Promise<DifferenceKind[]> =>
  (await reconcile(deps)).differences.map(({ kind }) => kind);

test("sound books agree in everything that is compared", async () => {
  const report = await reconcile((await soundBooks()).deps);
  expect(report.differences).toEqual([]);
  expect(exitStatus(report)).toBe(0);
  expect(report.checked).toEqual({
    transfers: 4,
    accounts: 4,
    contests: 1,
    entries: 1,
    deposits: 1,
    withdrawals: 1,
    settlementRows: 2,
  });
});

const audited =
  (change: Partial<Awaited<ReturnType<Ledger["audit"]>>>) =>
  async ({ deps, ledger }: Books) => ({
    ...deps,
    ledger: { ...ledger, audit: async () => ({ ...(await ledger.audit()), ...change }) },
  });

/** What was done to the books, and what has to be found of it, alone. */
const broken: readonly [string, (books: Books) => Promise<ReconcileDeps>, readonly DifferenceKind[]][] = [
  ["a ledger that doesn't sum to zero", audited({ sumPaise: paise(7) }), ["ledger_sum"]],
  [
    "a balance that is not what its transfers say",
    audited({ differences: [{ account: userAccount(ann), cachedPaise: paise(1), derivedPaise: paise(2) }] }),
    ["balance"],
  ],
  [
    "a paisa left by a voided transfer",
    async ({ deps, move }) => (await move("x", houseAccount, voidAccount, 1, "void"), deps),
    ["void_rest"],
  ],
  [
    "a fee in escrow that no entry paid",
    async ({ deps, move, contest }) => (
      await move("x", gatewayAccount, escrowAccount(contest.id, 0), 1_000, "join"),
      deps
    ),
    ["escrow"],
  ],
  [
    "money left in a contest that is over",
    async ({ deps, catalog, contest }) => {
      await catalog.moveContest(contest.id, "open", "settling");
      await catalog.moveContest(contest.id, "settling", "settled");
      return deps;
    },
    ["escrow_rest"],
  ],
  [
    "a seat that nobody sits on",
    async ({ deps, catalog }) => {
      const contests: Catalog["contests"] = async (match) =>
        (await catalog.contests(match)).map((each) => ({ ...each, seatsTaken: each.seatsTaken + 1 }));
      return { ...deps, catalog: { ...catalog, contests } };
    },
    ["seats"],
  ],
  [
    "an entry that the board doesn't have",
    async ({ deps }) => ({ ...deps, boardCounts: async () => new Map<ContestId, number>() }),
    ["board_count"],
  ],
  [
    "a payment that was taken and not credited",
    async ({ deps }) => ({
      ...deps,
      settlementRows: [
        ...deps.settlementRows!,
        { kind: "payment", entityId: "pay_2", reference: "order_2", amountPaise: paise(9) },
      ],
    }),
    ["payment_not_credited"],
  ],
  [
    "a payment of another amount than was credited",
    async ({ deps }) => ({
      ...deps,
      settlementRows: deps.settlementRows!.map((row) =>
        row.kind === "payment" ? { ...row, amountPaise: paise(4_999) } : row,
      ),
    }),
    ["payment_not_credited"],
  ],
  [
    "a credit and a payout that the provider doesn't know",
    async ({ deps }) => ({ ...deps, settlementRows: [] }),
    ["payment_not_in_file", "payout_not_in_file"],
  ],
  [
    "a payout that we didn't book",
    async ({ deps }) => ({
      ...deps,
      settlementRows: [
        ...deps.settlementRows!,
        { kind: "payout", entityId: "pout_2", reference: "w2", amountPaise: paise(9) },
      ],
    }),
    ["payout_not_booked"],
  ],
  [
    "a hold that no withdrawal is under way for",
    async ({ deps, move }) => (await move("x", userAccount(ann), payoutHoldAccount, 5, "withdrawal_hold"), deps),
    ["payout_hold"],
  ],
];

test.each(broken)("%s is found", async (_what, breakBooks, kinds) => {
  const deps = await breakBooks(await soundBooks());
  expect(await kindsOf(deps)).toEqual([...kinds]);
  const report = await reconcile(deps);
  expect(exitStatus(report)).toBe(1);
  expect(Object.values(differenceCounts(report)).reduce((sum, count) => sum + count)).toBe(kinds.length);
});

const directories: string[] = [];
afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true });
});

function nightlyOver({ deps }: Books, pause: () => Promise<unknown>) {
  const directory = mkdtempSync(join(tmpdir(), "powerplay-"));
  directories.push(directory);
  const metrics = new Metrics();
  const told: string[] = [];
  const nightly = new NightlyReconciliation({
    ...deps,
    provider: { settlementFile: async () => ({ ok: true, value: deps.settlementRows! }) },
    clock,
    metrics,
    directory,
    pauseMs: 0,
    pause,
    log: (line) => told.push(line),
  });
  const reports = () =>
    readdirSync(directory).map((name) => JSON.parse(readFileSync(join(directory, name), "utf8")) as { atMs: number });
  return { nightly, metrics, told, reports };
}

test("at night what moved between two looks is no difference, and what stays is told, counted and kept", async () => {
  const moving = await soundBooks();
  await moving.move("x", gatewayAccount, escrowAccount(moving.contest.id, 0), 1_000, "join");
  const calm = nightlyOver(moving, () =>
    moving.move("y", escrowAccount(moving.contest.id, 0), gatewayAccount, 1_000, "refund"),
  );
  expect((await calm.nightly.run()).differences).toEqual([]);
  expect(calm.told).toEqual([]);
  expect(calm.metrics.text()).toContain('powerplay_reconcile_runs_total{outcome="agreed"} 1');

  const stuck = await soundBooks();
  await stuck.move("x", gatewayAccount, escrowAccount(stuck.contest.id, 0), 1_000, "join");
  const night = nightlyOver(stuck, async () => undefined);
  const difference = { kind: "escrow", subject: "contest 1", expected: 1_000, actual: 2_000 } as const;
  expect((await night.nightly.run()).differences).toEqual([difference]);
  expect(night.told).toEqual([`reconcile: ${JSON.stringify(difference)}`]);
  expect(night.metrics.text()).toContain('powerplay_reconcile_differences{kind="escrow"} 1');
  expect(night.metrics.text()).toContain('powerplay_reconcile_differences{kind="seats"} 0');
  expect(night.reports()).toMatchObject([{ atMs: 0, differences: [difference] }]);
});
