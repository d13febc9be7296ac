/**
 * The server goes away in the middle of load and comes back. Verified: calls are refused as unavailable meanwhile, the same
 * ids sent again take effect once, and the books balance. Not verified: a server that is killed, for a Community server alone
 * may lose its last writes then.
 */
import { describe, expect, test } from "bun:test";
import { escrowAccount, gatewayAccount, userAccount } from "../../../domain/account.ts";
import { contestId, userId } from "../../../domain/ids.ts";
import { paise } from "../../../domain/money.ts";
import { StoreUnavailable } from "../../unavailable.ts";
import type { Ledger, Transfer } from "../port.ts";
import { openLedgerAt } from "./temporary.ts";
import { serverBinary, TestServer } from "./test-server.ts";

const CALLERS = 16;
const USERS = 50;
const escrow = escrowAccount(contestId(1), 0);

const transferOf = (index: number): Transfer => ({
  txnId: `join:${index}`,
  debit: userAccount(userId(1 + (index % USERS))),
  credit: escrow,
  amountPaise: paise(7),
  kind: "join",
  ref: "1",
  atMs: index,
});

async function untilOpen(server: TestServer): Promise<Ledger> {
  for (;;) {
    try {
      return await openLedgerAt(server.url, { timeoutMs: 400, callTimeoutMs: 200, sweepEveryMs: 50, staleMs: 200 });
    } catch (error) {
      if (server.exitCode !== null) throw error;
      await Bun.sleep(50);
    }
  }
}

/** Load that repeats an id until it is answered; the outage begins once some are. Answers how many ids were. */
async function underLoad(ledger: Ledger, outage: (refusals: () => number) => Promise<void>): Promise<number> {
  let [next, doneCount, refusedCount] = [0, 0, 0];
  const over = new AbortController();
  const some = Promise.withResolvers<void>();
  const caller = async (): Promise<void> => {
    while (!over.signal.aborted) {
      const transfer = transferOf(next++);
      for (;;) {
        try {
          const [result] = await ledger.transfer([transfer]);
          expect(result!.ok).toBe(true);
          break;
        } catch (error) {
          expect(error).toBeInstanceOf(StoreUnavailable);
          refusedCount++;
        }
      }
      if (++doneCount === 200) some.resolve();
    }
  };
  const callers = Promise.all(Array.from({ length: CALLERS }, caller));
  await some.promise;
  await outage(() => refusedCount);
  over.abort();
  await callers;
  return next;
}

const untilRefused = async (refusals: () => number): Promise<void> => {
  while (refusals() < CALLERS) await Bun.sleep(20);
};

const binary = serverBinary();
if (binary === null) console.log("ledger on Aerospike: outages not tested, no server binary (ASD=, or asd on PATH)");
else {
  describe("ledger: aerospike, an outage in the middle of load", () => {
    const outages: readonly [string, (server: TestServer, refusals: () => number) => Promise<void>][] = [
      [
        "of a server that is stopped and started again",
        async (server, refusals) => {
          await server.stop();
          await untilRefused(refusals);
          server.start();
        },
      ],
      [
        "of a server that stands still, so that what was sent takes effect late",
        async (server, refusals) => {
          server.freeze();
          await untilRefused(refusals);
          server.thaw();
        },
      ],
    ];
    for (const [name, outage] of outages) {
      test(
        name,
        async () => {
          const server = new TestServer(binary);
          server.start();
          const ledger = await untilOpen(server);
          try {
            const funding = Array.from({ length: USERS }, (_, index) => ({
              ...transferOf(index),
              txnId: `fund:${index}`,
              debit: gatewayAccount,
              credit: userAccount(userId(1 + index)),
              amountPaise: paise(10_000_000),
            }));
            expect((await ledger.transfer(funding)).every(({ ok }) => ok)).toBe(true);
            const count = await underLoad(ledger, (refusals) => outage(server, refusals));
            expect(await ledger.balances([escrow])).toEqual([paise(7 * count)]);
            const { transferCount, sumPaise, differences } = await ledger.audit();
            expect({ transferCount, sum: Number(sumPaise), differences }).toEqual({
              transferCount: count + USERS,
              sum: 0,
              differences: [],
            });
          } finally {
            await ledger.close();
            await server.dispose();
          }
        },
        60_000,
      );
    }
  });
}
