/** The hot store on a Redis that speaks TLS with a certificate of the operator's own authority, and wants a user's password. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePorts, missingService, type Service, startService } from "../../../ops/services/service.ts";
import { limits } from "../../config.ts";
import { type Certificates, makeCertificates, noOpenssl } from "../../testing/certificates.ts";
import { bytesOf, textOf } from "../contract.ts";
import type { HotStore } from "./port.ts";
import { openRedisHotStore } from "./redis.ts";
import { parseRedisUrl } from "./redis/address.ts";

const missing = missingService("redis") ?? noOpenssl();
if (missing !== null) console.log(`hot store: redis with TLS: skipped, for ${missing}`);

describe.skipIf(missing !== null)("hot store: redis with TLS", () => {
  let directory = "";
  let certificates: Certificates;
  let server: Service;
  let tlsPort = 0;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "powerplay-redis-tls-"));
    certificates = makeCertificates(directory);
    [tlsPort] = (await freePorts(1)) as [number];
    const users = join(directory, "users");
    await Bun.write(users, "user default on nopass ~* &* +@all\nuser node on >pass:word ~* &* +@all\n");
    // Its plain port is for the one who starts it.
    server = await startService("redis", {
      directory: join(directory, "redis"),
      settings: {
        "tls-port": String(tlsPort),
        "tls-cert-file": certificates.certificateFile,
        "tls-key-file": certificates.keyFile,
        "tls-ca-cert-file": certificates.authorityFile,
        "tls-auth-clients": "no",
        aclfile: users,
      },
    });
  }, 60_000);
  afterAll(async () => {
    await server?.remove();
    await rm(directory, { recursive: true, force: true });
  });

  const open = (url: string): Promise<HotStore> => openRedisHotStore({ ...limits.redis, url });

  test("values and channels go as without", async () => {
    const url = `rediss://node:pass%3Aword@127.0.0.1:${tlsPort}/0?ca=${certificates.authorityFile}`;
    for (const one of [url, url.replace("127.0.0.1", "localhost")]) {
      const store = await open(one);
      await store.set("key", bytesOf("secret"), 60_000);
      expect(textOf((await store.get("key"))!)).toBe("secret");
      const heard = Promise.withResolvers<string>();
      await store.subscribe("news", (message) => heard.resolve(textOf(message)));
      await store.publish("news", bytesOf("in secret"));
      expect(await heard.promise).toBe("in secret");
      await store.close();
    }
  });

  test("what is wrong refuses the start with what to do", async () => {
    const at = `127.0.0.1:${tlsPort}/0`;
    const ca = `?ca=${certificates.authorityFile}`;
    const refusals = [
      [`rediss://node:pass%3Aword@${at}`, /certificate.*[Ll]et ca in HOT_STORE_URL/],
      [
        `rediss://node:pass%3Aword@${at}?ca=${certificates.otherAuthorityFile}`,
        /certificate.*[Ll]et ca in HOT_STORE_URL/,
      ],
      [`rediss://node:other@${at}${ca}`, /WRONGPASS.*Check the user and the password in HOT_STORE_URL/],
      [`redis://node:pass%3Aword@${at}`, /no Redis at .*rediss:\/\/ where it speaks TLS/],
      [`rediss://node:pass%3Aword@${at}?ca=/no/such.pem`, /HOT_STORE_URL: ca can't be read: .*no\/such\.pem/],
    ] as const;
    for (const [url, text] of refusals) await expect(open(url)).rejects.toThrow(text);
  }, 60_000);
});

test("an authority without TLS is refused", () => {
  expect(() => parseRedisUrl("redis://h?ca=/ca.pem")).toThrow("HOT_STORE_URL: ca is of use with rediss:// alone");
});
