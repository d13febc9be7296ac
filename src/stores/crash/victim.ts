/**
 * Loads the log, the ledger and the catalog in `directory` until it is killed, and prints each write once it is
 * acknowledged. Everything that it names starts with its round, so that the rounds of one directory never meet.
 *
 *   bun victim.ts <directory> <round>
 */
import { writeSync } from "node:fs";
import { gatewayAccount, userAccount } from "../../domain/account.ts";
import { entryId, teamNo, userId } from "../../domain/ids.ts";
import { paise } from "../../domain/money.ts";
import type { Transfer } from "../ledger/port.ts";
import { bytesOf } from "../contract.ts";
import { type Acknowledged, lineOf, openContest, openStores } from "./stores.ts";

const CALLERS = 40;
const ACCOUNTS = 50;

const [directory, round] = process.argv.slice(2) as [string, string];
const { log, ledger, catalog } = await openStores(directory);
const contest = await openContest(catalog);

// Synchronous: what was acknowledged must not wait in a buffer of the process that dies.
const report = (acknowledged: Acknowledged): void => void writeSync(1, lineOf(acknowledged));

async function append(caller: number, step: number): Promise<void> {
  const text = `${round}:${caller}:${step}`;
  const { partition, offset } = await log.append("team-saves", caller, bytesOf(text));
  report({ kind: "append", partition, offset, text });
}

async function transfer(caller: number, step: number): Promise<void> {
  const account = (index: number) => userAccount(userId(1 + (index % ACCOUNTS)));
  const txnId = `${round}:${caller}:${step}`;
  const deposit = {
    txnId,
    debit: gatewayAccount,
    credit: account(caller),
    amountPaise: paise(100),
    kind: "deposit",
  } as const;
  const spend = {
    ...deposit,
    debit: account(step),
    credit: account(caller + 1),
    amountPaise: paise(70),
    kind: "join",
  } as const;
  const body: Transfer = { ...(step % 2 ? spend : deposit), ref: "crash", atMs: step };
  const [result] = await ledger.transfer([body]);
  if (result!.ok) report({ kind: "transfer", txnId });
}

async function join(caller: number, step: number): Promise<void> {
  const user = userId(1 + (Number(round) * 1_000 + caller) * 100_000 + step);
  const begun = await catalog.beginJoin({
    idempotencyKey: "join",
    userId: user,
    matchId: contest.matchId,
    contestId: contest.id,
    entryId: entryId(user, teamNo(1)),
    feePaise: paise(4_900),
    receivedAtMs: step,
  });
  if (!begun.ok) throw new Error(`the join was refused: ${begun.refusal}`);
  const { sagaId } = begun.saga;
  if (step % 5 === 0) {
    await catalog.releaseJoin(sagaId);
    return report({ kind: "released", sagaId });
  }
  const confirmed = await catalog.confirmJoin(sagaId);
  if (!confirmed.ok) throw new Error(`the entry was refused: ${confirmed.refusal}`);
  report({ kind: "entered", entryId: confirmed.entry.entryId });
}

for (const write of [append, transfer, join]) {
  for (let caller = 0; caller < CALLERS; caller++) {
    void (async () => {
      for (let step = 0; ; step++) await write(caller, step);
    })();
  }
}
