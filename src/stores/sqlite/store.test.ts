import { Database } from "bun:sqlite";
import { afterAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openEmbeddedEventLog } from "../event-log/embedded.ts";
import { openEmbeddedLedger } from "../ledger/embedded.ts";
import { gatewayAccount, userAccount } from "../../domain/account.ts";
import { assert } from "../../domain/assert.ts";
import { userId } from "../../domain/ids.ts";
import { paise } from "../../domain/money.ts";
import type { Transfer } from "../ledger/port.ts";
import { StoreUnavailable } from "../unavailable.ts";
import { ENGINES } from "./engines.ts";

const directory = mkdtempSync(join(tmpdir(), "powerplay-"));
afterAll(() => rmSync(directory, { recursive: true }));

const alice = userAccount(userId(1));
const deposit = (txnId: string): Transfer => ({
  txnId,
  debit: gatewayAccount,
  credit: alice,
  amountPaise: paise(1),
  kind: "deposit",
  ref: "x".repeat(100),
  atMs: 0,
});

const reasonOf = async (promise: Promise<unknown>): Promise<string> => {
  const error = await promise.then(() => null).catch((error: unknown) => error);
  expect(error).toBeInstanceOf(StoreUnavailable);
  return (error as StoreUnavailable).reason;
};

test("a file of a newer schema is refused and left as it is", async () => {
  const file = join(directory, "newer.sqlite");
  await (await openEmbeddedLedger({ file, pendingMax: 10 })).close();
  const db = new Database(file);
  db.run("PRAGMA user_version = 99");
  db.close();
  const reason = await reasonOf(openEmbeddedLedger({ file, pendingMax: 10 }));
  expect(reason).toContain(`schema version 99, this program knows versions up to ${ENGINES.ledger.migrations.length}`);
  const again = new Database(file);
  expect(again.query("PRAGMA user_version").get()).toEqual({ user_version: 99 });
  again.close();
});

test("a file has one owner; its name is free again after closing", async () => {
  const file = join(directory, "owned.sqlite");
  const first = await openEmbeddedLedger({ file, pendingMax: 10 });
  expect(await reasonOf(openEmbeddedLedger({ file, pendingMax: 10 }))).toContain("in use by another process");
  expect(await first.transfer([deposit("t1")])).toEqual([{ ok: true, replayed: false }]);
  await first.close();
  const second = await openEmbeddedLedger({ file, pendingMax: 10 });
  expect(await second.balances([alice])).toEqual([paise(1)]);
  await second.close();
});

test("a directory that can't be made is named", async () => {
  const blocker = join(directory, "blocker");
  writeFileSync(blocker, "");
  expect(await reasonOf(openEmbeddedLedger({ file: join(blocker, "l.sqlite"), pendingMax: 10 }))).toContain(blocker);
});

test("calls past the limit are refused at once, those within it are answered, and then there is room again", async () => {
  const ledger = await openEmbeddedLedger({ file: join(directory, "bounded.sqlite"), pendingMax: 5 });
  const calls = await Promise.allSettled(
    Array.from({ length: 8 }, (_, index) => ledger.transfer([deposit(`t${index}`)])),
  );
  expect(calls.map(({ status }) => status)).toEqual([
    ...Array<"fulfilled">(5).fill("fulfilled"),
    ...Array<"rejected">(3).fill("rejected"),
  ]);
  expect(String((calls[7] as PromiseRejectedResult).reason)).toContain("too many pending operations");
  expect(await ledger.transfer([deposit("t7")])).toEqual([{ ok: true, replayed: false }]);
  await ledger.close();
});

test("closing answers what is pending; afterwards every call is refused", async () => {
  const file = join(directory, "closing.sqlite");
  const ledger = await openEmbeddedLedger({ file, pendingMax: 100 });
  const pending = Array.from({ length: 50 }, (_, index) => ledger.transfer([deposit(`t${index}`)]));
  const closing = ledger.close();
  expect((await Promise.all(pending)).flat()).toHaveLength(50);
  await closing;
  await ledger.close();
  expect(await reasonOf(ledger.transfer([deposit("late")]))).toContain("closed");
  expect(await reasonOf(ledger.balances([alice]))).toContain("closed");
  const again = await openEmbeddedLedger({ file, pendingMax: 100 });
  expect(await again.balances([alice])).toEqual([paise(50)]);
  await again.close();
});

/** A file system of 4 MiB to fill, or the reason why there is none. */
function smallDisk(): { readonly at: string; unmount(): void } | string {
  if (process.platform !== "linux") return "tmpfs needs Linux";
  const at = join(directory, "small-disk");
  mkdirSync(at);
  const mounted = Bun.spawnSync(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", at], { stderr: "pipe" });
  if (mounted.exitCode !== 0) return `no tmpfs without the right to mount: ${mounted.stderr.toString().trim()}`;
  return { at, unmount: () => void Bun.spawnSync(["umount", at]) };
}

describe("a full disk", () => {
  const disk = smallDisk();
  if (typeof disk === "string") console.log(`skipped: ${disk}`);

  test.skipIf(typeof disk === "string")(
    "refuses writes, answers reads, loses nothing, and serves on when there is room",
    async () => {
      if (typeof disk === "string") return;
      try {
        const file = join(disk.at, "ledger.sqlite");
        const ballast = join(disk.at, "ballast");
        writeFileSync(ballast, new Uint8Array(3 << 20));
        let ledger = await openEmbeddedLedger({ file, pendingMax: 10_000 });
        const acknowledged: string[] = [];
        let refused: string | null = null;
        for (let round = 0; round < 1_000; round++) {
          const batch = Array.from({ length: 50 }, (_, index) => deposit(`t${round}-${index}`));
          const error = await ledger.transfer(batch).then(
            () => null,
            (reason: unknown) => reason,
          );
          if (error !== null) {
            expect(error).toBeInstanceOf(StoreUnavailable);
            refused = batch[0]!.txnId;
            break;
          }
          acknowledged.push(...batch.map(({ txnId }) => txnId));
        }
        assert(refused !== null, "4 MiB are full long before 50,000 transfers");
        expect(await ledger.balances([alice])).toEqual([paise(acknowledged.length)]);

        rmSync(ballast);
        expect(await ledger.transfer([deposit(refused)])).toEqual([{ ok: true, replayed: false }]);
        await ledger.close();
        ledger = await openEmbeddedLedger({ file, pendingMax: 10_000 });
        const found = await Promise.all(acknowledged.map((txnId) => ledger.find(txnId)));
        expect(found).not.toContain(null);
        expect(await ledger.balances([alice])).toEqual([paise(acknowledged.length + 1)]);
        expect((await ledger.audit()).differences).toEqual([]);
        await ledger.close();
      } finally {
        disk.unmount();
      }
    },
  );
});

test("a log that can't be made durable says so and numbers on without a gap", async () => {
  const log = await openEmbeddedEventLog({ file: join(directory, "log.sqlite"), pendingMax: 3 });
  const calls = await Promise.allSettled(
    Array.from({ length: 5 }, () => log.append("team-saves", 0, new Uint8Array(8))),
  );
  expect(calls.filter(({ status }) => status === "rejected")).toHaveLength(2);
  expect(await log.append("team-saves", 0, new Uint8Array(8))).toEqual({ partition: 0, offset: 3 });
  await log.close();
});
