import { describe } from "bun:test";
import { openSimulatedEventLog } from "../../testing/simulated-event-log.ts";
import { inTemporaryDirectory } from "../sqlite/temporary.ts";
import { eventLogContract } from "./contract.ts";
import { openEmbeddedEventLog } from "./embedded.ts";

describe("event log: embedded", () =>
  eventLogContract(inTemporaryDirectory((file) => openEmbeddedEventLog({ file, pendingMax: 100_000 }))));

describe("event log: simulated", () =>
  eventLogContract(async () => {
    const store = openSimulatedEventLog();
    return { store, reopen: async () => store, dispose: async () => undefined };
  }));
