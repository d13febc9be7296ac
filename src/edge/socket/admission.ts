import type { UserId } from "../../domain/ids.ts";

export interface AdmissionLimits {
  readonly perAddressMax: number;
  readonly perUserMax: number;
  readonly socketsMax: number;
}

/** Counts open sockets by address and by user. */
export class Admission {
  readonly #byAddress = new Map<string, number>();
  readonly #byUser = new Map<UserId, number>();
  #count = 0;

  constructor(private readonly limits: AdmissionLimits) {}

  get count(): number {
    return this.#count;
  }

  enter(address: string): boolean {
    if (this.#count >= this.limits.socketsMax || !add(this.#byAddress, address, this.limits.perAddressMax))
      return false;
    this.#count++;
    return true;
  }

  leave(address: string): void {
    this.#count--;
    remove(this.#byAddress, address);
  }

  /** Called once more by the same socket with another user only after `signOut`. */
  signIn(user: UserId): boolean {
    return add(this.#byUser, user, this.limits.perUserMax);
  }

  signOut(user: UserId): void {
    remove(this.#byUser, user);
  }
}

function add<Key>(counts: Map<Key, number>, key: Key, max: number): boolean {
  const count = counts.get(key) ?? 0;
  if (count >= max) return false;
  counts.set(key, count + 1);
  return true;
}

function remove<Key>(counts: Map<Key, number>, key: Key): void {
  const count = counts.get(key)!;
  if (count === 1) counts.delete(key);
  else counts.set(key, count - 1);
}
