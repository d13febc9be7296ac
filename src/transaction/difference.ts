export const DIFFERENCE_KINDS = [
  /** The balances do not sum to zero. */
  "ledger_sum",
  /** A cached balance is not what the transfers say, or is below zero and may not be. */
  "balance",
  /** A paisa is stuck in the account that only holds it while a transfer id is voided. */
  "void_rest",
  /** An open contest's escrow is not its entries × fee and the debits of joins under way. */
  "escrow",
  /** Money is left in escrow or in the prize account of a contest that is over. */
  "escrow_rest",
  /** More seats taken than there are, or another number than entries and joins under way. */
  "seats",
  /** The board has another number of entries than the catalog. */
  "board_count",
  /** The provider took a payment that we did not credit, or credited with another amount. */
  "payment_not_credited",
  /** We credited a payment that the provider's file does not have. */
  "payment_not_in_file",
  /** The provider paid out what we did not book as paid. */
  "payout_not_booked",
  /** We booked a payout that the provider's file does not have. */
  "payout_not_in_file",
  /** The payout hold is not what the withdrawals under way sum to. */
  "payout_hold",
] as const;
export type DifferenceKind = (typeof DIFFERENCE_KINDS)[number];

/** One thing that is not as it must be. Amounts in paise, counts as they are. */
export interface Difference {
  readonly kind: DifferenceKind;
  /** Which account, contest, payment or withdrawal. */
  readonly subject: string;
  readonly expected: number;
  readonly actual: number;
}
