import { createHash } from "node:crypto";
import { type Client, errors } from "cassandra-driver";
import statements from "../../../../schemas/team-store.cql" with { type: "text" };
import type { CassandraAddress } from "./address.ts";

declare module "cassandra-driver/lib/metadata" {
  namespace metadata {
    interface Metadata {
      /** Documented by the driver and not in its types: whether the nodes that are up have one schema. */
      checkSchemaAgreement(): Promise<boolean>;
    }
  }
}

const TABLE = /^CREATE TABLE IF NOT EXISTS (\w+) \(/;
const POLL_MS = 50;

/** What can't be used as it is, however often one asks: the text says what to change. */
export class UnusableKeyspace extends Error {
  override name = "UnusableKeyspace";
}

/**
 * Makes the keyspace and what it lacks, and uses it. Safe when many nodes start at once: before Cassandra keeps its schema by consensus
 * (after 5.0), two coordinators that create one table give it two identities and lose rows of one of them; so the identity is not
 * left to chance. ScyllaDB has the consensus. What another node is making may be listed and not usable yet: then it begins again.
 */
export async function ensureSchema(client: Client, address: CassandraAddress, agreeMs: number): Promise<void> {
  const untilMs = performance.now() + agreeMs;
  for (;;) {
    try {
      await makeWhatLacks(client, address, agreeMs);
      if (await client.metadata.checkSchemaAgreement()) return;
    } catch (error) {
      if (!(error instanceof errors.ResponseError) || performance.now() > untilMs) throw error;
    }
    if (performance.now() > untilMs)
      throw new UnusableKeyspace(
        `TeamStore at ${address.shown}: its nodes do not agree about the schema; see nodetool describecluster`,
      );
    await Bun.sleep(POLL_MS);
  }
}

async function makeWhatLacks(client: Client, address: CassandraAddress, agreeMs: number): Promise<void> {
  const { keyspace, dataCentre, replication, shown } = address;
  const rowsOf = async (query: string, params: readonly string[]) => (await client.execute(query, [...params])).rows;
  // A table is made in a second, not in the time of a call.
  const change = (statement: string) => client.execute(statement, [], { prepare: false, readTimeout: agreeMs });

  const [existing] = await rowsOf("SELECT replication FROM system_schema.keyspaces WHERE keyspace_name = ?", [
    keyspace,
  ]);
  const nodes = client.hosts.values().filter(({ datacenter }) => datacenter === dataCentre).length;
  const copies = existing ? (existing["replication"] as Copies) : null;
  const fault = keyspaceFault(address, copies, nodes);
  if (fault !== null) throw new UnusableKeyspace(`TeamStore at ${shown}: ${fault}`);
  if (copies === null)
    await change(
      `CREATE KEYSPACE IF NOT EXISTS ${keyspace}
       WITH replication = {'class': 'NetworkTopologyStrategy', '${dataCentre}': ${replication}}`,
    );
  await change(`USE ${keyspace}`);

  const present = await rowsOf("SELECT table_name FROM system_schema.tables WHERE keyspace_name = ?", [keyspace]);
  const names = new Set(present.map((row) => String(row["table_name"])));
  const byConsensus =
    (
      await rowsOf("SELECT table_name FROM system_schema.tables WHERE keyspace_name = 'system' AND table_name = ?", [
        "scylla_local",
      ])
    ).length > 0;
  for (const statement of statementsOf(statements)) {
    const table = TABLE.exec(statement)![1]!;
    if (names.has(table)) continue;
    await change(byConsensus ? statement : `${statement} AND id = ${identityOf(keyspace, table)}`);
  }
}

/** What the server says of a keyspace: the strategy's class, and copies by data centre. */
export type Copies = Readonly<Record<string, string>>;

/** Why a quorum of the data centre can't be had, and the remedy. `copies` null: the keyspace is to be made. */
export function keyspaceFault(
  { keyspace, dataCentre, replication }: Pick<CassandraAddress, "keyspace" | "dataCentre" | "replication">,
  copies: Copies | null,
  nodes: number,
): string | null {
  if (copies !== null)
    return copies["class"]!.endsWith("NetworkTopologyStrategy") && copies[dataCentre] === undefined
      ? `keyspace ${keyspace} has no copies in data centre ${dataCentre} (${JSON.stringify(copies)}); ` +
          `correct ?dc= in TEAM_STORE_URL, or ALTER KEYSPACE ${keyspace}`
      : null;
  return nodes < replication
    ? `keyspace ${keyspace} is to have ${replication} copies, and the data centre has ${nodes} node${nodes === 1 ? "" : "s"}; ` +
        `start more of them, or set ?replication=${nodes} in TEAM_STORE_URL`
    : null;
}

function statementsOf(text: string): readonly string[] {
  const code = text.replace(/^--.*$/gm, "");
  return code
    .split(/;\s*$/m)
    .map((statement) => statement.trim())
    .filter((statement) => statement !== "");
}

/** The same on every node: a UUID of version 5. */
function identityOf(keyspace: string, table: string): string {
  const bytes = createHash("sha1").update(`powerplay.${keyspace}.${table}`).digest().subarray(0, 16);
  bytes[6] = (bytes[6]! & 0x0f) | 0x50;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
