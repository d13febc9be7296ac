/** Where a database is, without the password: what errors and logs may name. */
export interface PostgresAddress {
  readonly url: string;
  /** `host:port/database` */
  readonly name: string;
}

/** postgres://user:pass@host:5432/database[?sslmode=require]. Throws with what is wrong; the password is in no message. */
export function parsePostgresUrl(url: string): PostgresAddress {
  const form = "postgres://user:pass@host:5432/database";
  if (!URL.canParse(url)) throw new Error(`it is no URL; write ${form}`);
  const { protocol, hostname, port, pathname } = new URL(url);
  if (protocol !== "postgres:" && protocol !== "postgresql:")
    throw new Error(`"${protocol}//" is not Postgres; write ${form}`);
  if (hostname === "") throw new Error(`it names no host; write ${form}`);
  const database = pathname.slice(1);
  if (database === "" || database.includes("/")) throw new Error(`it names no database; write ${form}`);
  return { url, name: `${hostname}:${port || "5432"}/${database}` };
}

/** The same server's other database. */
export function withDatabase(url: string, database: string): string {
  const changed = new URL(url);
  changed.pathname = `/${database}`;
  return changed.href;
}
