import { SQL } from "bun";
import { assert } from "../../src/domain/assert.ts";
import { contestId, entryId, matchId, teamNo, userId } from "../../src/domain/ids.ts";
import { createDatabases } from "../../src/stores/catalog/postgres/testing.ts";
import { escrowStripeCount } from "../../src/transaction/escrow.ts";
import { loadSchema } from "../money/postgres-joins.ts";
import type { Contender } from "./contender.ts";
import { type Servers, serverParts } from "./servers.ts";
import { contestSizes, FEE, tokens, WALLET } from "./workload.ts";

const CONNECTIONS = 64;
const TEAMS = `CREATE TABLE teams (
  match_id bigint NOT NULL,
  entry_id bigint NOT NULL,
  saved_at_ms bigint NOT NULL,
  roster bytea NOT NULL,
  PRIMARY KEY (match_id, entry_id)
)`;

/** One Postgres behind one HTTP server: a save is an upsert, a join one transaction in one round trip. */
export const openNaive = (servers: Servers): Contender => ({
  name: `one Postgres, ${CONNECTIONS} connections`,
  nodeCount: 1,
  async open(plan) {
    const database = await createDatabases(servers.postgres.service.url, 1);
    const [url] = database.urls;
    const sql = new SQL(url!, { max: 4 });
    await loadSchema(sql);
    await sql.unsafe(TEAMS).simple();
    const sizes = contestSizes(plan);
    for (const [index, entriesMax] of sizes.entries()) {
      const [id, stripes] = [index + 1, escrowStripeCount({ entriesMax })];
      await sql`INSERT INTO contests VALUES (${id}, 'open', ${Date.now() + 86_400_000}, ${FEE}, ${entriesMax}, 1, ${stripes}, 0)`;
      await sql`INSERT INTO accounts SELECT 'escrow:' || ${id}::int || ':' || stripe, 0 FROM generate_series(0, ${stripes - 1}) stripe`;
    }
    await sql`INSERT INTO accounts SELECT 'user:' || id, ${WALLET} FROM generate_series(1, ${plan.userCount}) id`;
    await sql.unsafe("VACUUM ANALYZE").simple();
    await sql.unsafe("CHECKPOINT").simple();
    const users = await Promise.all(
      Array.from({ length: plan.userCount }, async (_, index) => {
        const id = userId(index + 1);
        return { id, token: (await tokens.issue({ id, role: "user" })).accessToken };
      }),
    );
    const script = new URL("naive-server.ts", import.meta.url).pathname;
    const server = Bun.spawn([process.execPath, script, url!, String(CONNECTIONS)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const said = await server.stdout.getReader().read();
    const match = matchId(1);
    return {
      urls: [new TextDecoder().decode(said.value).trim()],
      stage: {
        matchId: match,
        contestIds: sizes.map((_, index) => contestId(index + 1)),
        users,
      },
      parts: { nodes: { pids: [server.pid], syncs: null }, ...serverParts(servers, ["postgres"]) },
      caughtUp: async () => undefined,
      async check(saves, joins) {
        const kept = await sql`SELECT entry_id::float8 AS entry, roster FROM teams WHERE match_id = ${match}`;
        const rosters = new Map<number, Uint8Array>(
          [...kept].map(({ entry, roster }) => [Number(entry), new Uint8Array(roster)]),
        );
        for (const save of saves) {
          const found = rosters.get(entryId(save.userId, teamNo(save.teamNo)));
          assert(found !== undefined && Bun.deepEquals(found, save.roster), "an acknowledged save is stored");
        }
        const entries = await sql`SELECT contest_id::int AS contest, user_id::int AS "user" FROM entries`;
        const entered = new Set([...entries].map(({ contest, user }) => `${contest} ${user}`));
        assert(entered.size === joins.length, "there are as many entries as joins");
        for (const join of joins)
          assert(entered.has(`${join.contestId} ${join.userId}`), "an acknowledged join is kept");
        const [money] = await sql`SELECT
          (SELECT coalesce(sum(balance_paise), 0) FROM accounts WHERE account LIKE 'escrow:%')::float8 AS escrow,
          (SELECT sum(balance_paise) FROM accounts WHERE account LIKE 'user:%')::float8 AS wallets`;
        assert(money.escrow === joins.length * FEE, "the escrow holds the fees");
        assert(money.wallets === plan.userCount * WALLET - joins.length * FEE, "each fee was taken from a wallet");
      },
      async close() {
        server.kill();
        await server.exited;
        await sql.close();
        await database.drop();
      },
    };
  },
});
