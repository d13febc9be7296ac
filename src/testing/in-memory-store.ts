import { Database } from "bun:sqlite";
import type { Random } from "../domain/random.ts";
import type { Operations, SqliteEngine, WriteSide } from "../stores/sqlite/engine.ts";
import { type EngineName, ENGINES } from "../stores/sqlite/engines.ts";
import { commitGroup, type GroupOutcome, readGroup } from "../stores/sqlite/group.ts";
import type { StoreCalls } from "../stores/sqlite/store.ts";
import type { Port } from "../stores/sqlite/thread.ts";
import { StoreUnavailable } from "../stores/unavailable.ts";
import type { Scheduler } from "./scheduler.ts";
import type { Sightings } from "./sightings.ts";

/** A writer gathers for up to so long before it commits, so that groups are of several operations. */
const GATHER_MS_MAX = 3;

interface Call {
  readonly name: string;
  readonly argument: unknown;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

/**
 * A production engine in simulated time: the same schema, statements and group commit as behind `SqliteStore`, over SQLite
 * in memory and without threads. `fullChance`: how often a group finds the disk full at its commit and is undone whole.
 */
export function openInMemoryStore<Name extends EngineName>(
  port: Port,
  engineName: Name,
  world: { readonly scheduler: Scheduler; readonly random: Random; readonly sightings: Sightings },
  fullChance: () => number,
): StoreCalls<Name> {
  const { scheduler, random, sightings } = world;
  const engine: SqliteEngine<Operations, Operations> = ENGINES[engineName];
  const db = new Database(":memory:", { strict: true });
  for (const sql of engine.migrations) db.run(sql);
  const side = engine.writes(db);
  const fullDisk: WriteSide<Operations> = {
    operations: side.operations,
    beforeCommit() {
      side.beforeCommit();
      db.run("PRAGMA query_only = 1");
      db.run("CREATE TABLE one_page_more (x)");
    },
    forget: () => side.forget(),
  };
  const reads = engine.reads(db);
  let gathered: Call[] = [];

  function commit(): void {
    const calls = gathered;
    gathered = [];
    const packed = calls.flatMap(({ name, argument }) => [name, argument]);
    const full = random.chance(fullChance());
    const outcome = commitGroup(db, full ? fullDisk : side, packed);
    if (full) {
      db.run("PRAGMA query_only = 0");
      sightings.saw("a group was undone by a full disk");
    }
    answer(calls, outcome);
  }

  function answer(calls: readonly Call[], { results, failures }: GroupOutcome): void {
    for (const { index, kind, message } of failures) {
      calls[index]!.reject(kind === "unavailable" ? new StoreUnavailable(port, message) : new Error(message));
    }
    for (const [index, { resolve }] of calls.entries()) resolve(results[index]);
  }

  const write = (name: string, argument: unknown): Promise<unknown> =>
    new Promise((resolve, reject) => {
      if (gathered.push({ name, argument, resolve, reject }) === 1)
        scheduler.after(random.int(GATHER_MS_MAX + 1), commit);
    });
  const read = (name: string, argument: unknown): Promise<unknown> =>
    new Promise((resolve, reject) => {
      answer([{ name, argument, resolve, reject }], readGroup(db, reads, [name, argument]));
    });
  return { write, read, scan: read, close: async () => db.close() } as StoreCalls<Name>;
}
