import { z } from "zod";

export interface AerospikeAddress {
  /** One or more seeds, as the client takes them: `a:3000,b:3000`. */
  readonly hosts: string;
  readonly namespace: string;
  /** Starts the key of every record: ledgers with different prefixes share sets and do not meet. */
  readonly prefix: string;
  /** Empty where the cluster asks nobody. */
  readonly user: string;
  readonly password: string;
}

const FORM = "aerospike://[user:password@]host:3000[,host:3000]/NAMESPACE[?prefix=p]";
/** Aerospike's own limit. */
const NAMESPACE_BYTES_MAX = 31;
const PREFIX_CHARS_MAX = 40;
const form = z.object({
  hosts: z.string().regex(/^[\w.-]+(:\d+)?(,[\w.-]+(:\d+)?)*$/),
  namespace: z
    .string()
    .regex(/^[\w-]+$/)
    .max(NAMESPACE_BYTES_MAX),
  prefix: z
    .string()
    .regex(/^[\w.-]+$/)
    .max(PREFIX_CHARS_MAX),
});

/** Throws for a text of another form. The seeds of a cluster are no valid URL, so this is not `new URL`. */
export function aerospikeAddress(url: string): AerospikeAddress {
  const parts = /^aerospike:\/\/(?:([^:@/]*):([^@/]*)@)?([^/?@]+)\/([^/?]+)(?:\?prefix=([^&]+))?$/.exec(url);
  const parsed = form.safeParse({ hosts: parts?.[3], namespace: parts?.[4], prefix: parts?.[5] ?? "powerplay" });
  if (!parts || !parsed.success) throw new Error(`LEDGER_URL has another form than ${FORM}`);
  return { ...parsed.data, user: decodeURIComponent(parts[1] ?? ""), password: decodeURIComponent(parts[2] ?? "") };
}
