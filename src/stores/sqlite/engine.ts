import type { Database } from "bun:sqlite";

/** Named operations of one side of an engine. Arguments and results cross threads, so they are plain data. */
export type Operations = Readonly<Record<string, (argument: never) => unknown>>;

/** What the writer thread owns. Between `forget` and `beforeCommit` it may keep rows in memory and write each once a group. */
export interface WriteSide<Writes extends Operations> {
  /** A refusal is a result and leaves no trace; an exception undoes the operation alone. */
  readonly operations: Writes;
  /** Writes out whatever is kept in memory; afterwards the database alone holds the truth. */
  beforeCommit(): void;
  /** The transaction was rolled back: whatever is kept in memory is void. */
  forget(): void;
}

/** One durable store: its schema and what its two threads can do. */
export interface SqliteEngine<Writes extends Operations, Reads extends Operations> {
  /** Entry i brings a file from schema version i to i + 1. A published entry never changes. */
  readonly migrations: readonly string[];
  readonly pageBytes: number;
  /**
   * How arguments and results cross threads. `json`: they are plain JSON (an undefined result becomes null), which costs
   * both threads a third of a structured clone. `clone`: whatever can be cloned, typed arrays above all. `move`: the same,
   * and the typed arrays of a result are moved, each with a buffer of its own: a log's megabytes are not copied twice.
   */
  readonly messages: "json" | "clone" | "move";
  writes(db: Database): WriteSide<Writes>;
  reads(db: Database): Reads;
}

export type ArgumentOf<Ops extends Operations, Name extends keyof Ops> = Parameters<Ops[Name]>[0];
export type ResultOf<Ops extends Operations, Name extends keyof Ops> = ReturnType<Ops[Name]>;
