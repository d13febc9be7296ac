/** The log on a broker that speaks TLS with a certificate of the operator's own authority, and wants a password. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePorts, missingService, type Service, startService } from "../../../ops/services/service.ts";
import { nativeLibraries } from "../../native-libraries.ts";
import { type Certificates, makeCertificates, noOpenssl } from "../../testing/certificates.ts";
import { bytesOf, textOf } from "../contract.ts";
import { openKafkaEventLog } from "./kafka.ts";
import { KAFKA_TEST_OPTIONS, ownPrefix } from "./kafka/testing.ts";
import { type EventLog, partitionsOf } from "./port.ts";

const missing = missingService("kafka") ?? noOpenssl() ?? (await whyNoTls());
if (missing !== null) console.log(`event log: kafka with TLS: skipped, for ${missing}`);

async function whyNoTls(): Promise<string | null> {
  if (nativeLibraries.kafka === null) return "librdkafka is not built (make build)";
  const isThere = (await readFile(nativeLibraries.kafka)).includes("ssl.ca.location failed");
  return isThere ? null : "librdkafka is built without OpenSSL (Debian: libssl-dev, then make clean build)";
}

describe.skipIf(missing !== null)("event log: kafka with TLS", () => {
  let directory = "";
  let certificates: Certificates;
  let broker: Service;
  let hosts = "";
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "powerplay-kafka-tls-"));
    certificates = makeCertificates(directory);
    // Its own address is plain, so that the broker needs no password for itself.
    const [port, controllerPort, tlsPort] = await freePorts(3);
    const listeners = `PLAINTEXT://127.0.0.1:${port},SASL_SSL://127.0.0.1:${tlsPort}`;
    broker = await startService("kafka", {
      directory: join(directory, "kafka"),
      port: port!,
      heapMiB: 256,
      settings: {
        listeners: `${listeners},CONTROLLER://127.0.0.1:${controllerPort}`,
        "advertised.listeners": listeners,
        "controller.quorum.voters": `1@127.0.0.1:${controllerPort}`,
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL,CONTROLLER:PLAINTEXT",
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": certificates.bothFile,
        "sasl.enabled.mechanisms": "PLAIN",
        "listener.name.sasl_ssl.plain.sasl.jaas.config":
          'org.apache.kafka.common.security.plain.PlainLoginModule required user_node="pass:word";',
        "log.cleaner.dedupe.buffer.size": String(8 << 20),
      },
    });
    hosts = `127.0.0.1:${tlsPort}`;
  }, 120_000);
  afterAll(async () => {
    await broker?.remove();
    await rm(directory, { recursive: true, force: true });
  });

  const open = (login: string, options: string, timeoutMs = 2_500): Promise<EventLog> =>
    openKafkaEventLog({ ...KAFKA_TEST_OPTIONS, timeoutMs, url: `kafka://${login}${hosts}/${ownPrefix()}?${options}` });

  test("appends, reads and membership go as without", async () => {
    const log = await open("node:pass%3Aword@", `ssl.ca.location=${certificates.authorityFile}`, 20_000);
    const owned = Promise.withResolvers<readonly number[]>();
    await log.share("team-saves", "owners", (partitions) => {
      if (partitions.length > 0) owned.resolve(partitions);
    });
    const { partition, offset } = await log.append("team-saves", 11, bytesOf("secret"));
    expect(textOf((await log.read("team-saves", partition, offset, 100, 60_000)).bytes)).toBe("secret");
    expect(await log.endOffset("team-saves", partition)).toBe(1);
    expect(await owned.promise).toEqual(partitionsOf("team-saves"));
    await log.close();
  }, 60_000);

  test("what is wrong refuses the start with what to do", async () => {
    const trusted = `ssl.ca.location=${certificates.authorityFile}`;
    await expect(open("node:other@", trusted)).rejects.toThrow(
      /EVENT_LOG_URL: .*[Aa]uthentication.*check the user and the password/s,
    );
    const stranger = `ssl.ca.location=${certificates.otherAuthorityFile}`;
    await expect(open("node:pass%3Aword@", stranger)).rejects.toThrow(
      /EVENT_LOG_URL: .*certificate.*ssl\.ca\.location/s,
    );
    await expect(open("node:pass%3Aword@", "")).rejects.toThrow(/EVENT_LOG_URL: .*certificate.*ssl\.ca\.location/s);
    await expect(open("node:pass%3Aword@", "ssl.ca.location=/no/such.pem")).rejects.toThrow(
      /EVENT_LOG_URL: .*ssl\.ca\.location/,
    );
    await expect(open("", "")).rejects.toThrow(/EVENT_LOG_URL: no Kafka broker answers/);
  }, 120_000);
});
