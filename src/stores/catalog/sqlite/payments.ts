import type { Database } from "bun:sqlite";
import type { UserId } from "../../../domain/ids.ts";
import type { Deposit, Withdrawal, WithdrawalState } from "../port.ts";

const DEPOSIT_COLUMNS = `order_id AS orderId, user_id AS userId, amount_paise AS amountPaise, state,
  provider_order_id AS providerOrderId, payment_id AS paymentId, created_at_ms AS createdAtMs`;
const WITHDRAWAL_COLUMNS = `withdrawal_id AS withdrawalId, user_id AS userId, amount_paise AS amountPaise, state,
  provider_payout_id AS providerPayoutId, created_at_ms AS createdAtMs`;

export function paymentWrites(db: Database) {
  const insertDeposit = db.query<null, [string, number, number, number]>(
    `INSERT INTO deposits VALUES (?, ?, ?, 'created', NULL, NULL, ?) ON CONFLICT (order_id) DO NOTHING`,
  );
  const depositById = db.query<Deposit, [string]>(`SELECT ${DEPOSIT_COLUMNS} FROM deposits WHERE order_id = ?`);
  const attach = db.query<null, [string, string]>(
    "UPDATE OR IGNORE deposits SET provider_order_id = ?1 WHERE order_id = ?2 AND coalesce(provider_order_id, ?1) = ?1",
  );
  const credit = db.query<null, [string, string]>(
    `UPDATE OR IGNORE deposits SET state = 'credited', payment_id = ?1
     WHERE order_id = ?2 AND (state = 'created' OR (state = 'credited' AND payment_id = ?1))`,
  );
  const fail = db.query<null, [string]>(
    "UPDATE deposits SET state = 'failed' WHERE order_id = ? AND state IN ('created', 'failed')",
  );
  const insertWithdrawal = db.query<null, [string, number, number, number]>(
    `INSERT INTO withdrawals VALUES (?, ?, ?, 'created', NULL, ?) ON CONFLICT (withdrawal_id) DO NOTHING`,
  );
  const withdrawalById = db.query<Withdrawal, [string]>(
    `SELECT ${WITHDRAWAL_COLUMNS} FROM withdrawals WHERE withdrawal_id = ?`,
  );
  const move = db.query<null, [string, string | null, string, string]>(
    `UPDATE withdrawals SET state = ?1, provider_payout_id = coalesce(?2, provider_payout_id)
     WHERE withdrawal_id = ?3 AND state IN (?4, ?1)`,
  );
  return {
    createDeposit(deposit: Pick<Deposit, "orderId" | "userId" | "amountPaise" | "createdAtMs">): Deposit {
      insertDeposit.run(deposit.orderId, deposit.userId, deposit.amountPaise, deposit.createdAtMs);
      return depositById.get(deposit.orderId)!;
    },
    attachProviderOrder({ orderId, providerOrderId }: { orderId: string; providerOrderId: string }): boolean {
      return attach.run(providerOrderId, orderId).changes > 0;
    },
    creditDeposit({ orderId, paymentId }: { orderId: string; paymentId: string }): boolean {
      return credit.run(paymentId, orderId).changes > 0;
    },
    failDeposit(orderId: string): boolean {
      return fail.run(orderId).changes > 0;
    },
    createWithdrawal(
      withdrawal: Pick<Withdrawal, "withdrawalId" | "userId" | "amountPaise" | "createdAtMs">,
    ): Withdrawal {
      const { withdrawalId, userId, amountPaise, createdAtMs } = withdrawal;
      insertWithdrawal.run(withdrawalId, userId, amountPaise, createdAtMs);
      return withdrawalById.get(withdrawalId)!;
    },
    moveWithdrawal(step: {
      withdrawalId: string;
      from: WithdrawalState;
      to: WithdrawalState;
      providerPayoutId: string | null;
    }): boolean {
      return move.run(step.to, step.providerPayoutId, step.withdrawalId, step.from).changes > 0;
    },
  };
}

export function paymentReads(db: Database) {
  const selectDeposits = `SELECT ${DEPOSIT_COLUMNS} FROM deposits`;
  const selectWithdrawals = `SELECT ${WITHDRAWAL_COLUMNS} FROM withdrawals`;
  const deposit = db.query<Deposit, [string]>(`${selectDeposits} WHERE order_id = ?`);
  const depositByProvider = db.query<Deposit, [string]>(`${selectDeposits} WHERE provider_order_id = ?`);
  const deposits = db.query<Deposit, [string, number]>(
    `${selectDeposits} WHERE order_id > ? ORDER BY order_id LIMIT ?`,
  );
  const depositsOfUser = db.query<Deposit, [number, number]>(
    `${selectDeposits} WHERE user_id = ? ORDER BY created_at_ms DESC, order_id DESC LIMIT ?`,
  );
  const withdrawal = db.query<Withdrawal, [string]>(`${selectWithdrawals} WHERE withdrawal_id = ?`);
  const withdrawalByPayout = db.query<Withdrawal, [string]>(`${selectWithdrawals} WHERE provider_payout_id = ?`);
  const withdrawals = db.query<Withdrawal, [string, number]>(
    `${selectWithdrawals} WHERE state IN (SELECT value FROM json_each(?))
     ORDER BY created_at_ms, withdrawal_id LIMIT ?`,
  );
  const withdrawalsOfUser = db.query<Withdrawal, [number, number]>(
    `${selectWithdrawals} WHERE user_id = ? ORDER BY created_at_ms DESC, withdrawal_id DESC LIMIT ?`,
  );
  return {
    deposit: (orderId: string): Deposit | null => deposit.get(orderId),
    depositByProviderOrder: (providerOrderId: string): Deposit | null => depositByProvider.get(providerOrderId),
    deposits: ({ after, limit }: { after: string; limit: number }): Deposit[] => deposits.all(after, limit),
    depositsOfUser: ({ user, limit }: { user: UserId; limit: number }): Deposit[] => depositsOfUser.all(user, limit),
    withdrawal: (withdrawalId: string): Withdrawal | null => withdrawal.get(withdrawalId),
    withdrawalByPayout: (payoutId: string): Withdrawal | null => withdrawalByPayout.get(payoutId),
    withdrawals: ({ states, limit }: { states: readonly WithdrawalState[]; limit: number }): Withdrawal[] =>
      withdrawals.all(JSON.stringify(states), limit),
    withdrawalsOfUser: ({ user, limit }: { user: UserId; limit: number }): Withdrawal[] =>
      withdrawalsOfUser.all(user, limit),
  };
}
