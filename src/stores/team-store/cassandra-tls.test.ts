/** The team store on a Cassandra that speaks TLS with a certificate of the operator's own authority, and wants a password. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "cassandra-driver";
import { entryId, matchId, teamNo, userId } from "../../domain/ids.ts";
import { missingService, type Service, startService } from "../../testing/services.ts";
import { type Certificates, makeCertificates, noOpenssl } from "../../testing/certificates.ts";
import { parseCassandraUrl } from "./cassandra/address.ts";
import { openCassandraTeamStore } from "./cassandra.ts";
import type { TeamStore } from "./port.ts";

const limits = {
  timeoutMs: 20_000,
  connectTimeoutMs: 5_000,
  requestsMax: 32,
  waitingMax: 1_000,
  batchRowsMax: 512,
  reconnectMsMax: 200,
};

const missing = missingService("cassandra") ?? noOpenssl();
if (missing !== null) console.log(`team store: cassandra with TLS: skipped, for ${missing}`);

describe.skipIf(missing !== null)("team store: cassandra with TLS", () => {
  let directory = "";
  let certificates: Certificates;
  let server: Service;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "powerplay-cassandra-tls-"));
    certificates = makeCertificates(directory);
    const { authorityFile, password, storeFile } = certificates;
    // It makes its first user some time after it listens; until then nobody may come in.
    const answers = async (port: number): Promise<boolean> => {
      const client = new Client({
        contactPoints: [`127.0.0.1:${port}`],
        localDataCenter: "datacenter1",
        credentials: { username: "cassandra", password: "cassandra" },
        sslOptions: { ca: readFileSync(authorityFile), rejectUnauthorized: true },
        socketOptions: { connectTimeout: 2_000 },
      });
      try {
        await client.connect();
        return true;
      } catch {
        return false;
      } finally {
        await client.shutdown();
      }
    };
    server = await startService("cassandra", {
      directory: join(directory, "cassandra"),
      heapMiB: 768,
      answers,
      settings: {
        authenticator: "PasswordAuthenticator",
        client_encryption_options: `{enabled: true, optional: false, keystore: "${storeFile}", keystore_password: "${password}", store_type: PKCS12}`,
      },
    });
  }, 240_000);
  afterAll(async () => {
    await server?.remove();
    await rm(directory, { recursive: true, force: true });
  });

  const open = (login: string, options: string): Promise<TeamStore> =>
    openCassandraTeamStore({
      ...limits,
      url: `cassandra://${login}127.0.0.1:${server.port}/secret?replication=1${options}`,
    });

  test("teams are kept as without", async () => {
    const row = {
      matchId: matchId(1),
      entryId: entryId(userId(7), teamNo(1)),
      version: 3,
      savedAtMs: 30,
      roster: Uint8Array.from({ length: 11 }, (_, slot) => slot),
    };
    const store = await open("cassandra:cassandra@", `&tls=on&ca=${certificates.authorityFile}`);
    await store.appendTeams(0, [row], 4);
    expect(await store.versions(row.matchId, row.entryId)).toEqual([row]);
    await store.close();
  }, 60_000);

  test("what is wrong refuses the start with what to do", async () => {
    const trusted = `&tls=on&ca=${certificates.authorityFile}`;
    const refusals = [
      ["cassandra:other@", trusted, /password are incorrect.*Check TEAM_STORE_URL .*user/s],
      [
        "cassandra:cassandra@",
        `&tls=on&ca=${certificates.otherAuthorityFile}`,
        /certificate.*Check TEAM_STORE_URL .*ca=/s,
      ],
      ["cassandra:cassandra@", "&tls=on", /certificate.*Check TEAM_STORE_URL .*ca=/s],
      ["cassandra:cassandra@", "", /Check TEAM_STORE_URL .*tls=on/s],
      ["cassandra:cassandra@", "&tls=on&ca=/no/such.pem", /TEAM_STORE_URL: ca can't be read: .*no\/such\.pem/],
    ] as const;
    for (const [login, options, text] of refusals) await expect(open(login, options)).rejects.toThrow(text);
  }, 120_000);
});

test.each([
  ["tls=yes", "tls is on or off"],
  ["ca=/ca.pem", "ca is of use with tls=on alone"],
])("%s is refused", (options, fault) => {
  expect(() => parseCassandraUrl(`cassandra://a/k?${options}`)).toThrow(`TEAM_STORE_URL: ${fault}`);
});
