import { houseAccount, voidAccount } from "../domain/account.ts";
import { assert } from "../domain/assert.ts";
import { paise } from "../domain/money.ts";
import type { Ledger, Transfer } from "../stores/ledger/port.ts";
import { txnIds } from "./txn-ids.ts";

const VOID_PAISE = paise(1);

/**
 * Puts a transfer id out of use for ever, so that a refused transfer stays refused: another driver's copy, or one that is
 * still on its way in the network, must not find the balance topped up a minute later and debit somebody for nothing.
 *
 * It needs no verb of its own, for the ledger refuses a used id with another body: the id is spent on one paisa from the
 * house, which then goes back. "taken": the transfer had happened after all.
 *
 * Price: two commits, only on the path of a refusal.
 */
export async function voidTransfer(
  ledger: Pick<Ledger, "transfer">,
  txnId: string,
  atMs: number,
): Promise<"voided" | "taken"> {
  const spend: Transfer = {
    txnId,
    debit: houseAccount,
    credit: voidAccount,
    amountPaise: VOID_PAISE,
    kind: "void",
    ref: txnId,
    atMs,
  };
  const [spent] = await ledger.transfer([spend]);
  if (!spent!.ok) {
    assert(spent!.refusal === "txn_mismatch", `the house may overdraw, yet voiding ${txnId} was ${spent!.refusal}`);
    return "taken";
  }
  const [returned] = await ledger.transfer([
    { ...spend, txnId: txnIds.voidReturn(txnId), debit: voidAccount, credit: houseAccount },
  ]);
  assert(returned!.ok, `the paisa that voided ${txnId} is there to go back`);
  return "voided";
}
