/**
 * Makes transfers between a few accounts until it has made enough or dies, and prints each answer. Racers with different seeds
 * use the same accounts and the same ids; an id has nearly always the same body.
 *
 *   bun racer.ts <ledger url> <seed> <transfers> [calls to the store after which it kills itself, between sending and hearing]
 */
import { writeSync } from "node:fs";
import { type AccountId, escrowAccount, gatewayAccount, userAccount } from "../../../domain/account.ts";
import { contestId, userId } from "../../../domain/ids.ts";
import { paise } from "../../../domain/money.ts";
import { seededRandom } from "../../contract.ts";
import type { Transfer, TransferResult } from "../port.ts";
import { Session } from "./session.ts";
import { openLedgerAt } from "./temporary.ts";

export const RACED_ACCOUNTS: readonly AccountId[] = [
  gatewayAccount,
  escrowAccount(contestId(1), 0),
  ...Array.from({ length: 6 }, (_, index) => userAccount(userId(index + 1))),
];

export interface RaceAnswer {
  readonly transfer: Transfer;
  readonly result: TransferResult;
}

/** A function of the number and the variant alone. */
export function racedTransfer(number: number, variant: number): Transfer {
  const random = seededRandom(1_000_003 * number + variant);
  const [debit, credit] = [random.pick(RACED_ACCOUNTS), random.pick(RACED_ACCOUNTS)];
  return {
    txnId: `race:${number}`,
    debit,
    credit,
    amountPaise: paise(1 + random.below(debit === gatewayAccount ? 400 : 300)),
    kind: "deposit",
    ref: "race",
    atMs: number,
  };
}

const BATCH_MAX = 40;
const CALLERS = 4;

async function race(url: string, seed: number, transferCount: number, diesAfterCalls: number): Promise<void> {
  const ledger = await openLedgerAt(url, { sweepEveryMs: 20, staleMs: 100, waveTransfersMax: 64 });
  if (diesAfterCalls > 0) dieAfter(diesAfterCalls);
  const random = seededRandom(seed);
  let left = transferCount;
  const call = async (): Promise<void> => {
    while (left > 0) {
      const batch = Array.from({ length: 1 + random.below(BATCH_MAX) }, () =>
        racedTransfer(random.below(transferCount), random.below(20) === 0 ? 1 : 0),
      );
      left -= batch.length;
      const results = await ledger.transfer(batch);
      const answers = batch.map((transfer, index): RaceAnswer => ({ transfer, result: results[index]! }));
      writeSync(1, answers.map((answer) => `${JSON.stringify(answer)}\n`).join(""));
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, call));
  await ledger.close();
}

function dieAfter(callCount: number): void {
  // oxlint-disable-next-line typescript/unbound-method -- called with its session below
  const batch = Session.prototype.batch;
  let left = callCount;
  Session.prototype.batch = function (operations) {
    const sent = batch.call(this, operations);
    if (--left <= 0) process.kill(process.pid, "SIGKILL");
    return sent;
  };
}

if (import.meta.main) {
  const [url, seed, transferCount, diesAfterCalls] = process.argv.slice(2);
  await race(url!, Number(seed), Number(transferCount), Number(diesAfterCalls ?? 0));
}
