import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { escrowAccount, gatewayAccount, userAccount } from "../../domain/account.ts";
import { contestId, userId } from "../../domain/ids.ts";
import { paise } from "../../domain/money.ts";
import { openEmbeddedLedger } from "./embedded.ts";
import { LEDGER_MIGRATIONS } from "./sqlite/schema.ts";

test("a ledger of the first schema keeps its balances, its history and its names when wallets get their users' numbers", async () => {
  const directory = await mkdtemp(join(tmpdir(), "powerplay-"));
  const file = join(directory, "ledger.sqlite");
  try {
    const db = new Database(file, { create: true, strict: true });
    db.run(LEDGER_MIGRATIONS[0]);
    db.run(
      "INSERT INTO accounts VALUES (1, 'gateway', -700), (2, 'user:900', 400), (3, 'user:2', 0), (4, 'escrow:1:0', 300)",
    );
    db.run(`INSERT INTO transfers VALUES
      (1, 'd1', 1, 2, 400, 'deposit', 'a', 1, -400, 400), (2, 'd2', 1, 3, 300, 'deposit', 'b', 2, -700, 300),
      (3, 'j1', 3, 4, 300, 'join', '1', 3, 0, 300)`);
    db.run("PRAGMA user_version = 1");
    db.close();
    const ledger = await openEmbeddedLedger({ file, pendingMax: 10 });
    const [ann, ben, escrow] = [userAccount(userId(900)), userAccount(userId(2)), escrowAccount(contestId(1), 0)];
    expect(await ledger.balances([gatewayAccount, ann, ben, escrow])).toEqual([-700, 400, 0, 300].map(paise));
    expect((await ledger.history(ben, { limit: 9 })).map((line) => line.txnId)).toEqual(["j1", "d2"]);
    expect(await ledger.find("j1")).toMatchObject({ debit: ben, credit: escrow, amountPaise: paise(300) });
    const spend = { debit: escrow, credit: ann, amountPaise: paise(300), kind: "prize", ref: "1", atMs: 4 } as const;
    expect(await ledger.transfer([{ ...spend, txnId: "p1" }])).toEqual([{ ok: true, replayed: false }]);
    expect(await ledger.audit()).toMatchObject({ accountCount: 4, sumPaise: paise(0), differences: [] });
    await ledger.close();
  } finally {
    await rm(directory, { recursive: true });
  }
});
