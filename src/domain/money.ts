import { AssertionError } from "./assert.ts";

/** Money is integer paise (1 rupee = 100 paise), always a safe integer. */
export type Paise = number & { readonly __paise: true };

export function paise(value: number): Paise {
  // The text of a failure is only built for a failure: this is called twice a transfer.
  if (!Number.isSafeInteger(value)) throw new AssertionError(`${value} is not a whole number of paise`);
  return value as Paise;
}

export const rupees = (value: number): Paise => paise(Math.round(value * 100));

/** "₹1,23,456.50": Indian digit grouping; the paise are shown only where there are any. */
export function formatPaise(amount: Paise): string {
  const fractionDigits = amount % 100 === 0 ? 0 : 2;
  return `₹${(amount / 100).toLocaleString("en-IN", { minimumFractionDigits: fractionDigits, maximumFractionDigits: fractionDigits })}`;
}
