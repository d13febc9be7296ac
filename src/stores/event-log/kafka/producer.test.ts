import { dlopen } from "bun:ffi";
import { expect, test } from "bun:test";
import { nativeLibraries } from "../../../native-libraries.ts";
import { bytesOf } from "../../contract.ts";
import { StoreUnavailable } from "../../unavailable.ts";
import { openKafkaEventLog } from "../kafka.ts";
import { parseKafkaUrl } from "./address.ts";
import { KafkaClient } from "./client.ts";
import { openKafkaLibrary } from "./library.ts";
import { Producer } from "./producer.ts";
import { KAFKA_TEST_OPTIONS, ownPrefix, testKafkaUrl, withPrefix } from "./testing.ts";
import { Wake } from "./wake.ts";

const shared = await testKafkaUrl();
const OUT_OF_ORDER_SEQUENCE_NUMBER = 45;

test.skipIf(shared === null)("a producer that fails for good refuses who waits and serves who comes next", async () => {
  const opening = openKafkaLibrary(nativeLibraries.kafka);
  const url = withPrefix(shared!, ownPrefix());
  const address = parseKafkaUrl(url);
  if (!opening.ok || !address.ok) throw new Error("neither the library nor the address is the matter of this test");
  const { library } = opening;
  await (await openKafkaEventLog({ ...KAFKA_TEST_OPTIONS, url })).close();
  const { rd_kafka_test_fatal_error: fail } = dlopen(nativeLibraries.kafka!, {
    rd_kafka_test_fatal_error: { args: ["ptr", "i32", "cstring"], returns: "i32" },
  }).symbols;
  const wake = await Wake.open(library);
  const clients: KafkaClient[] = [];
  const troubles: string[] = [];
  const producer = new Producer({
    openClient(onEvent, onTrouble) {
      const { brokers, prefix } = address.address;
      const settings = { "bootstrap.servers": brokers, "enable.idempotence": "true" };
      const client = new KafkaClient({ library, wake, kind: "producer", prefix, settings, onEvent, onTrouble });
      clients.push(client);
      return client;
    },
    pendingMax: 1_000,
    pendingBytesMax: 1 << 20,
    onTrouble: ({ text }) => troubles.push(text),
  });
  for (let round = 1; round <= 3; round++) {
    await producer.append("score-events", 0, 1, bytesOf(`before ${round}`));
    const waiting = Array.from({ length: 100 }, () => producer.append("score-events", 0, 1, bytesOf("waits")));
    fail(clients.at(-1)!.handle, OUT_OF_ORDER_SEQUENCE_NUMBER, bytesOf("records were deleted\0"));
    const refused = await producer.append("score-events", 0, 1, bytesOf("too late")).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(StoreUnavailable);
    for (const answer of await Promise.allSettled(waiting)) {
      if (answer.status === "rejected") expect(answer.reason).toBeInstanceOf(StoreUnavailable);
    }
    while (clients.length === round) await Bun.sleep(1);
    const { offset } = await producer.append("score-events", 0, 1, bytesOf("after"));
    expect(offset).toBeGreaterThanOrEqual(0);
  }
  expect(troubles.some((text) => text.includes("records were deleted"))).toBe(true);
  await producer.settled();
  await producer.close();
  wake.close();
});
