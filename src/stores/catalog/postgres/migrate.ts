import CATALOG_1 from "../../../../schemas/postgres/0001-catalog.sql" with { type: "text" };
import CATALOG_2 from "../../../../schemas/postgres/0002-spools.sql" with { type: "text" };
import USERS_1 from "../../../../schemas/postgres/0001-users.sql" with { type: "text" };
import type { Database } from "./database.ts";

/** What a database can hold; the one of CATALOG_URL holds both while no others are named for users. */
export type SchemaName = "catalog" | "users";

/** Never changed once released: what comes next is a new file at the end. */
const MIGRATIONS: Readonly<Record<SchemaName, readonly string[]>> = {
  catalog: [CATALOG_1, CATALOG_2],
  users: [USERS_1],
};

/** Any number, as long as it is nobody else's in the database. */
const MIGRATION_LOCK = 7_093_120_001;

/** One transaction under a lock of the database: of nodes that start at once, one migrates and the others wait, then find it done. */
export async function migrate(database: Database, name: SchemaName, migrations = MIGRATIONS[name]): Promise<void> {
  await database.transaction(async (run) => {
    await run("SELECT pg_advisory_xact_lock($1::bigint)", [MIGRATION_LOCK]);
    await run("CREATE TABLE IF NOT EXISTS powerplay_schemas (name text PRIMARY KEY, version integer NOT NULL)");
    const [row] = await run<{ version: number }>("SELECT version FROM powerplay_schemas WHERE name = $1", [name]);
    const version = row?.version ?? 0;
    if (version > migrations.length) {
      throw new Error(
        `its ${name} schema has version ${version} and this binary knows ${migrations.length}: start the newer binary that wrote it`,
      );
    }
    for (const migration of migrations.slice(version)) await run(migration);
    await run(
      "INSERT INTO powerplay_schemas VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET version = excluded.version",
      [name, migrations.length],
    );
  });
}
