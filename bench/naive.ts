import { Database } from "bun:sqlite";
import { mkdirSync } from "node:fs";
import { join } from "node:path";

/**
 * The design that everybody starts with: one synchronous SQLite transaction a request, committed (fsync) before the answer.
 * Same durability, same checks of the request, no group commit.
 */
export function openNaive(directory: string) {
  mkdirSync(directory, { recursive: true });
  const db = new Database(join(directory, "naive.sqlite"), { create: true, strict: true });
  db.run("PRAGMA journal_mode = WAL");
  db.run("PRAGMA synchronous = FULL");
  db.run("CREATE TABLE saves (entry INTEGER, match INTEGER, at INTEGER, roster BLOB)");
  db.run("CREATE TABLE balances (user INTEGER PRIMARY KEY, paise INTEGER NOT NULL CHECK (paise >= 0))");
  db.run(
    "CREATE TABLE entries (contest INTEGER, entry INTEGER, user INTEGER, PRIMARY KEY (contest, entry)) WITHOUT ROWID",
  );
  db.run("CREATE TABLE contests (contest INTEGER PRIMARY KEY, seats INTEGER NOT NULL)");
  const save = db.query<null, [number, number, number, Uint8Array]>("INSERT INTO saves VALUES (?, ?, ?, ?)");
  const fund = db.query<null, [number, number]>("INSERT INTO balances VALUES (?, ?)");
  const open = db.query<null, [number, number]>("INSERT INTO contests VALUES (?, ?)");
  const seat = db.query<null, [number]>("UPDATE contests SET seats = seats - 1 WHERE contest = ? AND seats > 0");
  const debit = db.query<null, [number, number, number]>(
    "UPDATE balances SET paise = paise - ? WHERE user = ? AND paise >= ?",
  );
  const enter = db.query<null, [number, number, number]>("INSERT INTO entries VALUES (?, ?, ?)");
  const joinOnce = db.transaction((contest: number, entry: number, user: number, feePaise: number) => {
    if (seat.run(contest).changes !== 1) throw new Error("contest_full");
    if (debit.run(feePaise, user, feePaise).changes !== 1) throw new Error("insufficient_funds");
    enter.run(contest, entry, user);
  });
  return {
    save: (entry: number, match: number, atMs: number, roster: Uint8Array) => save.run(entry, match, atMs, roster),
    fund: (user: number, paise: number) => fund.run(user, paise),
    openContest: (contest: number, seats: number) => open.run(contest, seats),
    join: (contest: number, entry: number, user: number, feePaise: number) =>
      joinOnce.immediate(contest, entry, user, feePaise),
    saveCount: () => db.query<{ n: number }, []>("SELECT COUNT(*) AS n FROM saves").get()!.n,
    entryCount: () => db.query<{ n: number }, []>("SELECT COUNT(*) AS n FROM entries").get()!.n,
    close: () => db.close(),
  };
}
