export interface EdgeSecrets {
  /** Signs access and refresh tokens. */
  readonly jwt: string;
  /** Shared with the feed provider. */
  readonly feed: string;
  /** Shared with the payment provider, for its webhooks. */
  readonly webhook: string;
}

export interface NodeSecrets extends EdgeSecrets {
  /** Nodes of a cluster show it to each other. */
  readonly cluster: string;
}

/** Public by being here: good for a laptop, refused everywhere else. */
export const DEV_SECRETS: NodeSecrets = {
  jwt: "dev-only-jwt-secret-that-everybody-knows",
  feed: "dev-only-feed-secret-that-everybody-knows",
  webhook: "dev-only-webhook-secret-that-everybody-knows",
  cluster: "dev-only-cluster-secret-that-everybody-knows",
};

export interface SecretFault {
  readonly secret: keyof NodeSecrets;
  readonly fault: "missing" | "default" | "too_short" | "repetitive" | "shared";
  readonly message: string;
}

/** HS256 wants at least as many bytes as its hash has (RFC 7518, 3.2). */
const SECRET_BYTES_MIN = 32;
const DISTINCT_CHARACTERS_MIN = 8;

/** Why a node must not start with these secrets; empty when it may. Not asked with `--dev`. Only a node of a cluster has all. */
export function secretFaults(secrets: EdgeSecrets | NodeSecrets): readonly SecretFault[] {
  const faults: SecretFault[] = [];
  const given = new Map(Object.entries(secrets) as [keyof NodeSecrets, string][]);
  for (const [secret, value] of given) {
    const fault = (fault: SecretFault["fault"], reason: string) =>
      faults.push({ secret, fault, message: `the ${secret} secret ${reason}` });
    if (value === "") fault("missing", "is missing");
    else if (Object.values(DEV_SECRETS).includes(value)) fault("default", "is a development secret");
    else if (Buffer.byteLength(value) < SECRET_BYTES_MIN) fault("too_short", `has less than ${SECRET_BYTES_MIN} bytes`);
    else if (new Set(value).size < DISTINCT_CHARACTERS_MIN) fault("repetitive", "repeats a few characters");
    else if ([...given].some(([name, other]) => name !== secret && other === value)) fault("shared", "is used twice");
  }
  return faults;
}
