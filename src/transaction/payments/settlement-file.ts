import { paise } from "../../domain/money.ts";
import type { SettlementRow } from "./provider.ts";

const HEADER = "entity_type,entity_id,reference,amount";

/** CSV with a header line; ids have no commas, amounts are paise. */
export const writeSettlementFile = (rows: readonly SettlementRow[]): string =>
  [HEADER, ...rows.map((row) => [row.kind, row.entityId, row.reference, row.amountPaise].join(","))].join("\n") + "\n";

/** null: not a settlement file. One broken line makes all of it worthless, for a reconciliation must not miss a row. */
export function readSettlementFile(text: string): readonly SettlementRow[] | null {
  const [header, ...lines] = text.trimEnd().split(/\r?\n/);
  if (header !== HEADER) return null;
  const rows: SettlementRow[] = [];
  for (const line of lines) {
    const [kind, entityId, reference, amount, ...rest] = line.split(",");
    if ((kind !== "payment" && kind !== "payout") || !entityId || !reference || rest.length > 0) return null;
    if (amount === undefined || !/^\d{1,15}$/.test(amount)) return null;
    rows.push({ kind, entityId, reference, amountPaise: paise(Number(amount)) });
  }
  return rows;
}
