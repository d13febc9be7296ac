import type { Database } from "bun:sqlite";
import { assert } from "../../../domain/assert.ts";
import { type AccountId, mayOverdraw } from "../../../domain/account.ts";
import { type Paise, paise } from "../../../domain/money.ts";
import type { LedgerAudit, TransferKind } from "../port.ts";

/**
 * One pass over the transfers in the order of their effect, in 16 bytes an account: nothing is sorted or grouped, so a
 * ledger of any length is audited in bounded memory. The caller's read transaction makes it one instant.
 */
export function audit(db: Database): LedgerAudit {
  const { accountCount } = db
    .query<{ accountCount: number }, []>("SELECT COUNT(*) AS accountCount FROM accounts")
    .get()!;
  const ids = new Float64Array(accountCount);
  const derivedPaise = new Float64Array(accountCount);
  let filled = 0;
  for (const { id } of db
    .query<{ id: number }, []>("SELECT account_id AS id FROM accounts ORDER BY account_id")
    .iterate()) {
    ids[filled++] = id;
  }
  const totalsPaise: Partial<Record<TransferKind, Paise>> = {};
  let transferCount = 0;
  const transfers = db.query<{ debit: number; credit: number; amount: number; kind: TransferKind }, []>(
    "SELECT debit_id AS debit, credit_id AS credit, amount_paise AS amount, kind FROM transfers ORDER BY seq",
  );
  for (const { debit, credit, amount, kind } of transfers.iterate()) {
    derivedPaise[placeOf(ids, debit)]! -= amount;
    derivedPaise[placeOf(ids, credit)]! += amount;
    totalsPaise[kind] = paise((totalsPaise[kind] ?? 0) + amount);
    transferCount++;
  }
  const differences: { account: AccountId; cachedPaise: Paise; derivedPaise: Paise }[] = [];
  let sumPaise = 0;
  let place = 0;
  const accounts = db.query<{ account: AccountId; cachedPaise: Paise }, []>(
    `SELECT coalesce(name, 'user:' || account_id) AS account, balance_paise AS cachedPaise FROM accounts
     ORDER BY account_id`,
  );
  for (const { account, cachedPaise } of accounts.iterate()) {
    const derived = paise(derivedPaise[place++]!);
    sumPaise += cachedPaise;
    if (cachedPaise !== derived || (derived < 0 && !mayOverdraw(account))) {
      differences.push({ account, cachedPaise, derivedPaise: derived });
    }
  }
  return { transferCount, accountCount, sumPaise: paise(sumPaise), totalsPaise, differences };
}

/** Of an id among the ascending ones. */
function placeOf(ids: Float64Array, id: number): number {
  let low = 0;
  let high = ids.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ids[middle]! < id) low = middle + 1;
    else high = middle;
  }
  assert(ids[low] === id, `account ${id} has transfers, so it has a balance`);
  return low;
}
