/** What is particular to this engine, beyond the law of the port. */
import { afterAll, describe, expect, test } from "bun:test";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { escrowAccount, gatewayAccount, userAccount } from "../../../domain/account.ts";
import { contestId, userId } from "../../../domain/ids.ts";
import { paise } from "../../../domain/money.ts";
import type { Transfer, TransferResult } from "../port.ts";
import { aerospikeAddress } from "./address.ts";
import { Books, LINES_PER_PAGE, transferRecordOf } from "./books.ts";
import { installedLibraries } from "./libraries.ts";
import { openLedgerAt, openSession, ownUrl, testUrl, throwAway } from "./temporary.ts";

const alice = userAccount(userId(1));
const bob = userAccount(userId(2));
const escrow = escrowAccount(contestId(1), 0);
const DONE: TransferResult = { ok: true, replayed: false };
const SHORT: TransferResult = { ok: false, refusal: "insufficient_funds" };

const transferOf = (txnId: string, debit: Transfer["debit"], credit: Transfer["credit"], amount: number): Transfer => ({
  txnId,
  debit,
  credit,
  amountPaise: paise(amount),
  kind: "join",
  ref: "engine",
  atMs: 1,
});

describe("the address of a ledger on Aerospike", () => {
  const rows: [string, ReturnType<typeof aerospikeAddress> | null][] = [
    ["aerospike://a:3000/test", { hosts: "a:3000", namespace: "test", prefix: "powerplay", user: "", password: "" }],
    [
      "aerospike://u:p%40ss@a:3000,b.c:3001/money?prefix=x",
      { hosts: "a:3000,b.c:3001", namespace: "money", prefix: "x", user: "u", password: "p@ss" },
    ],
    ["aerospike://a:3000", null],
    ["aerospike://a:3000/", null],
    ["aerospike://a:3000/test?other=x", null],
    ["aerospike://a:3000/test?prefix=a:b", null],
    ["redis://a:3000/test", null],
  ];
  for (const [url, address] of rows) {
    test(`${url} is ${address ? "understood" : "refused, with the form"}`, () => {
      if (address) expect(aerospikeAddress(url)).toEqual(address);
      else expect(() => aerospikeAddress(url)).toThrow("aerospike://[user:password@]host:3000");
    });
  }
});

test("a library that is not there is an error that says what to run", async () => {
  const libraries = { ...installedLibraries(), bridge: "/nowhere/bridge.so" };
  const opening = openLedgerAt("aerospike://127.0.0.1:3000/test", { libraries });
  await expect(opening).rejects.toThrow("/nowhere/bridge.so is not there; run make build");
});

test.if(installedLibraries().bridge !== null)(
  "a client that does not load is an error that says what it needs",
  async () => {
    // A copy, for what is loaded once stays loaded.
    const directory = mkdtempSync(join(tmpdir(), "powerplay-bridge-"));
    const bridge = join(directory, "bridge.so");
    cpSync(installedLibraries().bridge!, bridge);
    const libraries = { ...installedLibraries(), bridge, needs: ["libnowhere.so.3"] };
    const opening = openLedgerAt("aerospike://127.0.0.1:3000/test", { libraries });
    await expect(opening).rejects.toThrow(
      /does not load \(libnowhere\.so\.3: .*apt-get install libssl3 libyaml-0-2 zlib1g/,
    );
    rmSync(directory, { recursive: true });
  },
);

// Where the machine had no compiler there is no bridge, and so no client to say this.
test.if(installedLibraries().bridge !== null)(
  "a server that is not there is an error that names the address and the remedy",
  async () => {
    const opening = openLedgerAt("aerospike://127.0.0.1:1/test");
    await expect(opening).rejects.toThrow(/127\.0\.0\.1:1: .*check LEDGER_URL and that a server listens there/);
  },
);

const server = testUrl;
if (server) {
  describe("ledger: aerospike, the engine", () => {
    const urls: string[] = [];
    const freshUrl = (): string => {
      urls.push(ownUrl(server));
      return urls.at(-1)!;
    };
    afterAll(async () => {
      for (const url of urls) await throwAway(url);
    });

    test("a namespace that is not there is an error that names it", async () => {
      const opening = openLedgerAt(server.replace(/\/[^/]+$/, "/nowhere"));
      await expect(opening).rejects.toThrow("namespace nowhere does not answer");
    });

    test("a begun transfer whose funds another node took first is put out of use, and its id may succeed later", async () => {
      const url = freshUrl();
      const [first, second] = [await openLedgerAt(url), await openLedgerAt(url)];
      const spend = transferOf("spend", alice, bob, 100);
      // After this the first node believes that there is 100.
      await first.transfer([transferOf("fund:1", gatewayAccount, alice, 100)]);
      expect(await second.transfer([transferOf("other", alice, escrow, 60)])).toEqual([DONE]);
      expect(await first.transfer([spend])).toEqual([SHORT]);
      const session = await openSession(url);
      const [outcome] = await session.batch([new Books(aerospikeAddress(url).prefix).readTransfer("spend")]);
      session.close();
      expect(transferRecordOf((outcome as { bins: Record<string, string> }).bins).stage).toBe("void");
      expect([await first.find("spend"), await second.find("spend")]).toEqual([null, null]);
      expect(await second.transfer([{ ...spend, amountPaise: paise(500) }])).toEqual([SHORT]);
      expect(await second.transfer([transferOf("fund:2", gatewayAccount, alice, 60)])).toEqual([DONE]);
      expect(await second.transfer([spend])).toEqual([DONE]);
      expect(await first.transfer([spend])).toEqual([{ ok: true, replayed: true }]);
      expect(await first.balances([alice, bob, escrow])).toEqual([paise(0), paise(100), paise(60)]);
      expect(await first.audit()).toMatchObject({ transferCount: 4, sumPaise: paise(0), differences: [] });
      await Promise.all([first.close(), second.close()]);
    });

    test("a refusal is by what the account holds now, not by what this node saw last", async () => {
      const url = freshUrl();
      const [first, second] = [await openLedgerAt(url), await openLedgerAt(url)];
      expect(await first.transfer([transferOf("t1", alice, bob, 10)])).toEqual([SHORT]);
      expect(await second.transfer([transferOf("fund", gatewayAccount, alice, 10)])).toEqual([DONE]);
      expect(await first.transfer([transferOf("t1", alice, bob, 10)])).toEqual([DONE]);
      await Promise.all([first.close(), second.close()]);
    });

    test("a history of many pages is whole, whichever way it is paged and by whichever node", async () => {
      const url = freshUrl();
      const [first, second] = [await openLedgerAt(url), await openLedgerAt(url)];
      const total = 12 * LINES_PER_PAGE + 7;
      await first.transfer([transferOf("fund", gatewayAccount, alice, 1_000_000)]);
      for (let at = 1; at < total;) {
        const count = Math.min(1 + (at % 90), total - at);
        const batch = Array.from({ length: count }, (_, index) => transferOf(`t${at + index}`, alice, escrow, 1));
        expect(await (at % 3 === 0 ? first : second).transfer(batch)).toEqual(batch.map(() => DONE));
        at += count;
      }
      const all = await first.history(alice, { limit: 10_000 });
      expect(all.map(({ balanceAfterPaise }) => Number(balanceAfterPaise))).toEqual(
        Array.from({ length: total }, (_, index) => 1_000_000 - total + 1 + index),
      );
      for (const limit of [1, LINES_PER_PAGE - 1, LINES_PER_PAGE, 3 * LINES_PER_PAGE]) {
        for (const from of [0, 1, 5, 130, 131, 500, total - 1]) {
          const beforeSeq = all[from]!.seq;
          expect(await second.history(alice, { beforeSeq, limit })).toEqual(all.slice(from + 1, from + 1 + limit));
        }
      }
      await Promise.all([first.close(), second.close()]);
    });

    test("an audit under load is exact: what is under way between its two reads is counted", async () => {
      const url = freshUrl();
      const [first, second] = [await openLedgerAt(url), await openLedgerAt(url)];
      const over = new AbortController();
      const isLoaded = Promise.withResolvers<void>();
      let count = 0;
      const load = async (ledger: typeof first, caller: number): Promise<void> => {
        for (let step = 0; !over.signal.aborted; step++) {
          const [user, other] = [userAccount(userId(1 + (step % 20))), userAccount(userId(1 + ((step * 7 + 1) % 20)))];
          const id = `${caller}:${step}`;
          await ledger.transfer([transferOf(`f${id}`, gatewayAccount, user, 9), transferOf(`m${id}`, user, other, 4)]);
          if (++count === 20) isLoaded.resolve();
        }
      };
      const callers = [first, second].flatMap((ledger, node) =>
        [0, 1, 2].map((caller) => load(ledger, 3 * node + caller)),
      );
      await isLoaded.promise;
      for (let round = 0; round < 8; round++) {
        const { sumPaise, differences } = await (round % 2 ? first : second).audit();
        expect({ sum: Number(sumPaise), differences }).toEqual({ sum: 0, differences: [] });
      }
      over.abort();
      await Promise.all(callers);
      await Promise.all([first.close(), second.close()]);
    });

    test("an account that was tampered with is a difference", async () => {
      const url = freshUrl();
      const ledger = await openLedgerAt(url);
      await ledger.transfer([transferOf("fund", gatewayAccount, alice, 100)]);
      const session = await openSession(url);
      const key = `${aerospikeAddress(url).prefix}:${alice}`;
      await session.batch([{ kind: "write", set: "accounts", key, bins: { b: 105 } }]);
      session.close();
      expect(await ledger.audit()).toMatchObject({
        sumPaise: paise(5),
        differences: [{ account: alice, cachedPaise: paise(105), derivedPaise: paise(100) }],
      });
      await ledger.close();
    });
  });
}
