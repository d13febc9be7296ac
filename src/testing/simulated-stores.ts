import type { Random } from "../domain/random.ts";
import { catalogOver } from "../stores/catalog/embedded.ts";
import { eventLogOver } from "../stores/event-log/embedded.ts";
import { spoolOver } from "../stores/event-log/spool-store.ts";
import { ledgerOver } from "../stores/ledger/embedded.ts";
import { teamStoreOver } from "../stores/team-store/embedded.ts";
import { openInMemoryStore } from "./in-memory-store.ts";
import type { Scheduler } from "./scheduler.ts";
import type { Sightings } from "./sightings.ts";
import { openSimulatedCatalog } from "./simulated-catalog.ts";
import { openSimulatedEventLog } from "./simulated-event-log.ts";
import { openSimulatedHotStore } from "./simulated-hot-store.ts";
import { openSimulatedLedger } from "./simulated-ledger.ts";
import type { Stores } from "./simulated-node.ts";
import { openSimulatedSpool } from "./simulated-spool.ts";
import { openSimulatedTeamStore } from "./simulated-team-store.ts";

const PENDING_MAX = 10_000;

interface StoresWorld {
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly sightings: Sightings;
}

/**
 * Odd seeds play on the production engines over SQLite in memory, even ones on the naive models: what only one of the two
 * shows is a bug of a store, what both show is a bug of the planes above.
 */
export function openSimulatedStores(seed: number, world: StoresWorld, fullChance: () => number): Stores {
  const { scheduler } = world;
  const hotStore = openSimulatedHotStore(scheduler);
  if (seed % 2 === 0) {
    return {
      catalog: openSimulatedCatalog(),
      ledger: openSimulatedLedger(),
      log: openSimulatedEventLog((ms) => scheduler.sleep(ms)),
      teamStore: openSimulatedTeamStore(),
      hotStore,
      spools: new Map(),
      openSpool: openSimulatedSpool,
    };
  }
  const timing = {
    after(ms: number, then: () => void) {
      let called = false;
      scheduler.after(ms, () => called || then());
      return () => void (called = true);
    },
    turn: () => scheduler.sleep(0),
  };
  return {
    catalog: catalogOver(openInMemoryStore("Catalog", "catalog", world, fullChance)),
    ledger: ledgerOver(openInMemoryStore("Ledger", "ledger", world, fullChance)),
    log: eventLogOver(openInMemoryStore("EventLog", "eventLog", world, fullChance), PENDING_MAX, timing),
    teamStore: teamStoreOver(openInMemoryStore("TeamStore", "teamStore", world, fullChance)),
    hotStore,
    spools: new Map(),
    openSpool: () => spoolOver(openInMemoryStore("EventLog", "spool", world, fullChance)),
  };
}
