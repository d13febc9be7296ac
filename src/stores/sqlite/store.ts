import type { ArgumentOf, ResultOf, SqliteEngine } from "./engine.ts";
import type { EngineName, ENGINES } from "./engines.ts";
import { type Port, StoreThread } from "./thread.ts";

export interface SqliteStoreOptions {
  /** The database file; its directory is created. */
  readonly file: string;
  /** Calls that may wait in each direction; past it a call rejects with `StoreUnavailable`. */
  readonly pendingMax: number;
}

export type WritesOf<Name extends EngineName> =
  (typeof ENGINES)[Name] extends SqliteEngine<infer Writes, infer _Reads> ? Writes : never;
export type ReadsOf<Name extends EngineName> =
  (typeof ENGINES)[Name] extends SqliteEngine<infer _Writes, infer Reads> ? Reads : never;

/** What the ports are built on; a simulation runs the same engines without threads and files. */
export interface StoreCalls<Name extends EngineName> {
  write<Op extends keyof WritesOf<Name> & string>(
    operation: Op,
    argument: ArgumentOf<WritesOf<Name>, Op>,
  ): Promise<ResultOf<WritesOf<Name>, Op>>;
  read<Op extends keyof ReadsOf<Name> & string>(
    operation: Op,
    argument: ArgumentOf<ReadsOf<Name>, Op>,
  ): Promise<ResultOf<ReadsOf<Name>, Op>>;
  /** As `read`, for what reads the whole store and would hold up other reads. */
  scan<Op extends keyof ReadsOf<Name> & string>(
    operation: Op,
    argument: ArgumentOf<ReadsOf<Name>, Op>,
  ): Promise<ResultOf<ReadsOf<Name>, Op>>;
  close(): Promise<void>;
}

/**
 * One file, two threads: a writer that commits in groups, and a reader with a connection of its own. A read never waits
 * behind a commit's fsync, a long page never holds up commits, and since callers are answered only after the commit, whoever
 * has the answer to a write finds it with the next read.
 */
export class SqliteStore<Name extends EngineName> implements StoreCalls<Name> {
  readonly #port: Port;
  readonly #engine: Name;
  readonly #options: SqliteStoreOptions;
  readonly #writer: StoreThread;
  readonly #reader: StoreThread;

  private constructor(
    port: Port,
    engine: Name,
    options: SqliteStoreOptions,
    threads: { writer: StoreThread; reader: StoreThread },
  ) {
    this.#port = port;
    this.#engine = engine;
    this.#options = options;
    this.#writer = threads.writer;
    this.#reader = threads.reader;
  }

  static async open<Name extends EngineName>(
    port: Port,
    engine: Name,
    options: SqliteStoreOptions,
  ): Promise<SqliteStore<Name>> {
    const { file, pendingMax } = options;
    const writer = await StoreThread.open(port, { engine, file, role: "writer" }, pendingMax);
    const reader = await StoreThread.open(port, { engine, file, role: "reader" }, pendingMax);
    return new SqliteStore(port, engine, options, { writer, reader });
  }

  write<Op extends keyof WritesOf<Name> & string>(
    operation: Op,
    argument: ArgumentOf<WritesOf<Name>, Op>,
  ): Promise<ResultOf<WritesOf<Name>, Op>> {
    return this.#writer.call(operation, argument) as Promise<ResultOf<WritesOf<Name>, Op>>;
  }

  read<Op extends keyof ReadsOf<Name> & string>(
    operation: Op,
    argument: ArgumentOf<ReadsOf<Name>, Op>,
  ): Promise<ResultOf<ReadsOf<Name>, Op>> {
    return this.#reader.call(operation, argument) as Promise<ResultOf<ReadsOf<Name>, Op>>;
  }

  /** On a thread that lives for this call alone. */
  async scan<Op extends keyof ReadsOf<Name> & string>(
    operation: Op,
    argument: ArgumentOf<ReadsOf<Name>, Op>,
  ): Promise<ResultOf<ReadsOf<Name>, Op>> {
    const opening = { engine: this.#engine, file: this.#options.file, role: "reader" } as const;
    const thread = await StoreThread.open(this.#port, opening, 1);
    try {
      return (await thread.call(operation, argument)) as ResultOf<ReadsOf<Name>, Op>;
    } finally {
      await thread.close();
    }
  }

  /** The reader first: the last connection to close folds the write-ahead log into the file. */
  async close(): Promise<void> {
    await this.#reader.close();
    await this.#writer.close();
  }
}
