import type { SQL } from "bun";
import { assert } from "../../src/domain/assert.ts";
import { contestId, entryId, teamNo, userId } from "../../src/domain/ids.ts";
import { escrowStripeCount } from "../../src/transaction/escrow.ts";
import { derivedIdempotencyKey } from "../../src/transaction/join-saga.ts";
import type { PostgresCluster } from "./postgres-cluster.ts";
import { type Contender, contestOf, FEE_PAISE, type JoinPlan, WALLET_PAISE } from "./workload.ts";

const T1 = teamNo(1);

/** Empty, with its tables and functions. */
export async function loadSchema(sql: SQL): Promise<void> {
  await sql.unsafe("DROP SCHEMA public CASCADE; CREATE SCHEMA public;").simple();
  await sql.unsafe(await Bun.file(new URL("./postgres-schema.sql", import.meta.url)).text()).simple();
}

/** One transaction a join, in one round trip, over so many connections. */
export async function openPostgresJoins(cluster: PostgresCluster, connections: number): Promise<Contender> {
  const sql: SQL = cluster.connect(connections);
  await loadSchema(sql);
  let plan: JoinPlan;
  return {
    name: `postgres, ${connections} connection${connections === 1 ? "" : "s"}`,
    async prepare(chosen) {
      plan = chosen;
      const stripes = escrowStripeCount({ entriesMax: plan.userCount });
      await sql`INSERT INTO contests SELECT id, 'open', ${Date.now() + 86_400_000}, ${FEE_PAISE}, ${plan.userCount}, 1,
        ${stripes}, 0 FROM generate_series(1, ${plan.contestCount}) id`;
      await sql`INSERT INTO accounts SELECT 'user:' || id, ${WALLET_PAISE} FROM generate_series(1, ${plan.userCount}) id`;
      await sql`INSERT INTO accounts SELECT 'escrow:' || id || ':' || stripe, 0
        FROM generate_series(1, ${plan.contestCount}) id, generate_series(0, ${stripes - 1}) stripe`;
      await sql.unsafe("VACUUM ANALYZE").simple();
      await sql.unsafe("CHECKPOINT").simple();
      // Every connection is opened, and has the statement prepared, before the clock runs.
      await Promise.all(Array.from({ length: connections }, () => sql`SELECT pg_sleep(0.05)`));
    },
    async join(user) {
      const contest = contestId(contestOf(plan, user));
      const entry = entryId(userId(user), T1);
      const key = derivedIdempotencyKey(userId(user), contest, T1);
      const [row] = await sql`SELECT join_contest(${user}, ${contest}, ${entry}, ${key}, ${Date.now()}) AS answer`;
      assert(row.answer === "ok", `user ${user} joins`);
    },
    async digest() {
      const [row] = await sql`SELECT (SELECT count(*) FROM entries)::int AS "entryCount",
        (SELECT coalesce(sum(balance_paise), 0) FROM accounts WHERE account LIKE 'escrow:%')::float8 AS "escrowPaise",
        (SELECT sum(balance_paise) FROM accounts WHERE account LIKE 'user:%')::float8 AS "walletsPaise",
        (SELECT count(*) FROM outbox)::int AS "announcedCount",
        (SELECT max(seats_taken) FROM contests)::int AS "fullestContest"`;
      return { ...row };
    },
    close: () => sql.close(),
  };
}
