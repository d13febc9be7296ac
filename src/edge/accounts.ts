import type { Clock } from "../domain/clock.ts";
import type { Catalog } from "../stores/catalog/port.ts";
import type { Accounts } from "./game.ts";

/** Passwords are Argon2id by Bun's defaults; hashing runs off the event loop. */
export async function catalogAccounts(catalog: Catalog, clock: Clock): Promise<Accounts> {
  // An unknown name costs the same hash as a wrong password, so that answers do not tell which names exist.
  const nobodysHash = await Bun.password.hash(crypto.randomUUID());
  return {
    user: (id) => catalog.user(id),
    register: async (name, password) => {
      const passwordHash = await Bun.password.hash(password);
      return catalog.createUser({ name, role: "user", passwordHash, createdAtMs: clock.nowMs() });
    },
    authenticate: async (name, password) => {
      const user = await catalog.userByName(name);
      const matches = await Bun.password.verify(password, user?.passwordHash ?? nobodysHash);
      return matches && user?.passwordHash ? user : null;
    },
  };
}
