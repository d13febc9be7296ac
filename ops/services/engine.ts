export type ServiceName = "redis" | "postgres" | "kafka" | "cassandra" | "aerospike";

/** Where one server lives. */
export interface Place {
  /** Holds its configuration, data, log and pid file. */
  readonly directory: string;
  /** On 127.0.0.1; the first is the one that clients use. */
  readonly ports: readonly number[];
  /** Settings of the server's own, by its names, over those chosen here. */
  readonly settings: Readonly<Record<string, string>>;
  /** Of a Java program, instead of the one chosen here. */
  readonly heapMiB?: number;
}

export interface Launch {
  readonly command: readonly string[];
  /** Whom the server runs as; Postgres refuses root. */
  readonly user?: string;
}

/** What is particular to one kind of server. */
export interface Engine {
  readonly name: ServiceName;
  /** Not the standard one, so that an installed server is neither in the way nor touched. */
  readonly defaultPort: number;
  readonly portCount: number;
  /** What tests read its address from. */
  readonly variable: string;
  /** Which signal ends it in an orderly way while clients are connected. */
  readonly stopSignal: NodeJS.Signals;
  readonly startMsMax: number;
  url(port: number): string;
  /** null if this machine can run it, else the reason and the remedy. */
  missing(): string | null;
  /** Writes configuration and, the first time, an empty data directory. */
  prepare(place: Place): Promise<Launch>;
  /** A folder elsewhere that holds data of this directory's server, if there is one. */
  readonly dataElsewhere?: (directory: string) => string | null;
  /** Asks in its own protocol whether it serves clients. */
  answers(port: number): Promise<boolean>;
}
