import type { Database } from "bun:sqlite";
import type { ContestId, EntryId, MatchId, UserId } from "../../../domain/ids.ts";
import { forEachVersion, type PackedVersions } from "../packed-versions.ts";
import type { BoardSample, EntryTotal, PointsRow, TeamVersion, TotalsMark } from "../port.ts";

const FIRST_SCHEMA = `
CREATE TABLE team_versions (
  match_id INTEGER NOT NULL,
  entry_id INTEGER NOT NULL,
  version INTEGER NOT NULL,
  saved_at_ms INTEGER NOT NULL,
  roster BLOB NOT NULL,
  PRIMARY KEY (match_id, entry_id, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE team_positions (partition INTEGER PRIMARY KEY, next_offset INTEGER NOT NULL) STRICT;

CREATE TABLE points (
  match_id INTEGER NOT NULL,
  version INTEGER NOT NULL,
  at_ms INTEGER NOT NULL,
  payload BLOB NOT NULL,
  PRIMARY KEY (match_id, version)
) STRICT;

CREATE TABLE samples (
  contest_id INTEGER NOT NULL,
  at_ms INTEGER NOT NULL,
  points_version INTEGER NOT NULL,
  payload BLOB NOT NULL,
  PRIMARY KEY (contest_id, at_ms)
) STRICT;

CREATE TABLE totals (
  contest_id INTEGER NOT NULL,
  entry_id INTEGER NOT NULL,
  score_qp INTEGER NOT NULL,
  rank INTEGER NOT NULL,
  prize_paise INTEGER NOT NULL,
  PRIMARY KEY (contest_id, entry_id)
) STRICT, WITHOUT ROWID;
`;

/** A contest may be spread over slices, and a sample is of the points of a version, whenever it was taken. */
const SAMPLES_OF_SLICES = `
CREATE TABLE samples_of_slices (
  contest_id INTEGER NOT NULL,
  slice INTEGER NOT NULL,
  points_version INTEGER NOT NULL,
  at_ms INTEGER NOT NULL,
  payload BLOB NOT NULL,
  PRIMARY KEY (contest_id, slice, points_version)
) STRICT;
INSERT OR IGNORE INTO samples_of_slices SELECT contest_id, 0, points_version, at_ms, payload FROM samples;
DROP TABLE samples;
ALTER TABLE samples_of_slices RENAME TO samples;
`;

const TOTALS_MARKS = `
CREATE TABLE totals_marks (
  contest_id INTEGER PRIMARY KEY,
  points_version INTEGER NOT NULL,
  has_prizes INTEGER NOT NULL,
  is_whole INTEGER NOT NULL,
  board BLOB NOT NULL
) STRICT;
`;

const ENTRY_IDS_PER_USER = 64;

interface VersionRow {
  match_id: MatchId;
  entry_id: EntryId;
  version: number;
  saved_at_ms: number;
  roster: Uint8Array;
}

interface PointsDbRow {
  match_id: MatchId;
  version: number;
  at_ms: number;
  payload: Uint8Array;
}

const versionOf = (row: VersionRow): TeamVersion => ({
  matchId: row.match_id,
  entryId: row.entry_id,
  version: row.version,
  savedAtMs: row.saved_at_ms,
  roster: row.roster,
});

const pointsOf = (row: PointsDbRow): PointsRow => ({
  matchId: row.match_id,
  version: row.version,
  atMs: row.at_ms,
  payload: row.payload,
});

export interface AppendTeamsArgument {
  readonly partition: number;
  readonly rows: PackedVersions;
  readonly nextOffset: number;
}

function teamWrites(db: Database) {
  const insertVersion = db.query<null, [number, number, number, number, Uint8Array]>(
    "INSERT INTO team_versions VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
  );
  // A consumer that repeats an old batch must not set the position back.
  const putPosition = db.query<null, [number, number]>(
    `INSERT INTO team_positions VALUES (?, ?)
     ON CONFLICT (partition) DO UPDATE SET next_offset = MAX(next_offset, excluded.next_offset)`,
  );
  const insertPoints = db.query<null, [number, number, number, Uint8Array]>(
    "INSERT INTO points VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
  );
  const insertSample = db.query<null, [number, number, number, number, Uint8Array]>(
    "INSERT INTO samples VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
  );
  const putTotal = db.query<null, [number, number, number, number, number]>(
    `INSERT INTO totals VALUES (?, ?, ?, ?, ?) ON CONFLICT (contest_id, entry_id) DO UPDATE
     SET score_qp = excluded.score_qp, rank = excluded.rank, prize_paise = excluded.prize_paise`,
  );
  const putMark = db.query<null, [number, number, boolean, boolean, Uint8Array]>(
    "INSERT OR REPLACE INTO totals_marks VALUES (?, ?, ?, ?, ?)",
  );
  return {
    operations: {
      appendTeams({ partition, rows, nextOffset }: AppendTeamsArgument): void {
        forEachVersion(rows, ({ matchId, entryId, version, savedAtMs, roster }) =>
          insertVersion.run(matchId, entryId, version, savedAtMs, roster),
        );
        putPosition.run(partition, nextOffset);
      },
      appendPoints(row: PointsRow): void {
        insertPoints.run(row.matchId, row.version, row.atMs, row.payload);
      },
      appendSample(row: BoardSample): void {
        insertSample.run(row.contestId, row.slice, row.pointsVersion, row.atMs, row.payload);
      },
      putTotals({ contest, rows }: { contest: ContestId; rows: readonly EntryTotal[] }): void {
        for (const row of rows) putTotal.run(contest, row.entryId, row.scoreQp, row.rank, row.prizePaise);
      },
      markTotals({ contest, mark }: { contest: ContestId; mark: TotalsMark }): void {
        putMark.run(contest, mark.pointsVersion, mark.hasPrizes, mark.isWhole, mark.board);
      },
    },
    beforeCommit: () => undefined,
    forget: () => undefined,
  };
}

function teamReads(db: Database) {
  const position = db.query<{ next_offset: number }, [number]>(
    "SELECT next_offset FROM team_positions WHERE partition = ?",
  );
  // SQLite takes the other columns from the row of the maximum.
  const newestOfUser = db.query<VersionRow, [number, number, number]>(
    `SELECT match_id, entry_id, MAX(version) AS version, saved_at_ms, roster FROM team_versions
     WHERE match_id = ? AND entry_id BETWEEN ? AND ? GROUP BY entry_id ORDER BY entry_id`,
  );
  const allVersions = db.query<VersionRow, [number, number]>(
    "SELECT * FROM team_versions WHERE match_id = ? AND entry_id = ? ORDER BY version",
  );
  const pointsAfter = db.query<PointsDbRow, [number, number, number]>(
    "SELECT * FROM points WHERE match_id = ? AND version > ? ORDER BY version LIMIT ?",
  );
  const newestPoints = db.query<PointsDbRow, [number]>(
    "SELECT * FROM points WHERE match_id = ? ORDER BY version DESC LIMIT 1",
  );
  const samples = db.query<{ at_ms: number; points_version: number; payload: Uint8Array }, [number, number]>(
    `SELECT at_ms, points_version, payload FROM samples WHERE contest_id = ? AND slice = ? ORDER BY points_version`,
  );
  const total = db.query<{ score_qp: number; rank: number; prize_paise: number }, [number, number]>(
    "SELECT score_qp, rank, prize_paise FROM totals WHERE contest_id = ? AND entry_id = ?",
  );
  const totalsMark = db.query<
    { points_version: number; has_prizes: number; is_whole: number; board: Uint8Array },
    [number]
  >("SELECT points_version, has_prizes, is_whole, board FROM totals_marks WHERE contest_id = ?");
  return {
    teamsPosition: (partition: number): number => position.get(partition)?.next_offset ?? 0,
    teams({ match, user }: { match: MatchId; user: UserId }): TeamVersion[] {
      const first = user * ENTRY_IDS_PER_USER;
      return newestOfUser.all(match, first, first + ENTRY_IDS_PER_USER - 1).map(versionOf);
    },
    versions: ({ match, entry }: { match: MatchId; entry: EntryId }): TeamVersion[] =>
      allVersions.all(match, entry).map(versionOf),
    points: ({ match, after, limit }: { match: MatchId; after: number; limit: number }): PointsRow[] =>
      pointsAfter.all(match, after, limit).map(pointsOf),
    newestPoints(match: MatchId): PointsRow | null {
      const row = newestPoints.get(match);
      return row && pointsOf(row);
    },
    samples: ({ contest, slice }: { contest: ContestId; slice: number }): BoardSample[] =>
      samples.all(contest, slice).map((row) => ({
        contestId: contest,
        slice,
        atMs: row.at_ms,
        pointsVersion: row.points_version,
        payload: row.payload,
      })),
    totals: ({ contest, entries }: { contest: ContestId; entries: readonly EntryId[] }): EntryTotal[] =>
      entries.flatMap((entryId) => {
        const row = total.get(contest, entryId);
        return row ? [{ entryId, scoreQp: row.score_qp, rank: row.rank, prizePaise: row.prize_paise }] : [];
      }),
    totalsMark(contest: ContestId): TotalsMark | null {
      const row = totalsMark.get(contest);
      if (row === null) return null;
      const { board, has_prizes, is_whole, points_version } = row;
      return { pointsVersion: points_version, hasPrizes: has_prizes === 1, isWhole: is_whole === 1, board };
    },
  };
}

export const teamStoreEngine = {
  migrations: [FIRST_SCHEMA, SAMPLES_OF_SLICES, TOTALS_MARKS] as const,
  pageBytes: 4096,
  messages: "clone" as const,
  writes: teamWrites,
  reads: teamReads,
};
