import { checkServerIdentity, type PeerCertificate } from "node:tls";
import { readAuthorities } from "../../authorities.ts";

/** How TLS is spoken; false: not at all. */
export type PostgresTls =
  | false
  | {
      readonly rejectUnauthorized: boolean;
      readonly ca?: string;
      readonly checkServerIdentity?: (host: string, certificate: PeerCertificate) => Error | undefined;
    };

/** Where a database is, without the password: what errors and logs may name. */
export interface PostgresAddress {
  /** Without what is ours to do. */
  readonly url: string;
  /** `host:port/database` */
  readonly name: string;
  readonly tls: PostgresTls;
}

const FORM = "postgres://user:pass@host:5432/database[?sslmode=verify-full&sslrootcert=/ca.pem]";
const MODES = ["disable", "require", "verify-full"];

/**
 * postgres://user:pass@host:5432/database, and of libpq's options `sslmode` (disable; require, which trusts any certificate;
 * verify-full) and `sslrootcert`, a file of authorities instead of the usual ones. Throws with what is wrong; the password is in no
 * message.
 */
export function parsePostgresUrl(url: string): PostgresAddress {
  if (!URL.canParse(url)) throw new Error(`it is no URL; write ${FORM}`);
  const parsed = new URL(url);
  const { protocol, hostname, port, pathname, searchParams } = parsed;
  if (protocol !== "postgres:" && protocol !== "postgresql:")
    throw new Error(`"${protocol}//" is not Postgres; write ${FORM}`);
  if (hostname === "") throw new Error(`it names no host; write ${FORM}`);
  const database = pathname.slice(1);
  if (database === "" || database.includes("/")) throw new Error(`it names no database; write ${FORM}`);
  const mode = searchParams.get("sslmode") ?? "disable";
  const authorities = searchParams.get("sslrootcert");
  searchParams.delete("sslmode");
  searchParams.delete("sslrootcert");
  return {
    url: parsed.href,
    name: `${hostname}:${port || "5432"}/${database}`,
    tls: tlsOf(mode, authorities, hostname),
  };
}

function tlsOf(mode: string, authorities: string | null, host: string): PostgresTls {
  if (!MODES.includes(mode)) throw new Error(`sslmode "${mode}" is none of ${MODES.join(", ")}`);
  if (mode !== "verify-full") {
    if (authorities !== null) throw new Error(`sslrootcert is of use with sslmode=verify-full alone, not ${mode}`);
    return mode === "require" && { rejectUnauthorized: false };
  }
  return {
    rejectUnauthorized: true,
    ...(authorities === null ? {} : { ca: readAuthorities("sslrootcert", authorities, (reason) => new Error(reason)) }),
    // The client's own knows the name of a host and not the number of one.
    checkServerIdentity: (_, certificate) => checkServerIdentity(host.replace(/^\[|\]$/g, ""), certificate),
  };
}

/** The same server's other database. */
export function withDatabase(url: string, database: string): string {
  const changed = new URL(url);
  changed.pathname = `/${database}`;
  return changed.href;
}
