import type { Database } from "bun:sqlite";
import type { AccountId } from "../../../domain/account.ts";
import type { Paise } from "../../../domain/money.ts";

export interface HeldAccount {
  readonly id: number;
  readonly name: AccountId;
  readonly balancePaise: Paise;
}

interface Held {
  readonly id: number;
  readonly name: AccountId;
  balancePaise: Paise;
  isStored: boolean;
}

/** About 200 bytes each; past it all are dropped after a commit, which costs a look-up each when they come again. */
const HELD_MAX = 200_000;

/**
 * Balances in the writer's memory. One that changes is written once a commit and not once a transfer, and one that is in
 * use is not read again.
 */
export class AccountsInHand {
  readonly #find;
  readonly #newestId;
  readonly #insert;
  readonly #update;
  readonly #held = new Map<AccountId, Held>();
  readonly #changed = new Set<Held>();
  #nextId: number | null = null;

  constructor(db: Database) {
    this.#find = db.query<{ account_id: number; balance_paise: Paise }, [string]>(
      "SELECT account_id, balance_paise FROM accounts WHERE name = ?",
    );
    this.#newestId = db.query<{ newest: number }, []>("SELECT COALESCE(MAX(account_id), 0) AS newest FROM accounts");
    this.#insert = db.query<null, [number, string, number]>("INSERT INTO accounts VALUES (?, ?, ?)");
    this.#update = db.query<null, [number, number]>("UPDATE accounts SET balance_paise = ? WHERE account_id = ?");
  }

  /** null for an account that no transfer has touched. */
  idOf(name: AccountId): number | null {
    return this.#loaded(name)?.id ?? null;
  }

  balancePaise(name: AccountId): number {
    return this.#loaded(name)?.balancePaise ?? 0;
  }

  /** Numbers the account if it is new. It is stored with its first `set`; a number that is not used is given again. */
  open(name: AccountId): HeldAccount {
    const held = this.#loaded(name);
    if (held) return held;
    this.#nextId ??= this.#newestId.get()!.newest + 1;
    const opened = { id: this.#nextId++, name, balancePaise: 0 as Paise, isStored: false };
    this.#held.set(name, opened);
    return opened;
  }

  set(account: HeldAccount, balancePaise: Paise): void {
    const held = this.#held.get(account.name)!;
    held.balancePaise = balancePaise;
    this.#changed.add(held);
  }

  beforeCommit(): void {
    for (const account of this.#changed) {
      const { id, name, balancePaise, isStored } = account;
      if (isStored) this.#update.run(balancePaise, id);
      else this.#insert.run(id, name, balancePaise);
      account.isStored = true;
    }
    this.#changed.clear();
    if (this.#held.size > HELD_MAX) this.forget();
  }

  forget(): void {
    this.#held.clear();
    this.#changed.clear();
    this.#nextId = null;
  }

  #loaded(name: AccountId): Held | null {
    const held = this.#held.get(name);
    if (held) return held;
    const row = this.#find.get(name);
    if (!row) return null;
    const loaded = { id: row.account_id, name, balancePaise: row.balance_paise, isStored: true };
    this.#held.set(name, loaded);
    return loaded;
  }
}
