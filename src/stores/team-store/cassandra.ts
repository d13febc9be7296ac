import type { types } from "cassandra-driver";
import type { ContestId, EntryId, MatchId } from "../../domain/ids.ts";
import { parseCassandraUrl } from "./cassandra/address.ts";
import { CassandraSession, type Row, type SessionLimits } from "./cassandra/session.ts";
import type { EntryTotal, PointsRow, TeamStore, TeamVersion } from "./port.ts";

export interface CassandraTeamStoreOptions extends SessionLimits {
  /** See cassandra/address.ts for its form. */
  readonly url: string;
}

const ENTRY_IDS_PER_USER = 64;
/** As in schemas/team-store.cql, which says what they bound. Another number would look for rows where they are not. */
const TEAM_BUCKETS = 256;
const TOTAL_BUCKETS = 32;
/** Rows that one question names. */
const ENTRIES_A_READ = 100;

const INSERT_VERSION = `INSERT INTO team_versions (match_id, bucket, entry_id, version, saved_at_ms, roster)
  VALUES (?, ?, ?, ?, ?, ?)`;
const INSERT_POSITION = "INSERT INTO team_positions (log_partition, next_offset) VALUES (?, ?) USING TIMESTAMP ?";
const INSERT_POINTS = "INSERT INTO points (match_id, version, at_ms, payload) VALUES (?, ?, ?, ?)";
const INSERT_SAMPLE = `INSERT INTO samples (contest_id, slice, points_version, at_ms, payload) VALUES (?, ?, ?, ?, ?)`;
const INSERT_TOTAL = `INSERT INTO totals (contest_id, bucket, entry_id, score_qp, rank, prize_paise)
  VALUES (?, ?, ?, ?, ?, ?)`;
const INSERT_MARK = `INSERT INTO totals_marks (contest_id, points_version, has_prizes, is_whole, board)
  VALUES (?, ?, ?, ?, ?)`;

const POSITION = "SELECT next_offset FROM team_positions WHERE log_partition = ?";
// Of each group the first row, which the clustering makes the newest.
const NEWEST_OF_USER = `SELECT entry_id, version, saved_at_ms, roster FROM team_versions
  WHERE match_id = ? AND bucket = ? AND entry_id >= ? AND entry_id <= ? GROUP BY match_id, bucket, entry_id`;
const ALL_VERSIONS = `SELECT entry_id, version, saved_at_ms, roster FROM team_versions
  WHERE match_id = ? AND bucket = ? AND entry_id = ?`;
const POINTS_AFTER = "SELECT version, at_ms, payload FROM points WHERE match_id = ? AND version > ? LIMIT ?";
const NEWEST_POINTS = "SELECT version, at_ms, payload FROM points WHERE match_id = ? ORDER BY version DESC LIMIT 1";
const SAMPLES = "SELECT points_version, at_ms, payload FROM samples WHERE contest_id = ? AND slice = ?";
const TOTALS = `SELECT entry_id, score_qp, rank, prize_paise FROM totals
  WHERE contest_id = ? AND bucket = ? AND entry_id IN ?`;
const MARK = "SELECT points_version, has_prizes, is_whole, board FROM totals_marks WHERE contest_id = ?";

/** Users are numbered in turn: remainders are even. */
const userBucket = (entry: EntryId, buckets: number): number => Math.floor(entry / ENTRY_IDS_PER_USER) % buckets;

/**
 * On Cassandra or ScyllaDB. Every write is durable on a quorum of the data centre's copies and may be repeated. There is no commit over
 * partitions, so the position is written after all its rows: a crash in between leaves rows ahead of it, which come again.
 * Calls for one log partition come one after the other, as from a consumer; of two at once the later position might be stored
 * although rows of the earlier call failed.
 *
 * "The last totals put" is told by the clocks of those who put them; of two nodes within their clocks' skew either may win.
 */
export async function openCassandraTeamStore(options: CassandraTeamStoreOptions): Promise<TeamStore> {
  const session = await CassandraSession.open(parseCassandraUrl(options.url), options);
  return {
    async appendTeams(partition, rows, nextOffset) {
      await session.writeRows(
        INSERT_VERSION,
        rows,
        // Far more than the matches that are open at a time, and no text a row.
        ({ matchId, entryId }) => matchId * TEAM_BUCKETS + userBucket(entryId, TEAM_BUCKETS),
        ({ matchId, entryId, version, savedAtMs, roster }) => [
          matchId,
          userBucket(entryId, TEAM_BUCKETS),
          entryId,
          version,
          savedAtMs,
          bufferOf(roster),
        ],
      );
      await session.write(INSERT_POSITION, [partition, nextOffset, nextOffset]);
    },
    async teamsPosition(partition) {
      const [row] = await session.rows(POSITION, [partition]);
      return row ? numberOf(row, "next_offset") : 0;
    },
    async teams(match, user) {
      const first = (user * ENTRY_IDS_PER_USER) as EntryId;
      const bucket = userBucket(first, TEAM_BUCKETS);
      const rows = await session.rows(NEWEST_OF_USER, [match, bucket, first, first + ENTRY_IDS_PER_USER - 1]);
      return rows.map((row) => versionOf(match, row));
    },
    async versions(match, entry) {
      const rows = await session.rows(ALL_VERSIONS, [match, userBucket(entry, TEAM_BUCKETS), entry]);
      return rows.map((row) => versionOf(match, row)).reverse();
    },

    appendPoints: ({ matchId, version, atMs, payload }) =>
      session.write(INSERT_POINTS, [matchId, version, atMs, bufferOf(payload)]),
    async points(match, afterVersion, limit) {
      return (await session.rows(POINTS_AFTER, [match, afterVersion, limit])).map((row) => pointsOf(match, row));
    },
    async newestPoints(match) {
      const [row] = await session.rows(NEWEST_POINTS, [match]);
      return row ? pointsOf(match, row) : null;
    },

    appendSample: ({ contestId, slice, pointsVersion, atMs, payload }) =>
      session.write(INSERT_SAMPLE, [contestId, slice, pointsVersion, atMs, bufferOf(payload)]),
    async samples(contest, slice) {
      const rows = await session.rows(SAMPLES, [contest, slice]);
      return rows.map((row) => ({
        contestId: contest,
        slice,
        atMs: numberOf(row, "at_ms"),
        pointsVersion: numberOf(row, "points_version"),
        payload: bytesOf(row, "payload"),
      }));
    },

    putTotals: (contest, rows) =>
      session.writeRows(
        INSERT_TOTAL,
        rows,
        ({ entryId }) => userBucket(entryId, TOTAL_BUCKETS),
        ({ entryId, scoreQp, rank, prizePaise }) => [
          contest,
          userBucket(entryId, TOTAL_BUCKETS),
          entryId,
          scoreQp,
          rank,
          prizePaise,
        ],
      ),
    markTotals: (contest, { board, hasPrizes, isWhole, pointsVersion }) =>
      session.write(INSERT_MARK, [contest, pointsVersion, hasPrizes, isWhole, bufferOf(board)]),
    async totalsMark(contest) {
      const [row] = await session.rows(MARK, [contest]);
      if (!row) return null;
      return {
        pointsVersion: numberOf(row, "points_version"),
        hasPrizes: row["has_prizes"] as boolean,
        isWhole: row["is_whole"] as boolean,
        board: bytesOf(row, "board"),
      };
    },
    totals: (contest, entries) => totals(session, contest, entries),
    close: () => session.close(),
  } satisfies TeamStore;
}

async function totals(
  session: CassandraSession,
  contest: ContestId,
  entries: readonly EntryId[],
): Promise<EntryTotal[]> {
  const known = new Map<EntryId, EntryTotal>();
  const reads: Promise<void>[] = [];
  const read = async (bucket: number, some: readonly EntryId[]) => {
    for (const row of await session.rows(TOTALS, [contest, bucket, some])) {
      const entryId = numberOf(row, "entry_id") as EntryId;
      known.set(entryId, {
        entryId,
        scoreQp: row["score_qp"] as number,
        rank: row["rank"] as number,
        prizePaise: numberOf(row, "prize_paise"),
      });
    }
  };
  for (const [bucket, together] of Map.groupBy(entries, (entry) => userBucket(entry, TOTAL_BUCKETS)))
    for (let at = 0; at < together.length; at += ENTRIES_A_READ)
      reads.push(read(bucket, together.slice(at, at + ENTRIES_A_READ)));
  await Promise.all(reads);
  return entries.map((entry) => known.get(entry)).filter((row) => row !== undefined);
}

const versionOf = (matchId: MatchId, row: Row): TeamVersion => ({
  matchId,
  entryId: numberOf(row, "entry_id") as EntryId,
  version: numberOf(row, "version"),
  savedAtMs: numberOf(row, "saved_at_ms"),
  roster: bytesOf(row, "roster"),
});

const pointsOf = (matchId: MatchId, row: Row): PointsRow => ({
  matchId,
  version: numberOf(row, "version"),
  atMs: numberOf(row, "at_ms"),
  payload: bytesOf(row, "payload"),
});

/** A bigint, all of ours are safe integers. */
const numberOf = (row: Row, column: string): number => (row[column] as types.Long).toNumber();

/** An array of its own: the driver's buffer is a view of all that came with it. */
const bytesOf = (row: Row, column: string): Uint8Array => new Uint8Array(row[column] as Buffer);

const bufferOf = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
