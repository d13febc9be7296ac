import { catalogEngine } from "../catalog/sqlite/engine.ts";
import { eventLogEngine } from "../event-log/sqlite/engine.ts";
import { spoolEngine } from "../event-log/sqlite/spool-engine.ts";
import { ledgerEngine } from "../ledger/sqlite/engine.ts";
import { teamStoreEngine } from "../team-store/sqlite/engine.ts";
import type { Operations, SqliteEngine } from "./engine.ts";

/** By the name in `OpenThread`: functions can't be sent to a thread, names can. */
export const ENGINES = {
  catalog: catalogEngine,
  eventLog: eventLogEngine,
  ledger: ledgerEngine,
  spool: spoolEngine,
  teamStore: teamStoreEngine,
} satisfies Readonly<Record<string, SqliteEngine<Operations, Operations>>>;

export type EngineName = keyof typeof ENGINES;
