import { expect } from "bun:test";
import { type AccountId, gatewayAccount, houseAccount, prizeAccount, userAccount } from "../../domain/account.ts";
import { contestId, entryId, teamNo, userId } from "../../domain/ids.ts";
import { paise } from "../../domain/money.ts";
import { seededRandom } from "../../domain/random.ts";
import { openSimulatedLedger } from "../../testing/simulated-ledger.ts";
import { type OpenStore, testsWith } from "../contract.ts";
import { type Ledger, type Transfer, type TransferResult, transfersOf } from "./port.ts";

const alice = userAccount(userId(1));
const bob = userAccount(userId(2));

const transferOf = (txnId: string, debit: AccountId, credit: AccountId, amount: number): Transfer => ({
  txnId,
  debit,
  credit,
  amountPaise: paise(amount),
  kind: "deposit",
  ref: "contract",
  atMs: 1_000,
});

const DONE: TransferResult = { ok: true, replayed: false };
const REPLAYED: TransferResult = { ok: true, replayed: true };

/** Each sentence of the law in port.ts, asked of any engine. */
export function ledgerContract(open: OpenStore<Ledger>): void {
  const test = testsWith(open);

  test("a transfer takes effect at most once for ever, after reopening too", async (ledger, reopen) => {
    const deposit = transferOf("t1", gatewayAccount, alice, 500);
    expect(await ledger.transfer([deposit])).toEqual([DONE]);
    expect(await ledger.transfer([{ ...deposit, atMs: 2_000 }])).toEqual([REPLAYED]);
    const again = await reopen();
    expect(await again.transfer([deposit])).toEqual([REPLAYED]);
    expect(await again.balances([alice, gatewayAccount, bob])).toEqual([paise(500), paise(-500), paise(0)]);
  });

  const rows: [string, Partial<Transfer>, TransferResult][] = [
    ["another amount under a known id", { amountPaise: paise(501) }, { ok: false, refusal: "txn_mismatch" }],
    ["another account under a known id", { credit: bob }, { ok: false, refusal: "txn_mismatch" }],
    ["another kind under a known id", { kind: "join" }, { ok: false, refusal: "txn_mismatch" }],
    ["another reference under a known id", { ref: "other" }, { ok: false, refusal: "txn_mismatch" }],
    [
      "one account on both sides, before its amount is looked at",
      { txnId: "t2", debit: alice, credit: alice, amountPaise: paise(0) },
      { ok: false, refusal: "same_account" },
    ],
    [
      "nothing to move, before the funds are looked at",
      { txnId: "t2", debit: bob, credit: alice, amountPaise: paise(0) },
      { ok: false, refusal: "amount_not_positive" },
    ],
    ["a negative amount", { txnId: "t2", amountPaise: paise(-5) }, { ok: false, refusal: "amount_not_positive" }],
    [
      "more than there is",
      { txnId: "t2", debit: alice, credit: bob, amountPaise: paise(501) },
      { ok: false, refusal: "insufficient_funds" },
    ],
  ];
  for (const [name, change, result] of rows) {
    test(`refusals in their order: ${name}`, async (ledger) => {
      const first = transferOf("t1", gatewayAccount, alice, 500);
      await ledger.transfer([first]);
      expect(await ledger.transfer([{ ...first, ...change }])).toEqual([result]);
      expect(await ledger.balances([alice, bob])).toEqual([paise(500), paise(0)]);
    });
  }

  test("a refused transfer leaves no trace: its id may succeed later", async (ledger) => {
    const early = transferOf("t1", alice, bob, 100);
    expect(await ledger.transfer([early])).toEqual([{ ok: false, refusal: "insufficient_funds" }]);
    expect(await ledger.find("t1")).toBeNull();
    expect(await ledger.transfer([transferOf("t0", gatewayAccount, alice, 100), early])).toEqual([DONE, DONE]);
    expect(await ledger.find("t1")).toMatchObject({ ...early });
  });

  test("only the gateway and the house go below zero", async (ledger) => {
    const results = await ledger.transfer([
      transferOf("t1", houseAccount, alice, 7),
      transferOf("t2", gatewayAccount, alice, 7),
      transferOf("t3", bob, alice, 7),
    ]);
    expect(results.map(({ ok }) => ok)).toEqual([true, true, false]);
  });

  test("one id many times at once is one transfer", async (ledger) => {
    await ledger.transfer([transferOf("fund", gatewayAccount, alice, 1_000)]);
    const one = transferOf("same", alice, bob, 10);
    const results = await Promise.all(Array.from({ length: 100 }, () => ledger.transfer([one])));
    expect(results.filter(([result]) => result!.ok && !result!.replayed)).toHaveLength(1);
    expect(await ledger.balances([alice, bob])).toEqual([paise(990), paise(10)]);
  });

  test("one id at once for different accounts is one transfer, the others are told so", async (ledger) => {
    const rivals = Array.from({ length: 20 }, (_, index) => userAccount(userId(index + 1)));
    const results = await Promise.all(
      rivals.map((account) => ledger.transfer([transferOf("same", gatewayAccount, account, 10)])),
    );
    expect(results.filter(([result]) => result!.ok)).toHaveLength(1);
    const refused = results.flatMap(([result]) => (result!.ok ? [] : [result!.refusal]));
    expect(new Set(refused)).toEqual(new Set(["txn_mismatch"]));
    const found = await ledger.find("same");
    const balances = await ledger.balances(rivals);
    expect(balances.filter((balance) => balance !== 0)).toEqual([paise(10)]);
    expect(found?.credit).toBe(rivals[balances.indexOf(paise(10))]!);
  });

  test("one batch may use what an earlier transfer of it brought, and repeat an id", async (ledger) => {
    const deposit = transferOf("t1", gatewayAccount, alice, 10);
    const results = await ledger.transfer([deposit, transferOf("t2", alice, bob, 10), deposit]);
    expect(results).toEqual([DONE, DONE, REPLAYED]);
    expect(await ledger.balances([alice, bob])).toEqual([paise(0), paise(10)]);
    expect(await ledger.transfer([])).toEqual([]);
  });

  test("many who spend one balance at once never overdraw it", async (ledger) => {
    await ledger.transfer([transferOf("fund", gatewayAccount, alice, 50)]);
    const results = await Promise.all(
      Array.from({ length: 200 }, (_, index) => ledger.transfer([transferOf(`s${index}`, alice, bob, 1)])),
    );
    expect(results.filter(([result]) => result!.ok)).toHaveLength(50);
    expect(await ledger.balances([alice, bob])).toEqual([paise(0), paise(50)]);
  });

  test("history is newest first, signed, with the balance after each, and pages without gap or repeat", async (ledger) => {
    await ledger.transfer([
      transferOf("t1", gatewayAccount, alice, 100),
      transferOf("t2", alice, bob, 30),
      transferOf("t3", bob, alice, 5),
    ]);
    const all = await ledger.history(alice, { limit: 10 });
    expect(all.map((line) => [line.txnId, line.amountPaise as number, line.balanceAfterPaise as number])).toEqual([
      ["t3", 5, 75],
      ["t2", -30, 70],
      ["t1", 100, 100],
    ]);
    const first = await ledger.history(alice, { limit: 2 });
    const rest = await ledger.history(alice, { limit: 2, beforeSeq: first.at(-1)!.seq });
    expect([...first, ...rest]).toEqual(all);
    expect(await ledger.history(userAccount(userId(9)), { limit: 2 })).toEqual([]);
  });

  test("payments to entries answer and leave what their transfers, one by one, would", async (ledger, reopen) => {
    const model = openSimulatedLedger();
    const random = seededRandom(12);
    const pool = prizeAccount(contestId(1));
    const fund = transferOf("fund", gatewayAccount, pool, 5_000);
    for (const each of [ledger, model]) await each.transfer([fund]);
    const common = { kind: "prize", ref: "1", txnPrefix: "prize:1:" } as const;
    for (let round = 0; round < 60; round++) {
      // Entries come twice, in one call and later, with the same amount or another; the pool runs dry.
      const entries = Array.from({ length: 1 + random.int(12) }, () =>
        entryId(userId(1 + random.int(40)), teamNo(1 + random.int(3))),
      );
      const payments = {
        ...common,
        atMs: round,
        debit: random.chance(0.9) ? pool : random.pick([gatewayAccount, alice]),
        entries,
        amountsPaise: entries.map((entry) => paise(random.chance(0.9) ? entry % 97 : random.int(300) - 20)),
      };
      const expected = await model.payEntries(payments);
      expect(await model.transfer(transfersOf(payments))).toEqual(
        expected.map((result) => (result.ok ? REPLAYED : result)),
      );
      expect(await ledger.payEntries(payments)).toEqual(expected);
    }
    expect((await model.balances([pool]))[0]).toBeLessThan(300);
    const users = Array.from({ length: 40 }, (_, index) => userAccount(userId(index + 1)));
    const again = await reopen();
    expect(await again.balances([pool, ...users])).toEqual(await model.balances([pool, ...users]));
    expect(await again.audit()).toEqual(await model.audit());
    expect(await again.payEntries({ ...common, atMs: 0, debit: pool, entries: [], amountsPaise: [] })).toEqual([]);
  });

  test("an empty ledger audits clean", async (ledger) => {
    expect(await ledger.audit()).toMatchObject({
      transferCount: 0,
      accountCount: 0,
      sumPaise: paise(0),
      differences: [],
    });
  });

  test("2,000 random transfers answer as the naive model does, and audit to zero", async (ledger, reopen) => {
    const model = openSimulatedLedger();
    const random = seededRandom(11);
    const accounts = [
      gatewayAccount,
      houseAccount,
      ...Array.from({ length: 6 }, (_, index) => userAccount(userId(index + 1))),
    ];
    for (let round = 0; round < 200; round++) {
      const batch = Array.from({ length: 10 }, () =>
        transferOf(`t${random.int(1_500)}`, random.pick(accounts), random.pick(accounts), random.int(200) - 10),
      );
      expect(await ledger.transfer(batch)).toEqual(await model.transfer(batch));
    }
    const again = await reopen();
    expect(await again.balances(accounts)).toEqual(await model.balances(accounts));
    const [audited, expected] = [await again.audit(), await model.audit()];
    expect(audited).toEqual(expected);
    expect(audited.sumPaise).toBe(paise(0));
    for (const account of accounts) {
      const strip = (lines: Awaited<ReturnType<Ledger["history"]>>) => lines.map(({ seq: _seq, ...line }) => line);
      const page = { limit: 5_000 };
      expect(strip(await again.history(account, page))).toEqual(strip(await model.history(account, page)));
    }
  });
}
