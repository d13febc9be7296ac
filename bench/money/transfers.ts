import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { limits } from "../../src/config.ts";
import { gatewayAccount, userAccount } from "../../src/domain/account.ts";
import { assert } from "../../src/domain/assert.ts";
import { userId } from "../../src/domain/ids.ts";
import { paise } from "../../src/domain/money.ts";
import { openEmbeddedLedger } from "../../src/stores/ledger/embedded.ts";
import type { PostgresCluster } from "./postgres-cluster.ts";
import { loadSchema } from "./postgres-joins.ts";
import { drive, type Measured } from "./workload.ts";

const USERS = 10_000;
const AMOUNT_PAISE = 100;
const userOf = (index: number): number => 1 + ((index * 7_919) % USERS);

/** One call a transfer, from the gateway to a wallet. */
export async function powerplayTransfers(count: number, callers: number): Promise<Measured> {
  const directory = await mkdtemp(join(tmpdir(), "powerplay-money-"));
  const ledger = await openEmbeddedLedger({
    file: join(directory, "ledger.sqlite"),
    pendingMax: limits.storePendingMax,
  });
  const measured = await drive(count, callers, async (index) => {
    const [result] = await ledger.transfer([
      {
        txnId: `deposit:${index}`,
        debit: gatewayAccount,
        credit: userAccount(userId(userOf(index))),
        amountPaise: paise(AMOUNT_PAISE),
        kind: "deposit",
        ref: "bench",
        atMs: 1,
      },
    ]);
    assert(result!.ok, `transfer ${index} happens`);
  });
  const audit = await ledger.audit();
  const [gateway] = await ledger.balances([gatewayAccount]);
  assert(audit.transferCount === count && audit.differences.length === 0, "all transfers are there");
  assert(gateway === -AMOUNT_PAISE * count, "the gateway owes what the wallets hold");
  await ledger.close();
  await rm(directory, { recursive: true });
  return measured;
}

/** One transaction a transfer; the gateway's row is striped, or every transfer would wait for every other. */
export async function postgresTransfers(
  cluster: PostgresCluster,
  connections: number,
  count: number,
  callers: number,
): Promise<Measured> {
  const sql = cluster.connect(connections);
  await loadSchema(sql);
  await sql`INSERT INTO accounts SELECT 'user:' || id, 0 FROM generate_series(1, ${USERS}) id`;
  await sql`INSERT INTO accounts SELECT 'gateway:' || stripe, 0 FROM generate_series(0, 63) stripe`;
  await sql.unsafe("VACUUM ANALYZE").simple();
  await Promise.all(Array.from({ length: connections }, () => sql`SELECT pg_sleep(0.05)`));
  const measured = await drive(count, callers, async (index) => {
    const [row] =
      await sql`SELECT transfer(${`deposit:${index}`}, ${`gateway:${index % 64}`}, ${`user:${userOf(index)}`},
      ${AMOUNT_PAISE}, 'deposit', 'bench', 1) AS answer`;
    assert(row.answer === "ok", `transfer ${index} happens`);
  });
  const [left] = await sql`SELECT (SELECT count(*) FROM transfers)::int AS count,
    (SELECT sum(balance_paise) FROM accounts WHERE account LIKE 'user:%')::float8 AS paise`;
  assert(left.count === count && left.paise === AMOUNT_PAISE * count, "all transfers are there");
  await sql.close();
  return measured;
}
