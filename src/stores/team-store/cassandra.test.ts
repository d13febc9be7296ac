import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "cassandra-driver";
import { contestId, entryId, matchId, teamNo, userId } from "../../domain/ids.ts";
import { missingService, type Service, startService } from "../../testing/services.ts";
import { bytesOf } from "../contract.ts";
import { StoreUnavailable } from "../unavailable.ts";
import { parseCassandraUrl } from "./cassandra/address.ts";
import { type CassandraTeamStoreOptions, openCassandraTeamStore } from "./cassandra.ts";
import { teamStoreContract } from "./contract.ts";
import type { TeamVersion } from "./port.ts";

const limits = {
  timeoutMs: 20_000,
  connectTimeoutMs: 20_000,
  requestsMax: 32,
  waitingMax: 100_000,
  batchRowsMax: 512,
  reconnectMsMax: 200,
};
const openStore = (url: string, over: Partial<CassandraTeamStoreOptions> = {}) =>
  openCassandraTeamStore({ url, ...limits, ...over });

const shared = process.env["TEST_CASSANDRA_URL"];
if (shared === undefined) console.log("team store: cassandra skipped, TEST_CASSANDRA_URL is not set (make services)");

const newKeyspace = () => `test_${crypto.randomUUID().replaceAll("-", "")}`;
const inKeyspace = (url: string, keyspace: string, query = "replication=1") => {
  const { origin } = new URL(url.replace("cassandra:", "http:"));
  return `${origin.replace("http:", "cassandra:")}/${keyspace}?${query}`;
};

const match = matchId(1);
const versionOf = (user: number, version: number): TeamVersion => ({
  matchId: match,
  entryId: entryId(userId(user), teamNo(1)),
  version,
  savedAtMs: version * 10,
  roster: Uint8Array.from({ length: 11 }, (_, slot) => (slot + version) % 64),
});

async function withClient<T>(url: string, act: (client: Client) => Promise<T>): Promise<T> {
  const { contactPoints, dataCentre, port } = parseCassandraUrl(url);
  const client = new Client({
    contactPoints: [...contactPoints],
    localDataCenter: dataCentre,
    protocolOptions: { port },
    socketOptions: { readTimeout: 60_000 },
  });
  try {
    await client.connect();
    return await act(client);
  } finally {
    await client.shutdown();
  }
}

const dropKeyspace = (url: string, keyspace: string) =>
  withClient(url, (client) => client.execute(`DROP KEYSPACE IF EXISTS ${keyspace}`));

/** Asks again until it is so; the test's own time is the limit. */
async function until(isSo: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await isSo())) await Bun.sleep(20);
}

const outcome = (call: Promise<unknown>): Promise<"done" | StoreUnavailable> =>
  call.then(
    () => "done" as const,
    (error) => {
      if (!(error instanceof StoreUnavailable)) throw error;
      return error;
    },
  );

describe.skipIf(shared === undefined)("team store: cassandra", () => {
  // Making tables costs a second; the tests of the contract share a keyspace and empty it.
  const keyspace = newKeyspace();
  const url = shared === undefined ? "" : inKeyspace(shared, keyspace);
  const emptied = async () => {
    await withClient(url, async (client) => {
      for (const table of ["team_versions", "team_positions", "points", "samples", "totals", "totals_marks"])
        await client.execute(`TRUNCATE ${keyspace}.${table}`);
    });
  };
  afterAll(() => dropKeyspace(url, keyspace));

  teamStoreContract(async () => {
    let store = await openStore(url);
    return {
      store,
      async reopen() {
        await store.close();
        return (store = await openStore(url));
      },
      async dispose() {
        await store.close();
        await emptied();
      },
    };
  });

  test("nodes that start at once on nothing make one schema, whose tables have one identity for all", async () => {
    const fresh = newKeyspace();
    const there = inKeyspace(url, fresh);
    const stores = await Promise.all(Array.from({ length: 6 }, () => openStore(there)));
    await Promise.all(stores.map((store, index) => store.appendTeams(index, [versionOf(index + 1, 1)], 2)));
    for (let index = 0; index < stores.length; index++) {
      expect(await stores[0]!.teams(match, userId(index + 1))).toEqual([versionOf(index + 1, 1)]);
      expect(await stores[1]!.teamsPosition(index)).toBe(2);
    }
    await Promise.all(stores.map((store) => store.close()));
    const identities = () =>
      withClient(there, async (client) => {
        const found = await client.execute("SELECT table_name, id FROM system_schema.tables WHERE keyspace_name = ?", [
          fresh,
        ]);
        return found.rows.map((row) => `${row["table_name"]} ${row["id"]}`).toSorted();
      });
    const made = await identities();
    expect(made).toHaveLength(6);
    await dropKeyspace(there, fresh);
    await (await openStore(there)).close();
    expect(await identities()).toEqual(made);
    await dropKeyspace(there, fresh);
  });

  test("32 K saves of a match in one call, and again, lie in partitions of at most a 200th", async () => {
    const store = await openStore(url);
    const rows = Array.from({ length: 32_768 }, (_, index) => versionOf(1 + ((index * 7_919) % 1_000_003), index + 1));
    await store.appendTeams(0, rows, rows.length + 1);
    await store.appendTeams(0, rows, rows.length + 1);
    for (const row of rows.filter((_, index) => index % 4_096 === 7))
      expect(await store.versions(match, row.entryId)).toEqual([row]);
    const counts = await withClient(url, async (client) => {
      const counted = await client.execute(`SELECT count(*) FROM ${keyspace}.team_versions GROUP BY match_id, bucket`);
      return counted.rows.map((row) => Number(row["count"]));
    });
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(rows.length);
    expect(Math.max(...counts)).toBeLessThan(rows.length / 200);
    await store.close();
    await emptied();
  });

  test("a position is not stored when one of its rows is not", async () => {
    const store = await openStore(url);
    const unstorable = { ...versionOf(2, 2), matchId: (2 ** 31) as TeamVersion["matchId"] };
    await expect(store.appendTeams(5, [versionOf(1, 1), unstorable], 3)).rejects.toThrow();
    await store.appendTeams(5, [versionOf(1, 1), unstorable], 3).catch(() => undefined);
    expect(await store.teamsPosition(5)).toBe(0);
    await store.appendTeams(5, [versionOf(1, 1), versionOf(2, 2)], 3);
    expect(await store.teamsPosition(5)).toBe(3);
    await store.close();
    await emptied();
  });

  test("totals of 20 K entries, put again with other prizes, are read in the order of the question", async () => {
    const store = await openStore(url);
    const contest = contestId(9);
    const rows = (prizePaise: number) =>
      Array.from({ length: 20_000 }, (_, index) => ({
        entryId: entryId(userId(index + 1), teamNo(1)),
        scoreQp: index - 10,
        rank: index + 1,
        prizePaise,
      }));
    await store.putTotals(contest, rows(0));
    await store.putTotals(contest, rows(2 ** 40));
    const asked = rows(2 ** 40)
      .filter((_, index) => index % 13 === 0)
      .toReversed();
    expect(
      await store.totals(
        contest,
        asked.map((row) => row.entryId),
      ),
    ).toEqual(asked);
    await store.close();
    await emptied();
  });

  test("callers beyond what may wait hear so at once, the others are served", async () => {
    const store = await openStore(url, { requestsMax: 1, waitingMax: 5 });
    const answers = await Promise.all(Array.from({ length: 20 }, () => outcome(store.teamsPosition(1))));
    expect(answers.filter((answer) => answer === "done")).toHaveLength(6);
    expect(answers.filter((answer) => answer !== "done" && answer.reason === "5 requests are waiting")).toHaveLength(
      14,
    );
    await store.close();
    await expect(store.teamsPosition(1)).rejects.toThrow(/closed/);
  });

  test("what is wrong with the address is said at start, with the remedy", async () => {
    const failure = async (wrong: string) =>
      String(await openStore(wrong, { connectTimeoutMs: 3_000 }).catch((error: unknown) => error));
    expect(await failure("cassandra://127.0.0.1:1/powerplay")).toMatch(
      /TeamStore.*cassandra:\/\/127\.0\.0\.1:1\/powerplay.*ECONNREFUSED.*TEAM_STORE_URL.*start the server/s,
    );
    expect(await failure(inKeyspace(url, keyspace, "dc=nowhere"))).toMatch(
      /TeamStore.*nowhere.*datacenter1.*TEAM_STORE_URL/s,
    );
    expect(await failure(inKeyspace(url, newKeyspace(), "replication=3"))).toMatch(
      /3 copies.*has 1 node;.*replication=1 in TEAM_STORE_URL/,
    );
  });
});

const missing = missingService("cassandra");
if (missing !== null) console.log(`team store: cassandra of its own skipped, ${missing}`);

describe.skipIf(shared === undefined || missing !== null)("team store: cassandra, lost and found", () => {
  let directory: string;
  let server: Service;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "powerplay-cassandra-"));
    server = await startService("cassandra", { directory: join(directory, "0") });
  }, 180_000);
  afterAll(async () => {
    await server.remove();
    await rm(directory, { recursive: true, force: true });
  }, 60_000);

  test("killed in the middle of load: calls fail clearly, a consumer that repeats loses nothing", async () => {
    const url = inKeyspace(server.url, "lost");
    const store = await openStore(url, { timeoutMs: 5_000 });
    const total = 60_000;
    const chunk = 1_000;
    const rowAt = (offset: number) => versionOf(1 + (offset % 5_003), offset + 1);
    const seen = { failures: 0, acknowledged: 0 };
    // As the materialiser does: from the stored position, batch by batch, the same again after a failure.
    const consume = async () => {
      let position: number | null = null;
      while (position === null || position < total) {
        try {
          position ??= await store.teamsPosition(3);
          if (position === total) break;
          const rows = Array.from({ length: chunk }, (_, index) => rowAt(position! + index));
          await store.appendTeams(3, rows, position + chunk);
          position += chunk;
          seen.acknowledged = position;
        } catch (error) {
          if (!(error instanceof StoreUnavailable)) throw error;
          seen.failures++;
          position = null;
          await Bun.sleep(20);
        }
      }
    };
    const consuming = consume();
    await until(() => seen.acknowledged >= total / 4);
    await server.kill();
    const acknowledged = seen.acknowledged;
    await until(() => seen.failures > 0);
    const gone = await outcome(store.appendPoints({ matchId: match, version: 1, atMs: 1, payload: bytesOf("p") }));
    expect(gone).toBeInstanceOf(StoreUnavailable);

    await server.start();
    const again = await openStore(url);
    expect(await again.teamsPosition(3)).toBeGreaterThanOrEqual(acknowledged);
    await consuming;
    expect(await again.teamsPosition(3)).toBe(total);
    // The position is not ahead of any row: all are there, once.
    const versions = await Promise.all(
      Array.from({ length: 5_003 }, (_, index) => again.versions(match, entryId(userId(index + 1), teamNo(1)))),
    );
    expect(versions.reduce((sum, { length }) => sum + length, 0)).toBe(total);
    expect(versions[6]).toEqual(
      Array.from({ length: Math.ceil((total - 6) / 5_003) }, (_, turn) => rowAt(6 + turn * 5_003)),
    );
    await again.close();
    await store.close();
  }, 240_000);

  test("silent: a call fails after its time, and the next ones succeed when it speaks again", async () => {
    const store = await openStore(inKeyspace(server.url, "silent"), { timeoutMs: 300 });
    server.pause();
    expect(await outcome(store.appendTeams(0, [versionOf(1, 1)], 1))).toBeInstanceOf(StoreUnavailable);
    server.resume();
    await until(async () => (await outcome(store.appendTeams(0, [versionOf(1, 1)], 1))) === "done");
    expect(await store.teams(match, userId(1))).toEqual([versionOf(1, 1)]);
    await store.close();
  }, 120_000);
});
