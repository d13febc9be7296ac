import { StoreUnavailable } from "../unavailable.ts";
import type { Catalog } from "./port.ts";
import { parsePostgresUrl } from "./postgres/address.ts";
import { contestCatalog } from "./postgres/contests.ts";
import { Database, type DatabaseLimits } from "./postgres/database.ts";
import { joinCatalog, type JoinLimits } from "./postgres/joins.ts";
import { matchCatalog } from "./postgres/matches.ts";
import { migrate } from "./postgres/migrate.ts";
import { paymentCatalog } from "./postgres/payments.ts";
import { browsing, type Browsing } from "./postgres/replicas.ts";
import { Shards } from "./postgres/shards.ts";
import { userCatalog } from "./postgres/users.ts";

export interface PostgresCatalogOptions {
  /** CATALOG_URL: matches, contests, joins; users too, where `userUrls` is empty. */
  readonly url: string;
  /** CATALOG_USER_URLS: users and payments by consistent hash. The order is part of what is stored; new ones go to the end. */
  readonly userUrls: readonly string[];
  /** CATALOG_REPLICA_URLS: streaming replicas of `url`. */
  readonly replicaUrls: readonly string[];
  readonly calls: DatabaseLimits;
  readonly joins: JoinLimits;
}

export interface PostgresCatalog extends Catalog {
  /** What may be answered by a replica, a moment old. */
  readonly browsing: Browsing;
}

/**
 * The catalog in Postgres 15 or later. Any number of nodes may open the same databases. Rejects with what to do where one can't
 * be reached, is not what the lists say, or is newer than this binary.
 */
export async function openPostgresCatalog(options: PostgresCatalogOptions): Promise<PostgresCatalog> {
  const { calls: limits, joins: joinLimits } = options;
  const opened: Database[] = [];
  const open = async (variable: string, url: string, changes: Partial<DatabaseLimits> = {}) =>
    explained(variable, url, async () => {
      const database = new Database(url, { ...limits, ...changes });
      opened.push(database);
      return database;
    });
  const close = async () => {
    await Promise.all(opened.map((database) => database.close()));
  };
  try {
    const main = await open("CATALOG_URL", options.url);
    await explained("CATALOG_URL", options.url, () => prepare(main, "catalog"));
    // Connections of their own, one a group that may be under way: no page or list is ever in a group's way.
    const groups = await open("CATALOG_URL", options.url, { connectionsMax: joinLimits.lanes * joinLimits.groupsMax });
    const userUrls = options.userUrls.length > 0 ? options.userUrls : [options.url];
    const variable = options.userUrls.length > 0 ? "CATALOG_USER_URLS" : "CATALOG_URL";
    const userDatabases: Database[] = [];
    for (const url of userUrls) {
      const database = url === options.url ? main : await open(variable, url);
      await explained(variable, url, () => prepare(database, "users"));
      userDatabases.push(database);
    }
    const shards = new Shards(userDatabases);
    await explained(variable, userUrls[0]!, () => shards.claim());
    // A replica is looked for when it is asked, not now: that it is down must not keep a node from starting.
    const replicas: Database[] = [];
    for (const url of options.replicaUrls) replicas.push(await open("CATALOG_REPLICA_URLS", url));
    return {
      ...userCatalog(shards),
      ...matchCatalog(main),
      ...contestCatalog(main),
      ...joinCatalog(groups, main, joinLimits),
      ...paymentCatalog(shards),
      browsing: browsing(main, replicas),
      identity: async () => (await main.row<{ identity: string }>("SELECT identity FROM identity"))!.identity,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function prepare(database: Database, schema: "catalog" | "users"): Promise<void> {
  await migrate(database, schema);
  const row = await database.row<{ synchronous_commit: string }>("SHOW synchronous_commit");
  if (row!.synchronous_commit === "off") {
    throw new Error("it acknowledges commits that a crash loses: set synchronous_commit = on for this database");
  }
}

const REMEDIES: Readonly<Record<string, string>> = {
  "28": "check the user and the password in the URL, and the server's pg_hba.conf",
  "3D": "create the database (createdb), or correct its name in the URL",
  "42": "let the user of the URL create tables in the database (ALTER DATABASE … OWNER TO …)",
};

function remedyOf(error: Error & { code?: string }): string | undefined {
  if (/certificate|altname/i.test(error.message)) {
    return "let sslrootcert name the file of the authority that signed the server's certificate, which must be for this name";
  }
  if (/no encryption/i.test(error.message)) return "add ?sslmode=verify-full to the URL, for the server wants TLS";
  if (error instanceof StoreUnavailable) {
    return "check that the server runs and listens there (pg_isready), and that this machine may reach it";
  }
  return REMEDIES[error.code?.slice(0, 2) ?? ""];
}

/** Errors at a start name the variable, the address and what to check. */
async function explained<Result>(variable: string, url: string, work: () => Promise<Result>): Promise<Result> {
  let name = "";
  try {
    ({ name } = parsePostgresUrl(url));
    return await work();
  } catch (error) {
    const { message } = error as Error;
    if (name === "") throw new Error(`${variable} (Catalog): ${message}`, { cause: error });
    const remedy = remedyOf(error as Error & { code?: string });
    const reason = message.replace(`Catalog is unavailable: Postgres at ${name}: `, "");
    throw new StoreUnavailable("Catalog", `${variable} at ${name}: ${reason}${remedy ? `; ${remedy}` : ""}`, {
      cause: error,
    });
  }
}
