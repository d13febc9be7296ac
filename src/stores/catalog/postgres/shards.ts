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
    const [first, ...others] = this.all;
    // Several nodes may start at once: they hand out the same buckets. The first database's come last and say that all are out.
    if ((await bucketsIn(first!)).length === 0) {
      for (const [index, database] of others.entries()) await handOut(database, expected[index + 1]!);
      await handOut(first!, expected[0]!);
    }
    for (const [shard, database] of this.all.entries()) {
      const found = await bucketsIn(database);
      const missing = expected[shard]!.filter((bucket) => !found.includes(bucket)).length;
      const foreign = found.length - (expected[shard]!.length - missing);
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

export async function bucketsIn(database: Database): Promise<number[]> {
  return (await database.rows<{ bucket: number }>("SELECT bucket FROM user_buckets")).map(({ bucket }) => bucket);
}

async function handOut(database: Database, buckets: readonly number[]): Promise<void> {
  await database.rows(
    `INSERT INTO user_buckets SELECT bucket FROM unnest($1::integer[]) bucket WHERE NOT EXISTS (SELECT FROM user_buckets)
     ON CONFLICT DO NOTHING`,
    [numberArray(buckets)],
  );
}
