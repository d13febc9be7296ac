import { numberArray } from "./arrays.ts";
import type { Database } from "./database.ts";
import { BUCKETS, shardOfBuckets } from "./ring.ts";

/** The databases of users. Which one has a bucket is written down in the databases too, and checked at each start. */
export class Shards {
  readonly all: readonly Database[];
  readonly #shardOfBucket: Uint16Array;

  constructor(databases: readonly Database[]) {
    this.all = databases;
    this.#shardOfBucket = shardOfBuckets(databases.length);
  }

  of(bucket: number): Database {
    return this.all[this.#shardOfBucket[bucket]!]!;
  }

  /**
   * Hands the buckets out when there are none yet; else checks that each is where the list says. A node with another list
   * would give a name away twice, so it does not start.
   */
  async claim(): Promise<void> {
    const expected = this.all.map((_, shard) =>
      Array.from({ length: BUCKETS }, (__, bucket) => bucket).filter((bucket) => this.#shardOfBucket[bucket] === shard),
    );
    const expectedIn = (shard: number) => new Set(expected[shard]);
    const found = await Promise.all(this.all.map(bucketsIn));
    // Nobody has a number yet, so nothing can be given twice. Several nodes may start at once: they hand out the same.
    const isNew = found.every((buckets, shard) => {
      const known = expectedIn(shard);
      return buckets.every(({ bucket, is_used }) => known.has(bucket) && !is_used);
    });
    for (const [shard, database] of this.all.entries()) {
      if (isNew) await handOut(database, expected[shard]!);
      const known = expectedIn(shard);
      const held = isNew ? known.size : found[shard]!.length;
      const own = isNew ? known.size : found[shard]!.filter(({ bucket }) => known.has(bucket)).length;
      const missing = known.size - own;
      const foreign = held - own;
      if (missing + foreign === 0) continue;
      throw new Error(
        `the database of users at ${database.name} is number ${shard + 1} of ${this.all.length} in CATALOG_USER_URLS, but ` +
          `${missing} of its ${BUCKETS} buckets are elsewhere and ${foreign} are another's. The list keeps its order for ever; ` +
          "a database is only added at its end, with all nodes stopped, and rows are then moved by " +
          "`bun src/stores/catalog/postgres/move-buckets.ts`",
      );
    }
  }
}

export const bucketsIn = (database: Database): Promise<{ bucket: number; is_used: boolean }[]> =>
  database.rows("SELECT bucket, next_number > 1 AS is_used FROM user_buckets");

async function handOut(database: Database, buckets: readonly number[]): Promise<void> {
  await database.rows(
    "INSERT INTO user_buckets SELECT bucket FROM unnest($1::integer[]) bucket ON CONFLICT DO NOTHING",
    [numberArray(buckets)],
  );
}
