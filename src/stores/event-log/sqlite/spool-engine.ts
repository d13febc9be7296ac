import type { Database } from "bun:sqlite";

/** AUTOINCREMENT: a number is never given twice, so a record that was forgotten can't be taken for a later one. */
const FIRST_SCHEMA = `
CREATE TABLE spooled (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  user_id INTEGER NOT NULL,
  value BLOB NOT NULL
) STRICT;
CREATE INDEX spooled_by_user ON spooled (user_id, seq);
`;

export interface SpooledRecord {
  readonly seq: number;
  readonly user: number;
  readonly value: Uint8Array;
}

interface SpooledRow {
  seq: number;
  user_id: number;
  value: Uint8Array;
}

const recordOf = ({ seq, user_id, value }: SpooledRow): SpooledRecord => ({ seq, user: user_id, value });

function spoolWrites(db: Database) {
  const insert = db.query<{ seq: number }, [number, Uint8Array]>(
    "INSERT INTO spooled (user_id, value) VALUES (?, ?) RETURNING seq",
  );
  const remove = db.query<null, [number, number]>("DELETE FROM spooled WHERE seq BETWEEN ? AND ?");
  return {
    operations: {
      append: ({ user, value }: Omit<SpooledRecord, "seq">): number => insert.get(user, value)!.seq,
      forget({ from, through }: { readonly from: number; readonly through: number }): void {
        remove.run(from, through);
      },
    },
    beforeCommit: () => undefined,
    forget: () => undefined,
  };
}

function spoolReads(db: Database) {
  const head = db.query<SpooledRow, [number]>("SELECT * FROM spooled ORDER BY seq LIMIT ?");
  const ofUser = db.query<SpooledRow, [number]>("SELECT * FROM spooled WHERE user_id = ? ORDER BY seq");
  const users = db.query<{ user_id: number; record_count: number; newest: number }, []>(
    "SELECT user_id, count(*) AS record_count, max(seq) AS newest FROM spooled GROUP BY user_id",
  );
  return {
    head: (limit: number): SpooledRecord[] => head.all(limit).map(recordOf),
    ofUser: (user: number): SpooledRecord[] => ofUser.all(user).map(recordOf),
    users: () => users.all().map((row) => ({ user: row.user_id, count: row.record_count, newestSeq: row.newest })),
  };
}

export const spoolEngine = {
  migrations: [FIRST_SCHEMA] as const,
  pageBytes: 4_096,
  messages: "clone" as const,
  writes: spoolWrites,
  reads: spoolReads,
};
