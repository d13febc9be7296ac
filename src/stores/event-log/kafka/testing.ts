import { randomBytes } from "node:crypto";
import type { OpenStore } from "../../contract.ts";
import { type KafkaLogOptions, openKafkaEventLog } from "../kafka.ts";
import type { EventLog } from "../port.ts";
import { nativeLibraries } from "../../../native-libraries.ts";

export const KAFKA_TEST_OPTIONS: Omit<KafkaLogOptions, "url"> = {
  memberId: "test",
  pendingMax: 100_000,
  pendingBytesMax: 64 << 20,
  timeoutMs: 20_000,
  questionMs: 20_000,
  readersMax: 4,
  aheadBytesMax: 1 << 20,
  sessionMs: 6_000,
};

export const withPrefix = (url: string, prefix: string): string => `${url.slice(0, url.lastIndexOf("/"))}/${prefix}`;
export const ownPrefix = (): string => `t${randomBytes(6).toString("hex")}`;

/** null, with one line that names what is missing, where these tests can't run. */
export async function testKafkaUrl(): Promise<string | null> {
  const url = process.env["TEST_KAFKA_URL"];
  const missing = url === undefined ? "TEST_KAFKA_URL is not set (make services)" : await whyNot(url);
  if (missing === null) return url!;
  console.log(`event log: kafka: skipped, for ${missing}`);
  return null;
}

async function whyNot(url: string): Promise<string | null> {
  if (nativeLibraries.kafka === null) return "librdkafka is not built (make build)";
  const { hostname, port } = new URL(url.replace("kafka:", "http:"));
  try {
    (await Bun.connect({ hostname, port: Number(port), socket: { data: () => undefined } })).end();
    return null;
  } catch {
    return `no broker answers at ${hostname}:${port} (make services)`;
  }
}

/** Topics of its own for each test; they stay, empty or small, until their retention. */
export const inOwnTopics =
  (url: string): OpenStore<EventLog> =>
  async () => {
    const own = withPrefix(url, ownPrefix());
    const open = () => openKafkaEventLog({ ...KAFKA_TEST_OPTIONS, url: own });
    let store = await open();
    return {
      store,
      async reopen() {
        await store.close();
        return (store = await open());
      },
      dispose: () => store.close(),
    };
  };
