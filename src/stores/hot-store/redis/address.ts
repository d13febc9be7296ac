import { readAuthorities } from "../../authorities.ts";

/** Where a Redis is, as HOT_STORE_URL says it. */
export interface RedisAddress {
  readonly cluster: boolean;
  readonly tls: boolean;
  /** Of authorities that sign the servers' certificates, instead of the usual ones; PEM. */
  readonly ca?: string;
  /** One, or some of a cluster's: the others are learnt from them. */
  readonly hosts: readonly { readonly host: string; readonly port: number }[];
  readonly username?: string;
  readonly password?: string;
  readonly database: number;
  /** Before every key and channel, for several installations on one Redis. */
  readonly prefix: string;
  /** For messages: without the password. */
  readonly shown: string;
}

const FORMS =
  "redis://[user:password@]host:6379/0[?prefix=p], rediss://…[?ca=/ca.pem] with TLS, redis+cluster://host:6379,host2:6379[?prefix=p]";
const DEFAULT_PORT = 6379;

const URL_PARTS =
  /^(?<scheme>rediss?(?:\+cluster)?):\/\/(?:(?<user>[^:@/]*)(?::(?<password>[^@/]*))?@)?(?<hosts>[^/?#@]+)(?:\/(?<path>[^?#]*))?(?:\?(?<query>[^#]*))?$/;
const HOST = /^(?<host>\[[0-9a-fA-F:.]+\]|[^:[\]\s]+)(?::(?<port>\d+))?$/;

/** Throws an Error that names the fault and the forms there are. */
export function parseRedisUrl(url: string): RedisAddress {
  const parts = URL_PARTS.exec(url)?.groups;
  if (parts === undefined) throw fault("it is none of the forms");
  const [protocol, kind] = parts["scheme"]!.split("+");
  const cluster = kind === "cluster";
  const hosts = parts["hosts"]!.split(",").map(hostOf);
  if (!cluster && hosts.length > 1) throw fault("several hosts are a cluster: redis+cluster://");
  const path = parts["path"] ?? "";
  if (!/^\d{0,4}$/.test(path)) throw fault(`"/${path}" is no number of a database`);
  const database = Number(path);
  if (cluster && database !== 0) throw fault("a cluster has database 0 alone");
  const query = new URLSearchParams(parts["query"] ?? "");
  for (const name of query.keys())
    if (name !== "prefix" && name !== "ca") throw fault(`"${name}" is no option; there are prefix and ca`);
  const prefix = query.get("prefix") ?? "";
  // Braces would decide where in a cluster a key lies, and put all of them on one node.
  if (/[{}\s]/.test(prefix)) throw fault("a prefix has no braces and no spaces");
  const [username, password] = [parts["user"], parts["password"]].map((text) => decodeURIComponent(text ?? ""));
  return {
    cluster,
    tls: protocol === "rediss",
    ...authoritiesOf(query.get("ca"), protocol === "rediss"),
    hosts,
    ...(username ? { username } : {}),
    ...(password ? { password } : {}),
    database,
    prefix,
    shown: `${parts["scheme"]}://${parts["hosts"]}${cluster ? "" : `/${database}`}`,
  };
}

function authoritiesOf(file: string | null, tls: boolean): Pick<RedisAddress, "ca"> {
  if (file === null) return {};
  if (!tls) throw fault("ca is of use with rediss:// alone");
  return { ca: readAuthorities("ca", file, fault) };
}

function hostOf(text: string): { host: string; port: number } {
  const parts = HOST.exec(text)?.groups;
  const port = Number(parts?.["port"] ?? DEFAULT_PORT);
  if (parts === undefined || port < 1 || port > 65_535) throw fault(`"${text}" is not host:port`);
  return { host: parts["host"]!.replace(/^\[|\]$/g, ""), port };
}

const fault = (reason: string): Error => new Error(`HOT_STORE_URL: ${reason}; write ${FORMS}`);
