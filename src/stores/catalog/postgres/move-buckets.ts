/**
 * Moves users and payments to the databases where CATALOG_USER_URLS says they are, after one was added at its end. All nodes are
 * stopped meanwhile. A bucket is copied whole in one commit, and only then taken from where it was, so it may be run
 * again after anything that ended it; of a bucket that is in two databases the copy is the whole one.
 *
 *   CATALOG_USER_URLS=… bun src/stores/catalog/postgres/move-buckets.ts
 */
import { limits } from "../../../config.ts";
import { numberArray } from "./arrays.ts";
import { Database, type DatabaseLimits } from "./database.ts";
import { migrate } from "./migrate.ts";
import { shardOfBuckets } from "./ring.ts";
import { bucketsIn } from "./shards.ts";

/** The table that says who has a bucket last: it is what a node looks at. */
const TABLES = [
  { table: "users", bucket: "(user_id % 4096)" },
  { table: "deposits", bucket: "bucket" },
  { table: "provider_claims", bucket: "bucket" },
  { table: "withdrawals", bucket: "bucket" },
  { table: "user_buckets", bucket: "bucket" },
] as const;
const ROWS_PER_COPY = 5_000;

/** Answers how many buckets were moved. */
export async function moveBuckets(urls: readonly string[], databaseLimits: DatabaseLimits): Promise<number> {
  const databases = urls.map((url) => new Database(url, { ...databaseLimits, connectionsMax: 2 }));
  try {
    for (const database of databases) await migrate(database, "users");
    const shardOf = shardOfBuckets(databases.length);
    let moved = 0;
    for (const [shard, source] of databases.entries()) {
      const targets = Map.groupBy(
        (await bucketsIn(source)).map(({ bucket }) => bucket),
        (bucket) => shardOf[bucket]!,
      );
      for (const [target, buckets] of targets) {
        if (target === shard) continue;
        await copy(source, databases[target]!, buckets);
        await source.transaction(async (run) => {
          for (const { table, bucket } of TABLES) {
            await run(`DELETE FROM ${table} WHERE ${bucket} = ANY ($1::integer[])`, [numberArray(buckets)]);
          }
        });
        moved += buckets.length;
      }
    }
    return moved;
  } finally {
    await Promise.all(databases.map((database) => database.close()));
  }
}

async function copy(source: Database, target: Database, buckets: readonly number[]): Promise<void> {
  await target.transaction(async (write) => {
    await source.transaction(async (read) => {
      for (const { table, bucket } of TABLES) {
        await read(
          `DECLARE moving_${table} CURSOR FOR SELECT to_jsonb(t) AS row FROM ${table} t WHERE ${bucket} = ANY ($1::integer[])`,
          [numberArray(buckets)],
        );
        for (;;) {
          const rows = await read<{ row: unknown }>(`FETCH ${ROWS_PER_COPY} FROM moving_${table}`);
          if (rows.length === 0) break;
          await write(
            `INSERT INTO ${table} SELECT * FROM jsonb_populate_recordset(NULL::${table}, $1::text::jsonb) ON CONFLICT DO NOTHING`,
            [JSON.stringify(rows.map(({ row }) => row))],
          );
        }
      }
    });
  });
}

if (import.meta.main) {
  const urls = (process.env["CATALOG_USER_URLS"] ?? "").split(",").filter((url) => url !== "");
  if (urls.length === 0) throw new Error("CATALOG_USER_URLS names no databases");
  console.log(`${await moveBuckets(urls, limits.postgres.calls)} buckets moved`);
}
