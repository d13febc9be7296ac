import postgres from "postgres";
import { StoreUnavailable } from "../../unavailable.ts";
import { parsePostgresUrl, type PostgresAddress } from "./address.ts";

export type Parameter = string | number | boolean | null;

export interface DatabaseLimits {
  /** Per database and node. */
  readonly connectionsMax: number;
  readonly connectTimeoutMs: number;
  /** Longer than any call takes: past it the server counts as lost, whatever its sockets say, and connections are renewed. */
  readonly callTimeoutMs: number;
  /** Calls that may wait for one database; past it a call rejects with `StoreUnavailable`. */
  readonly pendingMax: number;
}

/** What the server refuses for a moment or until somebody repairs it; none of it is a fault of the call. */
const UNAVAILABLE_CLASSES: ReadonlySet<string> = new Set([
  "08", // connection
  "53", // disk full, out of memory, too many connections
  "57", // shutting down, starting, cancelled
  "58", // I/O
]);
const READ_ONLY = "25006"; // a primary that became a standby
const UNAVAILABLE_CODES =
  /^(CONNECTION_|CONNECT_TIMEOUT|ECONN|EPIPE|ENOENT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|ERR_SOCKET|Failed)/;

/** Two writers met in a circle or on one snapshot: nothing happened, and it will go better the next time. */
const REPEATED_CODES: ReadonlySet<string> = new Set(["40001", "40P01"]);
const REPEATS_MAX = 8;
const RECONNECT_SECONDS = 0.2;

const codeOf = (error: unknown): string => {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === "string" ? code : "";
};

const isUnavailable = (error: unknown): boolean => {
  const code = codeOf(error);
  return UNAVAILABLE_CLASSES.has(code.slice(0, 2)) || code === READ_ONLY || UNAVAILABLE_CODES.test(code);
};

/**
 * One database by a few connections. Statements are prepared once a connection and pipelined when all are busy. A call
 * whose connection ends, or that stays unanswered, rejects with `StoreUnavailable`; the next one opens a new connection.
 */
export class Database {
  readonly name: string;
  readonly #address: PostgresAddress;
  readonly #limits: DatabaseLimits;
  #pool: postgres.Sql<{ bigint: number }>;
  #pending = 0;
  #isClosed = false;
  #onIdle: () => void = () => undefined;

  constructor(url: string, limits: DatabaseLimits) {
    this.#address = parsePostgresUrl(url);
    this.name = this.#address.name;
    this.#limits = limits;
    this.#pool = this.#newPool();
  }

  /** One statement, one transaction, one round trip. */
  async rows<Row>(statement: string, parameters: readonly Parameter[] = []): Promise<Row[]> {
    for (let repeats = 0; ; repeats++) {
      try {
        return await this.#ask<Row>(statement, parameters);
      } catch (error) {
        if (error instanceof StoreUnavailable) throw error;
        if (isUnavailable(error)) throw this.#unavailable((error as Error).message, error);
        if (!REPEATED_CODES.has(codeOf(error))) throw error;
        if (repeats === REPEATS_MAX) throw this.#unavailable("it stays contended", error);
      }
    }
  }

  /** The first row, or null. */
  async row<Row>(statement: string, parameters: readonly Parameter[] = []): Promise<Row | null> {
    return (await this.rows<Row>(statement, parameters))[0] ?? null;
  }

  /** Several statements in one transaction on one connection; for what is done at a start, not for calls. */
  async transaction(
    work: (run: <Row>(statement: string, parameters?: readonly Parameter[]) => Promise<Row[]>) => Promise<void>,
  ): Promise<void> {
    try {
      await this.#pool.begin(async (sql) => {
        await work(async <Row>(statement: string, parameters: readonly Parameter[] = []) => [
          ...((await sql.unsafe(statement, [...parameters])) as unknown as Row[]),
        ]);
      });
    } catch (error) {
      if (isUnavailable(error)) throw this.#unavailable((error as Error).message, error);
      throw error;
    }
  }

  /** Answers what is under way, then ends the connections. */
  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#pending > 0) await new Promise<void>((resolve) => (this.#onIdle = resolve));
    // Not left to the package: it waits for ever for a call whose connection was lost, though it has rejected it.
    await this.#pool.end({ timeout: 0 });
  }

  async #ask<Row>(statement: string, parameters: readonly Parameter[]): Promise<Row[]> {
    if (this.#isClosed) throw this.#unavailable("it is closed");
    if (this.#pending >= this.#limits.pendingMax) throw this.#unavailable("too many pending operations");
    const pool = this.#pool;
    this.#pending++;
    const deadline = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      this.#renew(pool);
      deadline.reject(this.#unavailable(`no answer within ${this.#limits.callTimeoutMs} ms`));
    }, this.#limits.callTimeoutMs);
    try {
      const answer = pool.unsafe(statement, [...parameters], { prepare: true });
      return (await Promise.race([answer, deadline.promise])) as unknown as Row[];
    } finally {
      clearTimeout(timer);
      if (--this.#pending === 0) this.#onIdle();
    }
  }

  #newPool(): postgres.Sql<{ bigint: number }> {
    const { tls, url } = this.#address;
    return postgres(url, {
      ssl: tls,
      max: this.#limits.connectionsMax,
      connect_timeout: this.#limits.connectTimeoutMs / 1_000,
      // A call that comes while the server is away hears so at once, and finds it soon when it is back.
      backoff: () => RECONNECT_SECONDS,
      keep_alive: 10,
      // The package asks each new connection for all array types; arrays go over as text here.
      fetch_types: false,
      onnotice: () => undefined,
      connection: { application_name: "powerplay" },
      // Every bigint of the schema is a safe integer.
      types: { bigint: { to: 20, from: [20], parse: Number, serialize: String } },
    });
  }

  /** A connection that has not answered in time may never; a half-open one would else be used again. */
  #renew(pool: postgres.Sql<{ bigint: number }>): void {
    if (pool !== this.#pool || this.#isClosed) return;
    this.#pool = this.#newPool();
    void pool.end({ timeout: 0 });
  }

  #unavailable(reason: string, cause?: unknown): StoreUnavailable {
    return new StoreUnavailable("Catalog", `Postgres at ${this.name}: ${reason}`, { cause });
  }
}
