import { describe } from "bun:test";
import { randomBytes } from "node:crypto";
import { eventLogContract } from "./contract.ts";
import { openKafkaEventLog } from "./kafka.ts";

export const KAFKA_OPTIONS = {
  memberId: "test",
  pendingMax: 100_000,
  pendingBytesMax: 64 << 20,
  timeoutMs: 10_000,
  readersMax: 4,
  aheadBytesMax: 1 << 20,
  sessionMs: 6_000,
};
const url = process.env["TEST_KAFKA_URL"]!;
describe("event log: kafka", () =>
  eventLogContract(async () => {
    const own = `${url.slice(0, url.lastIndexOf("/"))}/t${randomBytes(6).toString("hex")}`;
    const open = () => openKafkaEventLog({ ...KAFKA_OPTIONS, url: own, log: console.error });
    let store = await open();
    return {
      store,
      async reopen() {
        await store.close();
        return (store = await open());
      },
      dispose: () => store.close(),
    };
  }));
