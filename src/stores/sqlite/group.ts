import { type Database, SQLiteError } from "bun:sqlite";
import type { Operations, WriteSide } from "./engine.ts";

/** unavailable: the medium failed, the same call may succeed later · fault: the operation itself threw. */
export interface Failure {
  readonly index: number;
  readonly kind: "unavailable" | "fault";
  readonly message: string;
}

/** Results by position; those of failed operations are undefined. */
export interface GroupOutcome {
  readonly results: readonly unknown[];
  readonly failures: readonly Failure[];
}

/** name, argument, name, argument, …: one flat array costs less to clone than an object an operation. */
export type PackedOperations = readonly unknown[];

const UNAVAILABLE = /^SQLITE_(FULL|IOERR|CANTOPEN|BUSY|READONLY|NOMEM|PROTOCOL)/;

export const isUnavailable = (error: unknown): error is SQLiteError =>
  error instanceof SQLiteError && UNAVAILABLE.test(error.code ?? "");

/**
 * One transaction, one fsync for the whole group. If any operation throws, the group is rolled back and done again with a
 * savepoint an operation, so that the thrower alone fails: slower, but only ever paid after a bug.
 */
export function commitGroup(db: Database, side: WriteSide<Operations>, packed: PackedOperations): GroupOutcome {
  try {
    db.run("BEGIN IMMEDIATE");
    const results: unknown[] = [];
    for (let at = 0; at < packed.length; at += 2) results.push(perform(side.operations, packed, at));
    side.beforeCommit();
    db.run("COMMIT");
    return { results, failures: [] };
  } catch (error) {
    undo(db, side);
    if (isUnavailable(error)) return allFailed(packed, error);
  }
  try {
    return commitOneByOne(db, side, packed);
  } catch (error) {
    undo(db, side);
    if (isUnavailable(error)) return allFailed(packed, error);
    throw error;
  }
}

function commitOneByOne(db: Database, side: WriteSide<Operations>, packed: PackedOperations): GroupOutcome {
  const results: unknown[] = [];
  const failures: Failure[] = [];
  db.run("BEGIN IMMEDIATE");
  for (let at = 0; at < packed.length; at += 2) {
    db.run("SAVEPOINT operation");
    try {
      results.push(perform(side.operations, packed, at));
      side.beforeCommit();
    } catch (error) {
      if (isUnavailable(error)) throw error;
      db.run("ROLLBACK TO operation");
      side.forget();
      results.push(undefined);
      failures.push({ index: at / 2, kind: "fault", message: String(error) });
    }
    db.run("RELEASE operation");
  }
  db.run("COMMIT");
  return { results, failures };
}

/** All reads of a group see one snapshot, taken after everything that was acknowledged before they were called. */
export function readGroup(db: Database, operations: Operations, packed: PackedOperations): GroupOutcome {
  const results: unknown[] = [];
  const failures: Failure[] = [];
  db.run("BEGIN");
  for (let at = 0; at < packed.length; at += 2) {
    try {
      results.push(perform(operations, packed, at));
    } catch (error) {
      results.push(undefined);
      failures.push({ index: at / 2, kind: isUnavailable(error) ? "unavailable" : "fault", message: String(error) });
    }
  }
  if (db.inTransaction) db.run("COMMIT");
  return { results, failures };
}

function perform(operations: Operations, packed: PackedOperations, at: number): unknown {
  const operation = operations[packed[at] as string];
  if (!operation) throw new Error(`no operation "${String(packed[at])}"`);
  return operation(packed[at + 1] as never);
}

function undo(db: Database, side: WriteSide<Operations>): void {
  // SQLite has already rolled back by itself after some errors, a full disk among them.
  if (db.inTransaction) db.run("ROLLBACK");
  side.forget();
}

export function allFailed(packed: PackedOperations, error: unknown): GroupOutcome {
  const kind = isUnavailable(error) ? "unavailable" : "fault";
  const count = packed.length / 2;
  const failures = Array.from({ length: count }, (_, index): Failure => ({ index, kind, message: String(error) }));
  return { results: Array.from({ length: count }), failures };
}
