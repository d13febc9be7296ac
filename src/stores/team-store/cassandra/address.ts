import { readAuthorities } from "../../authorities.ts";

/** Where a Cassandra or ScyllaDB is, as TEAM_STORE_URL says it. */
export interface CassandraAddress {
  /** Some nodes of the data centre, as host:port; the others are learnt from them. */
  readonly contactPoints: readonly string[];
  /** Of nodes that do not tell their own. */
  readonly port: number;
  readonly username?: string;
  readonly password?: string;
  /** Each node must show a certificate for its address, signed by one of `ca` (PEM) or, without, by one of the usual authorities. */
  readonly tls?: { readonly ca?: string };
  readonly keyspace: string;
  readonly dataCentre: string;
  /** Copies in the data centre, of a keyspace that is created. */
  readonly replication: number;
  /** For messages: without the password. */
  readonly shown: string;
}

const FORM =
  "cassandra://[user:password@]host:9042,host2:9042/keyspace[?dc=datacenter1&replication=3&tls=on&ca=/ca.pem]";
const OPTIONS = ["dc", "replication", "tls", "ca"];
const DEFAULT_PORT = 9042;
/** What SimpleSnitch calls the one that it knows. */
const DEFAULT_DATA_CENTRE = "datacenter1";
/** Of three copies one may be lost and LOCAL_QUORUM goes on. */
const DEFAULT_REPLICATION = 3;

const URL_PARTS =
  /^cassandra:\/\/(?:(?<user>[^:@/]*):(?<password>[^@/]*)@)?(?<hosts>[^/?#@]+)(?:\/(?<path>[^?#]*))?(?:\?(?<query>[^#]*))?$/;
const HOST = /^(?<host>\[[0-9a-fA-F:.]+\]|[^:[\]\s]+)(?::(?<port>\d+))?$/;

/** Throws an Error that names the fault and the form. */
export function parseCassandraUrl(url: string): CassandraAddress {
  const parts = URL_PARTS.exec(url)?.groups;
  if (parts === undefined) throw fault("it has another form");
  const hosts = parts["hosts"]!.split(",").map(hostOf);
  const keyspace = parts["path"] ?? "";
  if (!/^[a-z][a-z0-9_]{0,47}$/.test(keyspace))
    throw fault(`"${keyspace}" is no keyspace: lower-case letters, digits and _, 48 at most`);
  const query = new URLSearchParams(parts["query"] ?? "");
  for (const name of query.keys())
    if (!OPTIONS.includes(name)) throw fault(`"${name}" is no option; there are ${OPTIONS.join(", ")}`);
  const dataCentre = query.get("dc") ?? DEFAULT_DATA_CENTRE;
  if (!/^[\w.-]+$/.test(dataCentre)) throw fault(`"${dataCentre}" is no name of a data centre`);
  const replication = Number(query.get("replication") ?? DEFAULT_REPLICATION);
  if (!Number.isInteger(replication) || replication < 1 || replication > 9)
    throw fault("replication is a number of copies, 1 to 9");
  const [username, password] = [parts["user"], parts["password"]].map((text) => decodeURIComponent(text ?? ""));
  return {
    contactPoints: hosts.map(({ host, port }) => `${host}:${port}`),
    port: hosts[0]!.port,
    ...(username ? { username } : {}),
    ...(password ? { password } : {}),
    ...tlsOf(query),
    keyspace,
    dataCentre,
    replication,
    shown: `cassandra://${parts["hosts"]}/${keyspace}?dc=${dataCentre}`,
  };
}

function tlsOf(query: URLSearchParams): Pick<CassandraAddress, "tls"> {
  const [tls, file] = [query.get("tls") ?? "off", query.get("ca")];
  if (tls !== "on" && tls !== "off") throw fault("tls is on or off");
  if (tls === "off") {
    if (file !== null) throw fault("ca is of use with tls=on alone");
    return {};
  }
  return { tls: file === null ? {} : { ca: readAuthorities("ca", file, fault) } };
}

function hostOf(text: string): { host: string; port: number } {
  const parts = HOST.exec(text)?.groups;
  const port = Number(parts?.["port"] ?? DEFAULT_PORT);
  if (parts === undefined || port < 1 || port > 65_535) throw fault(`"${text}" is not host:port`);
  return { host: parts["host"]!, port };
}

const fault = (reason: string): Error => new Error(`TEAM_STORE_URL: ${reason}; write ${FORM}`);
