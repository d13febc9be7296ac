/** The catalog in a Postgres that speaks TLS with a certificate of the operator's own authority. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { missingService, type Service, startService } from "../../../ops/services/service.ts";
import { type Certificates, makeCertificates, noOpenssl } from "../../testing/certificates.ts";
import { parsePostgresUrl, withDatabase } from "./postgres/address.ts";
import { openTestCatalog, openContest, query, requestOf } from "./postgres/testing.ts";

const missing = missingService("postgres") ?? noOpenssl();
if (missing !== null) console.log(`catalog: postgres with TLS: skipped, for ${missing}`);

describe.skipIf(missing !== null)("catalog: postgres with TLS", () => {
  let directory = "";
  let certificates: Certificates;
  let server: Service;
  let secured = "";
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "powerplay-postgres-tls-"));
    certificates = makeCertificates(directory);
    await chmod(directory, 0o711);
    await chmod(certificates.keyFile, 0o600);
    if (userInfo().uid === 0) Bun.spawnSync(["chown", "postgres", certificates.keyFile]);
    const access = join(directory, "access");
    // The database of the test takes nobody without TLS.
    await Bun.write(access, "hostssl secured all all scram-sha-256\nhost postgres all all scram-sha-256\n");
    server = await startService("postgres", {
      directory: join(directory, "postgres"),
      settings: {
        ssl: "on",
        ssl_cert_file: certificates.certificateFile,
        ssl_key_file: certificates.keyFile,
        hba_file: access,
      },
    });
    await query(server.url, "CREATE DATABASE secured");
    secured = withDatabase(server.url, "secured");
  }, 60_000);
  afterAll(async () => {
    await server?.remove();
    await rm(directory, { recursive: true, force: true });
  });

  const verified = (url: string, file = certificates.authorityFile): string =>
    `${url}?sslmode=verify-full&sslrootcert=${file}`;

  test("a verified server keeps contests and joins; an encrypted one too", async () => {
    const catalog = await openTestCatalog(verified(secured));
    const contest = await openContest(catalog, 10);
    expect((await catalog.beginJoin(requestOf(contest, 7))).ok).toBe(true);
    await catalog.close();
    const byName = await openTestCatalog(verified(secured.replace("127.0.0.1", "localhost")));
    expect(await byName.contests(contest.matchId)).toHaveLength(1);
    await byName.close();
    await (await openTestCatalog(`${secured}?sslmode=require`)).close();
  }, 60_000);

  test("what is wrong refuses the start with what to do", async () => {
    const refusals = [
      [verified(secured, certificates.otherAuthorityFile), /CATALOG_URL.*certificate.*sslrootcert/],
      [`${secured}?sslmode=verify-full`, /CATALOG_URL.*certificate.*sslrootcert/],
      [verified(secured.replace(":powerplay@", ":other@")), /CATALOG_URL.*password/],
      [secured, /CATALOG_URL.*no encryption.*sslmode/],
      [verified(secured, "/no/such.pem"), /CATALOG_URL.*sslrootcert can't be read.*no\/such\.pem/],
    ] as const;
    for (const [url, text] of refusals) await expect(openTestCatalog(url)).rejects.toThrow(text);
  }, 60_000);
});

test("a server of another name than the URL's is refused", () => {
  const { tls } = parsePostgresUrl("postgres://u:p@db.example/d?sslmode=verify-full");
  if (tls === false) throw new Error("TLS was asked for");
  const certificate = { subject: { CN: "other.example" }, subjectaltname: "DNS:other.example" };
  expect(tls.checkServerIdentity?.("", certificate as never)).toBeInstanceOf(Error);
});

test.each([
  ["sslmode=prefer", "none of disable, require, verify-full"],
  ["sslmode=require&sslrootcert=/ca.pem", "with sslmode=verify-full alone"],
])("%s is refused", (options, fault) => {
  expect(() => parsePostgresUrl(`postgres://u:p@h/d?${options}`)).toThrow(fault);
});
