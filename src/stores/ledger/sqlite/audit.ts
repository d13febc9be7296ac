import type { Database } from "bun:sqlite";
import { type AccountId, mayOverdraw } from "../../../domain/account.ts";
import { type Paise, paise } from "../../../domain/money.ts";
import type { LedgerAudit, TransferKind } from "../port.ts";

/**
 * One pass over the transfers in the order of their effect, in 8 bytes an account: nothing is sorted or grouped, so a
 * ledger of any length is audited in bounded memory. The caller's read transaction makes it one instant.
 */
export function audit(db: Database): LedgerAudit {
  const { accountCount, newestId } = db
    .query<{ accountCount: number; newestId: number }, []>(
      "SELECT COUNT(*) AS accountCount, COALESCE(MAX(account_id), 0) AS newestId FROM accounts",
    )
    .get()!;
  const derivedPaise = new Float64Array(newestId + 1);
  const totalsPaise: Partial<Record<TransferKind, Paise>> = {};
  let transferCount = 0;
  const transfers = db.query<{ debit: number; credit: number; amount: number; kind: TransferKind }, []>(
    "SELECT debit_id AS debit, credit_id AS credit, amount_paise AS amount, kind FROM transfers ORDER BY seq",
  );
  for (const { debit, credit, amount, kind } of transfers.iterate()) {
    derivedPaise[debit]! -= amount;
    derivedPaise[credit]! += amount;
    totalsPaise[kind] = paise((totalsPaise[kind] ?? 0) + amount);
    transferCount++;
  }
  const differences: { account: AccountId; cachedPaise: Paise; derivedPaise: Paise }[] = [];
  let sumPaise = 0;
  const accounts = db.query<{ id: number; account: AccountId; cachedPaise: Paise }, []>(
    "SELECT account_id AS id, name AS account, balance_paise AS cachedPaise FROM accounts ORDER BY account_id",
  );
  for (const { id, account, cachedPaise } of accounts.iterate()) {
    const derived = paise(derivedPaise[id]!);
    sumPaise += cachedPaise;
    if (cachedPaise !== derived || (derived < 0 && !mayOverdraw(account))) {
      differences.push({ account, cachedPaise, derivedPaise: derived });
    }
  }
  return { transferCount, accountCount, sumPaise: paise(sumPaise), totalsPaise, differences };
}
