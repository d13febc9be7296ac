import { LRUCache } from "lru-cache";
import type { UserId } from "../domain/ids.ts";
import { StoreUnavailable } from "../stores/unavailable.ts";

export type NamesOf = (users: readonly UserId[]) => Promise<ReadonlyMap<UserId, string>>;

/**
 * Names of users, which never change. While the catalog is away those that it has told of are there and the others are not: a
 * board is worth showing without them.
 */
export function knownNames(ask: NamesOf, namesMax: number): NamesOf {
  const known = new LRUCache<UserId, string>({ max: namesMax });
  return async (users) => {
    const names = new Map<UserId, string>();
    const unknown: UserId[] = [];
    for (const user of users) {
      const name = known.get(user);
      if (name === undefined) unknown.push(user);
      else names.set(user, name);
    }
    if (unknown.length === 0) return names;
    try {
      for (const [user, name] of await ask(unknown)) {
        known.set(user, name);
        names.set(user, name);
      }
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
    }
    return names;
  };
}
