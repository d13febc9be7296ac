import type { Deposit, PaymentCatalog, Withdrawal } from "../port.ts";
import { textArray } from "./arrays.ts";
import type { Database } from "./database.ts";
import { bucketOf } from "./ring.ts";
import type { Shards } from "./shards.ts";

const DEPOSIT = `order_id AS "orderId", user_id AS "userId", amount_paise AS "amountPaise", state,
  provider_order_id AS "providerOrderId", payment_id AS "paymentId", created_at_ms AS "createdAtMs"`;
const WITHDRAWAL = `withdrawal_id AS "withdrawalId", user_id AS "userId", amount_paise AS "amountPaise", state,
  provider_payout_id AS "providerPayoutId", created_at_ms AS "createdAtMs"`;

type ClaimKind = "order" | "payment";

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/**
 * A payment lives in the bucket of its own id, so that one row decides everything about it, whoever asks; a user's are
 * asked of all shards. A provider's order or payment is claimed for a deposit in the bucket of the provider's id, and then
 * written into the deposit: two commits, where both may be in different databases. A claim whose deposit took another
 * provider's id, or came to another end, has no effect for ever and gives way.
 */
export function paymentCatalog(shards: Shards): PaymentCatalog {
  const of = (id: string): Database => shards.of(bucketOf(id));
  const everywhere = async <Row>(statement: string, parameters: (string | number)[]): Promise<Row[]> =>
    (await Promise.all(shards.all.map((shard) => shard.rows<Row>(statement, parameters)))).flat();

  const deposit = (orderId: string): Promise<Deposit | null> =>
    of(orderId).row<Deposit>(`SELECT ${DEPOSIT} FROM deposits WHERE order_id = $1`, [orderId]);

  /** Which provider's id of the kind the deposit has taken; undefined while it may take any. */
  const taken = (kind: ClaimKind, row: Deposit): string | null | undefined => {
    if (kind === "order") return row.providerOrderId ?? undefined;
    return row.state === "created" ? undefined : row.paymentId;
  };

  /** true: the provider's id is this deposit's from now on, unless the deposit itself refuses. */
  async function claim(kind: ClaimKind, providerId: string, orderId: string): Promise<boolean> {
    const shard = of(providerId);
    // Updating what is there makes the row's present version come back, also one that another node has just committed.
    const held = (await shard.row<{ order_id: string }>(
      `INSERT INTO provider_claims (kind, provider_id, bucket, order_id) VALUES ($1, $2, $3, $4)
       ON CONFLICT (kind, provider_id) DO UPDATE SET order_id = provider_claims.order_id RETURNING order_id`,
      [kind, providerId, bucketOf(providerId), orderId],
    ))!.order_id;
    if (held === orderId) return true;
    const holder = await deposit(held);
    const has = holder && taken(kind, holder);
    if (has === undefined || has === providerId) return false;
    const moved = await shard.rows(
      "UPDATE provider_claims SET order_id = $4 WHERE kind = $1 AND provider_id = $2 AND order_id = $3 RETURNING 1",
      [kind, providerId, held, orderId],
    );
    return moved.length > 0;
  }

  /** Claims, then writes the deposit by `statement` ($1 the order, $2 the provider's id), which answers whether it took it. */
  async function take(kind: ClaimKind, providerId: string, orderId: string, statement: string): Promise<boolean> {
    const row = await deposit(orderId);
    if (row === null) return false;
    const has = taken(kind, row);
    if (has !== undefined) return has === providerId;
    if (!(await claim(kind, providerId, orderId))) return false;
    return (await of(orderId).rows(statement, [orderId, providerId])).length > 0;
  }

  const withdrawal = (withdrawalId: string): Promise<Withdrawal | null> =>
    of(withdrawalId).row<Withdrawal>(`SELECT ${WITHDRAWAL} FROM withdrawals WHERE withdrawal_id = $1`, [withdrawalId]);

  return {
    async createDeposit({ orderId, userId, amountPaise, createdAtMs }) {
      await of(orderId).rows(
        `INSERT INTO deposits (order_id, bucket, user_id, amount_paise, created_at_ms) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (order_id) DO NOTHING`,
        [orderId, bucketOf(orderId), userId, amountPaise, createdAtMs],
      );
      return (await deposit(orderId))!;
    },
    deposit,
    async depositByProviderOrder(providerOrderId) {
      const found = await of(providerOrderId).row<{ order_id: string }>(
        "SELECT order_id FROM provider_claims WHERE kind = 'order' AND provider_id = $1",
        [providerOrderId],
      );
      const row = found && (await deposit(found.order_id));
      return row?.providerOrderId === providerOrderId ? row : null;
    },
    attachProviderOrder: (orderId, providerOrderId) =>
      take(
        "order",
        providerOrderId,
        orderId,
        `UPDATE deposits SET provider_order_id = $2
         WHERE order_id = $1 AND (provider_order_id IS NULL OR provider_order_id = $2) RETURNING 1`,
      ),
    creditDeposit: (orderId, paymentId) =>
      take(
        "payment",
        paymentId,
        orderId,
        `UPDATE deposits SET state = 'credited', payment_id = $2
         WHERE order_id = $1 AND (state = 'created' OR (state = 'credited' AND payment_id = $2)) RETURNING 1`,
      ),
    async failDeposit(orderId) {
      const failed = await of(orderId).rows(
        "UPDATE deposits SET state = 'failed' WHERE order_id = $1 AND state IN ('created', 'failed') RETURNING 1",
        [orderId],
      );
      return failed.length > 0;
    },
    async deposits(afterOrderId, limit) {
      const rows = await everywhere<Deposit>(
        `SELECT ${DEPOSIT} FROM deposits WHERE order_id > $1 ORDER BY order_id LIMIT $2`,
        [afterOrderId, limit],
      );
      return rows.toSorted((a, b) => byText(a.orderId, b.orderId)).slice(0, limit);
    },
    async depositsOfUser(user, limit) {
      const rows = await everywhere<Deposit>(
        `SELECT ${DEPOSIT} FROM deposits WHERE user_id = $1 ORDER BY created_at_ms DESC, order_id DESC LIMIT $2`,
        [user, limit],
      );
      return rows.toSorted((a, b) => b.createdAtMs - a.createdAtMs || byText(b.orderId, a.orderId)).slice(0, limit);
    },

    async createWithdrawal({ withdrawalId, userId, amountPaise, createdAtMs }) {
      await of(withdrawalId).rows(
        `INSERT INTO withdrawals (withdrawal_id, bucket, user_id, amount_paise, created_at_ms) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (withdrawal_id) DO NOTHING`,
        [withdrawalId, bucketOf(withdrawalId), userId, amountPaise, createdAtMs],
      );
      return (await withdrawal(withdrawalId))!;
    },
    withdrawal,
    // The provider's name for a payout is not unique by law, so it has no bucket: rarely asked, and then of all.
    async withdrawalByPayout(providerPayoutId) {
      const rows = await everywhere<Withdrawal>(`SELECT ${WITHDRAWAL} FROM withdrawals WHERE provider_payout_id = $1`, [
        providerPayoutId,
      ]);
      return rows[0] ?? null;
    },
    async moveWithdrawal(withdrawalId, from, to, providerPayoutId) {
      const moved = await of(withdrawalId).rows(
        `UPDATE withdrawals SET state = $3, provider_payout_id = coalesce($4, provider_payout_id)
         WHERE withdrawal_id = $1 AND state IN ($2, $3) RETURNING 1`,
        [withdrawalId, from, to, providerPayoutId ?? null],
      );
      return moved.length > 0;
    },
    async withdrawals(states, limit) {
      const rows = await everywhere<Withdrawal>(
        `SELECT ${WITHDRAWAL} FROM withdrawals WHERE state = ANY ($1::text[]) ORDER BY created_at_ms, withdrawal_id LIMIT $2`,
        [textArray(states), limit],
      );
      return rows
        .toSorted((a, b) => a.createdAtMs - b.createdAtMs || byText(a.withdrawalId, b.withdrawalId))
        .slice(0, limit);
    },
    async withdrawalsOfUser(user, limit) {
      const rows = await everywhere<Withdrawal>(
        `SELECT ${WITHDRAWAL} FROM withdrawals WHERE user_id = $1 ORDER BY created_at_ms DESC, withdrawal_id DESC LIMIT $2`,
        [user, limit],
      );
      return rows
        .toSorted((a, b) => b.createdAtMs - a.createdAtMs || byText(b.withdrawalId, a.withdrawalId))
        .slice(0, limit);
    },
  };
}
