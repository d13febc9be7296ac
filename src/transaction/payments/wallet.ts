import { createHash } from "node:crypto";
import type { UserId } from "../../domain/ids.ts";
import type { Paise } from "../../domain/money.ts";
import type { Wallet } from "../../edge/game.ts";
import type { Catalog } from "../../stores/catalog/port.ts";
import type { WalletReads } from "../wallet.ts";
import type { Deposits } from "./deposits.ts";
import { acceptWebhook, type WebhooksDeps } from "./webhooks.ts";
import type { Withdrawals } from "./withdrawals.ts";

export interface UserWalletDeps extends WebhooksDeps {
  readonly reads: WalletReads;
  readonly deposits: Deposits;
  readonly withdrawals: Withdrawals;
  readonly catalog: Pick<Catalog, "deposit" | "withdrawal">;
}

/** A user's key names one order for ever and can't meet another user's; without a key each call is an order of its own. */
const orderNameOf = (user: UserId, idempotencyKey: string | null): string =>
  idempotencyKey === null
    ? crypto.randomUUID()
    : createHash("sha256").update(`${user}:${idempotencyKey}`).digest("hex");

/** Everything that a user does with money. */
export function userWallet(deps: UserWalletDeps): Wallet {
  const { reads, deposits, withdrawals, catalog } = deps;
  return {
    balance: (user) => reads.balance(user),
    history: (user, page) => reads.history(user, page),
    async deposit(user: UserId, amountPaise: Paise, idempotencyKey) {
      const opened = await deposits.open(user, amountPaise, orderNameOf(user, idempotencyKey));
      if (opened.ok) return opened;
      return { ok: false, refusal: opened.refusal === "order_id_reused" ? "idempotency_key_reused" : opened.refusal };
    },
    async depositOf(user, orderId) {
      const deposit = await catalog.deposit(orderId);
      return deposit?.userId === user ? deposit : null;
    },
    async withdraw(user: UserId, amountPaise: Paise, idempotencyKey) {
      const held = await withdrawals.withdraw(user, amountPaise, orderNameOf(user, idempotencyKey));
      if (held.ok) return held;
      return { ok: false, refusal: held.refusal === "withdrawal_id_reused" ? "idempotency_key_reused" : held.refusal };
    },
    async withdrawalOf(user, withdrawalId) {
      const withdrawal = await catalog.withdrawal(withdrawalId);
      return withdrawal?.userId === user ? withdrawal : null;
    },
    webhook: async (rawBody, signature) => (await acceptWebhook(deps, rawBody, signature)).result,
  };
}
