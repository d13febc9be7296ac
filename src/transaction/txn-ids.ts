import type { ContestId } from "../domain/ids.ts";

/**
 * Every transfer is named after what it is for, so that whoever repeats a step (a retry, a second node, the recovery after
 * a crash) asks for the same transfer and the ledger does it once.
 */
export const txnIds = {
  join: (sagaId: number) => `join:${sagaId}`,
  joinRefund: (sagaId: number) => `join-refund:${sagaId}`,
  prizeFund: (contest: ContestId, stripe: number) => `prize-fund:${contest}:${stripe}`,
  prizeTopUp: (contest: ContestId) => `prize-top-up:${contest}`,
  margin: (contest: ContestId) => `margin:${contest}`,
  /** The entry follows. */
  prizePrefix: (contest: ContestId) => `prize:${contest}:`,
  refundPrefix: (contest: ContestId) => `refund:${contest}:`,
  deposit: (paymentId: string) => `deposit:${paymentId}`,
  withdrawalHold: (withdrawalId: string) => `withdrawal-hold:${withdrawalId}`,
  /** Paying and returning a hold have one name, so that the ledger does one of the two and refuses the other. */
  withdrawalEnd: (withdrawalId: string) => `withdrawal-end:${withdrawalId}`,
  withdrawalReversal: (withdrawalId: string) => `withdrawal-reversal:${withdrawalId}`,
  voidReturn: (txnId: string) => `void:${txnId}`,
} as const;
