import { describe } from "bun:test";
import { openSimulatedLedger } from "../../testing/simulated-ledger.ts";
import { inTemporaryDirectory } from "../sqlite/temporary.ts";
import { ledgerContract } from "./contract.ts";
import { openEmbeddedLedger } from "./embedded.ts";

describe("ledger: embedded", () =>
  ledgerContract(inTemporaryDirectory((file) => openEmbeddedLedger({ file, pendingMax: 100_000 }))));

describe("ledger: simulated", () =>
  ledgerContract(async () => {
    const store = openSimulatedLedger();
    return { store, reopen: async () => store, dispose: async () => undefined };
  }));
