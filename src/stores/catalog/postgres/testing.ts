import { SQL } from "bun";
import { contestId, entryId, matchId, teamNo, userId } from "../../../domain/ids.ts";
import { paise } from "../../../domain/money.ts";
import type { OpenStore } from "../../contract.ts";
import type { Catalog, JoinRequest } from "../port.ts";
import { openPostgresCatalog, type PostgresCatalog, type PostgresCatalogOptions } from "../postgres.ts";
import { withDatabase } from "./address.ts";

export const TEST_LIMITS = {
  calls: { connectionsMax: 2, connectTimeoutMs: 5_000, callTimeoutMs: 20_000, pendingMax: 100_000 },
  joins: { lanes: 2, groupsMax: 2, callsPerGroupMax: 1_000, waitingMax: 100_000 },
} as const;

/** The test server's URL, or null with one line that says what is missing. */
export async function testServer(): Promise<string | null> {
  const url = process.env["TEST_POSTGRES_URL"];
  if (!url) return missing("TEST_POSTGRES_URL is not set");
  try {
    await query(url, "SELECT 1");
    return url;
  } catch (error) {
    return missing(`TEST_POSTGRES_URL does not answer (${String(error)})`);
  }
}

function missing(reason: string): null {
  console.log(`catalog: postgres skipped: ${reason}`);
  return null;
}

/** By another client than the engine's, on a connection of its own. */
export async function query<Row = unknown>(url: string, statement: string): Promise<Row[]> {
  const sql = new SQL(url, { max: 1 });
  try {
    return [...((await sql.unsafe(statement)) as Row[])];
  } finally {
    await sql.close();
  }
}

export interface TestDatabases {
  readonly urls: readonly string[];
  empty(): Promise<void>;
  drop(): Promise<void>;
}

export async function createDatabases(server: string, count: number): Promise<TestDatabases> {
  const names = Array.from({ length: count }, () => `powerplay_test_${crypto.randomUUID().replaceAll("-", "")}`);
  for (const name of names) await query(server, `CREATE DATABASE ${name}`);
  const urls = names.map((name) => withDatabase(server, name));
  return {
    urls,
    async empty() {
      for (const url of urls) await query(url, "DROP SCHEMA public CASCADE; CREATE SCHEMA public");
    },
    async drop() {
      for (const name of names) await query(server, `DROP DATABASE ${name} WITH (FORCE)`);
    },
  };
}

export const openTestCatalog = (url: string, changes: Partial<PostgresCatalogOptions> = {}): Promise<PostgresCatalog> =>
  openPostgresCatalog({ url, userUrls: [], replicaUrls: [], ...TEST_LIMITS, ...changes });

/** For the contract suite: users in so many databases beside the catalog's; 0: in that one. Reused, and emptied for each test. */
export function inTestDatabases(
  server: string,
  shardCount: number,
): { open: OpenStore<Catalog>; drop(): Promise<void> } {
  const all: TestDatabases[] = [];
  const free: TestDatabases[] = [];
  return {
    async open() {
      let databases = free.pop();
      if (databases) await databases.empty();
      else all.push((databases = await createDatabases(server, 1 + shardCount)));
      const used = databases;
      const [url, ...userUrls] = used.urls;
      let store: Catalog = await openTestCatalog(url!, { userUrls });
      return {
        store,
        async reopen() {
          await store.close();
          return (store = await openTestCatalog(url!, { userUrls }));
        },
        async dispose() {
          await store.close();
          free.push(used);
        },
      };
    },
    async drop() {
      for (const databases of all) await databases.drop();
    },
  };
}

export const NOW_MS = 1_780_000_000_000;

/** A contest of a new match. */
export async function openContest(catalog: Catalog, entriesMax: number, entriesPerUserMax = 3) {
  const match = await catalog.createMatch({
    name: "Chennai v Mumbai",
    sides: ["Chennai", "Mumbai"],
    format: "T20",
    startMs: NOW_MS,
    scoringRules: "t20-2026",
    rosterRules: "modern",
  });
  return catalog.createContest({
    matchId: match.id,
    kind: "mega",
    name: "Mega",
    entryFeePaise: paise(4_900),
    entriesMax,
    entriesPerUserMax,
    prizePoolPaise: paise(0),
    prizes: [],
    guaranteed: true,
    inviteCode: null,
  });
}

export const requestOf = (
  contest: { readonly id: number; readonly matchId: number },
  user: number,
  team = 1,
  key = `${contest.id}:${team}`,
): JoinRequest => ({
  idempotencyKey: key,
  userId: userId(user),
  matchId: matchId(contest.matchId),
  contestId: contestId(contest.id),
  entryId: entryId(userId(user), teamNo(team)),
  feePaise: paise(4_900),
  receivedAtMs: NOW_MS,
});
