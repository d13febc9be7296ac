import { userAccount } from "../domain/account.ts";
import type { UserId } from "../domain/ids.ts";
import type { Paise } from "../domain/money.ts";
import type { Ledger, LedgerLine } from "../stores/ledger/port.ts";

/** What a user sees of the ledger: the balance is the ledger's, there is no other copy of it. */
export class WalletReads {
  readonly #ledger: Pick<Ledger, "balances" | "history">;

  constructor(ledger: Pick<Ledger, "balances" | "history">) {
    this.#ledger = ledger;
  }

  async balance(user: UserId): Promise<Paise> {
    const [balancePaise] = await this.#ledger.balances([userAccount(user)]);
    return balancePaise!;
  }

  history(user: UserId, page: { readonly beforeSeq?: number; readonly limit: number }): Promise<LedgerLine[]> {
    return this.#ledger.history(userAccount(user), page);
  }
}
