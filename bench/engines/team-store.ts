/**
 * Durable rows a second of the TeamStore on Cassandra, beside the embedded one and beside a statement a row. All of them answer alike.
 *
 *   TEAM_STORE_URL=cassandra://host:9042/bench?replication=1 bun bench/engines/team-store.ts
 *
 * The keyspace must be a new one: it is dropped at the end.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "cassandra-driver";
import { limits } from "../../src/config.ts";
import { assert } from "../../src/domain/assert.ts";
import { contestId, entryId, matchId, teamNo, userId } from "../../src/domain/ids.ts";
import { openCassandraTeamStore } from "../../src/stores/team-store/cassandra.ts";
import { parseCassandraUrl } from "../../src/stores/team-store/cassandra/address.ts";
import { openEmbeddedTeamStore } from "../../src/stores/team-store/embedded.ts";
import type { EntryTotal, TeamStore, TeamVersion } from "../../src/stores/team-store/port.ts";

/** What a consumer's read of 1 MiB holds. */
const BATCH_ROWS = 32_768;
const BATCHES = 10;
const SINGLE_ROWS = 16_384;
const TOTAL_ROWS = 1_000_000;
/** As settlement pays them. */
const TOTALS_A_CALL = 50_000;
const USERS = 1_000_003;
const UNDER_WAY = 64;

const match = matchId(1);
const contest = contestId(1);

const versionOf = (index: number): TeamVersion => ({
  matchId: match,
  entryId: entryId(userId(1 + ((index * 7_919) % USERS)), teamNo(1)),
  version: index + 1,
  savedAtMs: 1_780_000_000_000 + index,
  roster: Uint8Array.from({ length: 11 }, (_, slot) => (slot * 5 + index) % 64),
});

const totalOf = (index: number): EntryTotal => ({
  entryId: entryId(userId(1 + index), teamNo(1)),
  scoreQp: index % 4_000,
  rank: 1 + index,
  prizePaise: index * 100,
});

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!;
const shown = (rate: number): string => `${Math.round(rate).toLocaleString("en")} rows/s`;

async function rowsPerSecond(rows: number, act: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await act();
  return (rows / (performance.now() - start)) * 1_000;
}

async function measure(name: string, store: TeamStore): Promise<unknown> {
  const rates: number[] = [];
  for (let batch = 0; batch < BATCHES; batch++) {
    const rows = Array.from({ length: BATCH_ROWS }, (_, index) => versionOf(batch * BATCH_ROWS + index));
    rates.push(await rowsPerSecond(BATCH_ROWS, () => store.appendTeams(0, rows, (batch + 1) * BATCH_ROWS)));
  }
  const totals = Array.from({ length: TOTAL_ROWS }, (_, index) => totalOf(index));
  const putRate = await rowsPerSecond(TOTAL_ROWS, async () => {
    for (let from = 0; from < TOTAL_ROWS; from += TOTALS_A_CALL)
      await store.putTotals(contest, totals.slice(from, from + TOTALS_A_CALL));
  });
  console.log(
    `${name.padEnd(10)} appendTeams of ${BATCH_ROWS.toLocaleString("en")}: ${shown(median(rates))} (median; first ` +
      `${shown(rates[0]!)}); ${TOTAL_ROWS.toLocaleString("en")} totals: ${shown(putRate)}`,
  );
  const asked = totals.filter((_, index) => index % 4_999 === 3).map((row) => row.entryId);
  const users = Array.from({ length: 200 }, (_, index) => userId(1 + ((index * 1_637 * 7_919) % USERS)));
  return {
    position: await store.teamsPosition(0),
    teams: await Promise.all(users.map((user) => store.teams(match, user))),
    totals: await store.totals(contest, asked),
  };
}

/** One statement and one answer a row, as most would write it. */
async function rowByRow(client: Client): Promise<void> {
  const insert = `INSERT INTO team_versions (match_id, bucket, entry_id, version, saved_at_ms, roster) VALUES (?, ?, ?, ?, ?, ?)`;
  const rate = await rowsPerSecond(SINGLE_ROWS, async () => {
    let next = 0;
    const caller = async () => {
      while (next < SINGLE_ROWS) {
        const { entryId: entry, version, savedAtMs, roster } = versionOf(next++);
        const params = [2, Math.floor(entry / 64) % 256, entry, version, savedAtMs, Buffer.from(roster)];
        await client.execute(insert, params, { prepare: true });
      }
    };
    await Promise.all(Array.from({ length: UNDER_WAY }, caller));
  });
  console.log(`${"row by row".padEnd(10)} ${UNDER_WAY} under way: ${shown(rate)}`);
}

const url = process.env["TEAM_STORE_URL"];
if (url === undefined) throw new Error("set TEAM_STORE_URL to a keyspace that does not exist yet");
const { contactPoints, dataCentre, keyspace, port } = parseCassandraUrl(url);
const directory = mkdtempSync(join(tmpdir(), "powerplay-bench-"));
const embedded = await openEmbeddedTeamStore({ file: join(directory, "teams.sqlite"), pendingMax: 100_000 });
const cassandra = await openCassandraTeamStore({ url, ...limits.cassandra });
const client = new Client({
  contactPoints: [...contactPoints],
  localDataCenter: dataCentre,
  keyspace,
  protocolOptions: { port },
  socketOptions: { readTimeout: 60_000 },
});
try {
  await rowByRow(client);
  const there = await measure("cassandra", cassandra);
  const here = await measure("embedded", embedded);
  assert(Bun.deepEquals(there, here, true), "both answer alike");
} finally {
  await cassandra.close();
  await embedded.close();
  await client.execute(`DROP KEYSPACE ${keyspace}`);
  await client.shutdown();
  rmSync(directory, { recursive: true });
}
