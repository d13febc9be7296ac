import { assert } from "../domain/assert.ts";
import type { Catalog, User, UserRole } from "../stores/catalog/port.ts";

const MOODS = ["Brave", "Bright", "Clever", "Daring", "Fearless", "Golden", "Lucky", "Mighty", "Silent", "Swift"];
const NOUNS = ["Beamer", "Bouncer", "Doosra", "Falcon", "Googly", "Inswinger", "Keeper", "Opener", "Slogger", "Yorker"];
const NUMBERS = 10_000;
const ATTEMPTS_MAX = 100;

const pick = <T>(items: readonly T[]): T => items[Math.floor(Math.random() * items.length)]!;

/** A user for trying out: a name nobody else has, and no password. */
export async function openGuest(catalog: Catalog, role: UserRole, createdAtMs: number): Promise<User> {
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    const name = `${pick(MOODS)}${pick(NOUNS)}-${Math.floor(Math.random() * NUMBERS)}`;
    const created = await catalog.createUser({ name, role, passwordHash: null, createdAtMs });
    if (created.ok) return created.user;
  }
  assert(false, `no free name for a guest in ${ATTEMPTS_MAX} draws`);
}
