import type { Database } from "bun:sqlite";
import { type AccountId, userOfAccount } from "../../../domain/account.ts";
import type { Paise } from "../../../domain/money.ts";

export interface HeldAccount {
  readonly id: number;
  readonly balancePaise: Paise;
}

interface Held {
  readonly id: number;
  /** null for a wallet, whose number says whose it is. */
  readonly name: AccountId | null;
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
  readonly #idByName;
  readonly #newestId;
  readonly #insert;
  readonly #update;
  readonly #held = new Map<number, Held>();
  readonly #changed = new Set<Held>();
  /** Of the few accounts that are no wallets. */
  readonly #ids = new Map<AccountId, number>();
  #nextId: number | null = null;

  constructor(db: Database) {
    this.#find = db.query<{ name: AccountId | null; balance_paise: Paise }, [number]>(
      "SELECT name, balance_paise FROM accounts WHERE account_id = ?",
    );
    this.#idByName = db.query<{ account_id: number }, [string]>("SELECT account_id FROM accounts WHERE name = ?");
    this.#newestId = db.query<{ newest: number }, []>(
      "SELECT min(0, coalesce(MIN(account_id), 0)) AS newest FROM accounts",
    );
    this.#insert = db.query<null, [number, string | null, number]>("INSERT INTO accounts VALUES (?, ?, ?)");
    this.#update = db.query<null, [number, number]>("UPDATE accounts SET balance_paise = ? WHERE account_id = ?");
  }

  /** null for an account that no transfer has touched; a wallet has its number before one has. */
  idOf(name: AccountId): number | null {
    return userOfAccount(name) ?? this.#ids.get(name) ?? this.#loadId(name);
  }

  balancePaise(name: AccountId): number {
    const id = this.idOf(name);
    return id === null ? 0 : (this.#loaded(id)?.balancePaise ?? 0);
  }

  /** Numbers the account if it is new. It is stored with its first `set`; a number that is not used is given again. */
  open(name: AccountId): HeldAccount {
    const id = this.idOf(name) ?? this.#newId(name);
    return this.#loaded(id) ?? this.#hold(id, id < 0 ? name : null);
  }

  /** As `open`, of the user with this number. */
  openWallet(user: number): HeldAccount {
    return this.#loaded(user) ?? this.#hold(user, null);
  }

  set(account: HeldAccount, balancePaise: Paise): void {
    const held = this.#held.get(account.id)!;
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
    this.#ids.clear();
    this.#nextId = null;
  }

  #loaded(id: number): Held | null {
    const held = this.#held.get(id);
    if (held) return held;
    const row = this.#find.get(id);
    if (!row) return null;
    const loaded = { id, name: row.name, balancePaise: row.balance_paise, isStored: true };
    this.#held.set(id, loaded);
    return loaded;
  }

  #hold(id: number, name: AccountId | null): Held {
    const opened = { id, name, balancePaise: 0 as Paise, isStored: false };
    this.#held.set(id, opened);
    return opened;
  }

  #loadId(name: AccountId): number | null {
    const row = this.#idByName.get(name);
    if (row) this.#ids.set(name, row.account_id);
    return row?.account_id ?? null;
  }

  #newId(name: AccountId): number {
    this.#nextId ??= this.#newestId.get()!.newest - 1;
    this.#ids.set(name, this.#nextId);
    return this.#nextId--;
  }
}
