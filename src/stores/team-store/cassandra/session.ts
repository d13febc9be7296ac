import { auth, Client, errors, policies, types } from "cassandra-driver";
import { StoreUnavailable } from "../../unavailable.ts";
import type { CassandraAddress } from "./address.ts";
import { Gate } from "./gate.ts";
import { RepeatOnce } from "./retries.ts";
import { ensureSchema, UnusableKeyspace } from "./schema.ts";

export interface SessionLimits {
  /** A request without an answer is asked once more, of another node where there is one, and has then failed. */
  readonly timeoutMs: number;
  readonly connectTimeoutMs: number;
  /** Writes at the server at one time, and reads: what comes beyond waits here, not there. */
  readonly requestsMax: number;
  /** Requests that wait, past which callers hear StoreUnavailable at once. */
  readonly waitingMax: number;
  /** Rows of one partition that go as one batch. */
  readonly batchRowsMax: number;
  readonly reconnectMsMax: number;
}

export type Param = boolean | number | string | Buffer | readonly number[];
export type Row = types.Row;

const CONNECTIONS_A_NODE = 2;
const RECONNECT_MS_MIN = 100;
/** A statement that the server does not understand is our fault, and not its absence. */
const FAULTS_OF_OURS = new Set<number>([types.responseErrorCodes.syntaxError, types.responseErrorCodes.invalid]);

/** Prepared statements to the nodes of one data centre, each sent to one that keeps the partition. */
export class CassandraSession {
  readonly #client: Client;
  readonly #limits: SessionLimits;
  readonly #reads: Gate;
  readonly #writes: Gate;
  #closed = false;

  private constructor(client: Client, limits: SessionLimits) {
    this.#client = client;
    this.#limits = limits;
    this.#reads = new Gate(limits.requestsMax, limits.waitingMax);
    this.#writes = new Gate(limits.requestsMax, limits.waitingMax);
  }

  static async open(address: CassandraAddress, limits: SessionLimits): Promise<CassandraSession> {
    const { username, password, tls } = address;
    const client = new Client({
      contactPoints: [...address.contactPoints],
      localDataCenter: address.dataCentre,
      protocolOptions: { port: address.port },
      ...(username === undefined ? {} : { authProvider: new auth.PlainTextAuthProvider(username, password ?? "") }),
      ...(tls === undefined ? {} : { sslOptions: { ...tls, rejectUnauthorized: true } }),
      policies: {
        loadBalancing: new policies.loadBalancing.TokenAwarePolicy(
          new policies.loadBalancing.DCAwareRoundRobinPolicy(address.dataCentre),
        ),
        retry: new RepeatOnce(),
        reconnection: new policies.reconnection.ExponentialReconnectionPolicy(
          RECONNECT_MS_MIN,
          limits.reconnectMsMax,
          false,
        ),
      },
      pooling: { coreConnectionsPerHost: { 0: CONNECTIONS_A_NODE, 1: 1, 2: 0 } },
      socketOptions: { connectTimeout: limits.connectTimeoutMs, readTimeout: limits.timeoutMs },
      queryOptions: { consistency: types.consistencies.localQuorum, isIdempotent: true, prepare: true },
      encoding: { copyBuffer: false },
    });
    try {
      await client.connect();
      await ensureSchema(client, address, limits.connectTimeoutMs);
      return new CassandraSession(client, limits);
    } catch (error) {
      await client.shutdown();
      if (error instanceof UnusableKeyspace) throw error;
      throw new StoreUnavailable(
        "TeamStore",
        `no Cassandra to use at ${address.shown}: ${reasonOf(error)}. Check TEAM_STORE_URL (addresses, ?dc=, user, tls=on with ca=), start the ` +
          `server (make services), or leave TEAM_STORE_URL out to store in a file`,
        { cause: error },
      );
    }
  }

  /** All rows, whatever the number of pages. */
  async rows(query: string, params: readonly Param[]): Promise<Row[]> {
    return this.#pass(this.#reads, async () => {
      const rows: Row[] = [];
      for await (const row of await this.#client.execute(query, [...params])) rows.push(row);
      return rows;
    });
  }

  async write(query: string, params: readonly Param[]): Promise<void> {
    await this.#pass(this.#writes, () => this.#client.execute(query, [...params]));
  }

  /**
   * One statement for each row, `partitionOf` names where it lies. Rows of a partition go together, some partitions at a
   * time; resolves when all are durable. After a failure no further ones are sent, and some may have been stored.
   */
  async writeRows<R>(
    query: string,
    rows: readonly R[],
    partitionOf: (row: R) => number | string,
    paramsOf: (row: R) => readonly Param[],
  ): Promise<void> {
    const { batchRowsMax, requestsMax } = this.#limits;
    const batches = Map.groupBy(rows, partitionOf)
      .values()
      .flatMap(function* (together) {
        for (let at = 0; at < together.length; at += batchRowsMax) yield together.slice(at, at + batchRowsMax);
      });
    const state = { failed: false };
    const sender = async () => {
      for (let next = batches.next(); !next.done && !state.failed; next = batches.next()) {
        const batch = next.value;
        try {
          await this.#pass(this.#writes, () =>
            this.#client.batch(
              batch.map((row) => ({ query, params: [...paramsOf(row)] })),
              { logged: false },
            ),
          );
        } catch (error) {
          state.failed = true;
          throw error;
        }
      }
    };
    const senders = await Promise.allSettled(Array.from({ length: requestsMax }, sender));
    for (const sent of senders) if (sent.status === "rejected") throw sent.reason;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#client.shutdown();
  }

  async #pass<T>(gate: Gate, act: () => Promise<T>): Promise<T> {
    if (this.#closed) throw new StoreUnavailable("TeamStore", "it is closed");
    if (gate.isFull) throw new StoreUnavailable("TeamStore", `${this.#limits.waitingMax} requests are waiting`);
    try {
      return await gate.pass(act);
    } catch (error) {
      if (error instanceof errors.ResponseError && FAULTS_OF_OURS.has(error.code)) throw error;
      if (error instanceof TypeError || error instanceof errors.ArgumentError) throw error;
      throw new StoreUnavailable("TeamStore", reasonOf(error), { cause: error });
    }
  }
}

/** With what each node said, which the driver keeps apart. */
function reasonOf(error: unknown): string {
  if (!(error instanceof errors.NoHostAvailableError)) return error instanceof Error ? error.message : String(error);
  const each = Object.entries(error.innerErrors as Readonly<Record<string, unknown>>).map(
    ([host, inner]) => `${host}: ${inner instanceof Error ? inner.message : String(inner)}`,
  );
  return each.length === 0 ? error.message : `no node answered (${each.join("; ")})`;
}
