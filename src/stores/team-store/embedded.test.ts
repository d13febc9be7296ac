import { describe } from "bun:test";
import { openSimulatedTeamStore } from "../../testing/simulated-team-store.ts";
import { inTemporaryDirectory } from "../sqlite/temporary.ts";
import { teamStoreContract } from "./contract.ts";
import { openEmbeddedTeamStore } from "./embedded.ts";

describe("team store: embedded", () =>
  teamStoreContract(inTemporaryDirectory((file) => openEmbeddedTeamStore({ file, pendingMax: 100_000 }))));

describe("team store: simulated", () =>
  teamStoreContract(async () => {
    const store = openSimulatedTeamStore();
    return { store, reopen: async () => store, dispose: async () => undefined };
  }));
