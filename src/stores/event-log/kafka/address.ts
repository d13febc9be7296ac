/** What `EVENT_LOG_URL=kafka://…` says. */
export interface KafkaAddress {
  /** host:port,host:port */
  readonly brokers: string;
  /** Topics and groups of this installation begin with it. */
  readonly prefix: string;
  /** Of topics that are created at the start. */
  readonly replication: number;
  readonly minInsync: number;
  readonly retentionMs: number;
  /** librdkafka's own settings, by their names in its CONFIGURATION.md. */
  readonly settings: Readonly<Record<string, string>>;
}

export type KafkaAddressResult =
  { readonly ok: true; readonly address: KafkaAddress } | { readonly ok: false; readonly fault: string };

const FORM = "kafka://[user:password@]host:9092,host2:9092/PREFIX[?replication=3&minInsync=2]";
const DAY_MS = 24 * 3_600_000;
const RETENTION_DAYS = 7;
const PORT = 9092;

/**
 * `kafka://[user:password@]host:port,…/PREFIX?options`. Options: `replication` (1), `minInsync` (one less than `replication`, at
 * least 1), `retentionMs` (7 days) of new topics; any name with a dot is librdkafka's own setting, such as
 * `security.protocol=SASL_SSL` or `ssl.ca.location`. A user's name means SASL; PLAIN unless `sasl.mechanism` says otherwise.
 */
export function parseKafkaUrl(url: string): KafkaAddressResult {
  const match = /^kafka:\/\/(?:([^@/]*)@)?([^/?@]+)\/([A-Za-z0-9._-]{1,100})(?:\?(.*))?$/.exec(url);
  if (match === null) return { ok: false, fault: `is not of the form ${FORM}` };
  const [, login, hosts, prefix, query = ""] = match;
  const brokers: string[] = [];
  for (const host of hosts!.split(",")) {
    const parts = /^([A-Za-z0-9._-]+|\[[0-9a-fA-F:]+\])(?::(\d{1,5}))?$/.exec(host);
    if (parts === null) return { ok: false, fault: `"${host}" is not host:port` };
    brokers.push(`${parts[1]}:${parts[2] ?? PORT}`);
  }
  const options = new URLSearchParams(query);
  const settings: Record<string, string> = {};
  if (login !== undefined) {
    const [user = "", password = ""] = login.split(":").map(decodeURIComponent);
    settings["security.protocol"] = "SASL_SSL";
    settings["sasl.mechanism"] = "PLAIN";
    settings["sasl.username"] = user;
    settings["sasl.password"] = password;
  }
  const numbers: Record<string, number> = {};
  for (const [name, value] of options) {
    if (name.includes(".")) settings[name] = value;
    else if (!["replication", "minInsync", "retentionMs"].includes(name)) {
      return { ok: false, fault: `"${name}" is no option; those with a dot are librdkafka's` };
    } else if (!/^[1-9]\d{0,14}$/.test(value)) return { ok: false, fault: `${name}: "${value}" is not a whole number` };
    else numbers[name] = Number(value);
  }
  const replication = numbers["replication"] ?? 1;
  const minInsync = numbers["minInsync"] ?? Math.max(1, replication - 1);
  if (minInsync > replication) return { ok: false, fault: "minInsync: is more than replication" };
  return {
    ok: true,
    address: {
      brokers: brokers.join(","),
      prefix: prefix!,
      replication,
      minInsync,
      retentionMs: numbers["retentionMs"] ?? RETENTION_DAYS * DAY_MS,
      settings,
    },
  };
}
