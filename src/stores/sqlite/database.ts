import { Database } from "bun:sqlite";
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Pages of the write-ahead log after which a commit also moves them into the file: large, because that commit pays for a
 * second fsync and random writes.
 */
const CHECKPOINT_PAGES = 8_000;
const BUSY_TIMEOUT_MS = 5_000;
const CACHE_KIBIBYTES = 64 * 1024;

/** Opens the file for its one writer, creates it if absent and brings its schema up to date. */
export function openForWriting(file: string, migrations: readonly string[], pageBytes: number): Database {
  mkdirSync(dirname(file), { recursive: true });
  const db = new Database(file, { create: true, strict: true });
  try {
    setUp(db);
    db.run(`PRAGMA page_size = ${pageBytes}`);
    db.run("PRAGMA journal_mode = WAL");
    // WAL alone (synchronous=NORMAL) would acknowledge commits that a power cut undoes.
    db.run("PRAGMA synchronous = FULL");
    db.run(`PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
    migrate(db, file, migrations);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** A second connection for reads: in WAL mode it neither waits for the writer nor makes it wait. */
export function openForReading(file: string): Database {
  const db = new Database(file, { readonly: true, strict: true });
  setUp(db);
  return db;
}

function setUp(db: Database): void {
  db.run(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
  db.run(`PRAGMA cache_size = -${CACHE_KIBIBYTES}`);
  db.run("PRAGMA temp_store = MEMORY");
}

function migrate(db: Database, file: string, migrations: readonly string[]): void {
  const version = db.query<{ user_version: number }, []>("PRAGMA user_version").get()!.user_version;
  if (version > migrations.length) {
    throw new Error(
      `${file} has schema version ${version}, this program knows versions up to ${migrations.length}: it was written by a newer release`,
    );
  }
  for (const [index, sql] of migrations.entries()) {
    if (index < version) continue;
    db.transaction(() => {
      db.run(sql);
      db.run(`PRAGMA user_version = ${index + 1}`);
    }).immediate();
  }
}

/**
 * Marks a store's file as ours for as long as the connection lives; the system gives it up when the process dies, however
 * it dies. The writer keeps rows in memory between commits, so a second writer would be wrong, not only slow.
 */
export function claim(file: string): Database {
  mkdirSync(dirname(file), { recursive: true });
  const claimed = new Database(`${file}.owner`, { create: true });
  try {
    claimed.run("BEGIN EXCLUSIVE");
    return claimed;
  } catch (error) {
    claimed.close();
    throw new Error(`${file} is in use by another process`, { cause: error });
  }
}
