import type { Catalog } from "../port.ts";
import { listContests } from "./contests.ts";
import type { Database } from "./database.ts";
import { listMatches } from "./matches.ts";

/**
 * What browsing asks, answered by replicas in turn and up to their lag old: the lists of matches and of contests that a person
 * looks at. A new one shows up a moment later, and seats taken are a moment behind, as they are anyway when the page is
 * read; whoever joins is decided by the primary. Nothing else may be stale: the same lists are also what the lock, settlement
 * and cancelling work from, and those ask the catalog itself.
 */
export type Browsing = Pick<Catalog, "matches" | "contests">;

/** A replica that is down is passed over for so long; each question then has the primary's answer at once. */
const PASS_OVER_MS = 1_000;

export function browsing(primary: Database, replicas: readonly Database[], nowMs: () => number = Date.now): Browsing {
  const backAtMs = new Map<Database, number>();
  let turn = 0;
  async function ask<Answer>(question: (database: Database) => Promise<Answer>): Promise<Answer> {
    const up = replicas.filter((replica) => (backAtMs.get(replica) ?? 0) <= nowMs());
    const replica = up[turn++ % Math.max(1, up.length)];
    if (replica === undefined) return question(primary);
    try {
      return await question(replica);
    } catch {
      // Down, or so new that it has no tables yet: either way the primary knows.
      backAtMs.set(replica, nowMs() + PASS_OVER_MS);
      return question(primary);
    }
  }
  return {
    matches: (filter) => ask((database) => listMatches(database, filter)),
    contests: (match) => ask((database) => listContests(database, match)),
  };
}
