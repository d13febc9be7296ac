import { voidAccount } from "../domain/account.ts";
import type { Ledger, LedgerAudit } from "../stores/ledger/port.ts";
import type { Difference } from "./difference.ts";

/** `powerplay verify`: derives every balance from the transfers again. The ledger alone, so it needs no quiet time. */
export async function verifyLedger(
  ledger: Pick<Ledger, "audit" | "balances">,
): Promise<{ readonly audit: LedgerAudit; readonly differences: readonly Difference[] }> {
  const audit = await ledger.audit();
  const differences: Difference[] = audit.differences.map(({ account, cachedPaise, derivedPaise }) => ({
    kind: "balance",
    subject: account,
    expected: derivedPaise,
    actual: cachedPaise,
  }));
  if (audit.sumPaise !== 0) {
    differences.push({ kind: "ledger_sum", subject: "all accounts", expected: 0, actual: audit.sumPaise });
  }
  return { audit, differences };
}

/** Only true while no refusal is being made final; the nightly reconciliation asks. */
export async function verifyVoids(ledger: Pick<Ledger, "balances">): Promise<readonly Difference[]> {
  const [restPaise] = await ledger.balances([voidAccount]);
  return restPaise === 0 ? [] : [{ kind: "void_rest", subject: voidAccount, expected: 0, actual: restPaise! }];
}
