/** What the crash test and its victim agree on. */
import { join } from "node:path";
import type { Contest } from "../../domain/contest.ts";
import { paise } from "../../domain/money.ts";
import { openEmbeddedCatalog } from "../catalog/embedded.ts";
import type { Catalog } from "../catalog/port.ts";
import { openEmbeddedEventLog } from "../event-log/embedded.ts";
import type { EventLog } from "../event-log/port.ts";
import { openEmbeddedLedger } from "../ledger/embedded.ts";
import type { Ledger } from "../ledger/port.ts";

export type Acknowledged =
  | { readonly kind: "append"; readonly partition: number; readonly offset: number; readonly text: string }
  | { readonly kind: "transfer"; readonly txnId: string }
  | { readonly kind: "entered"; readonly entryId: number }
  | { readonly kind: "released"; readonly sagaId: number };

export const lineOf = (acknowledged: Acknowledged): string => `${JSON.stringify(acknowledged)}\n`;
export const acknowledgedOf = (line: string): Acknowledged => JSON.parse(line) as Acknowledged;

export interface Stores {
  readonly log: EventLog;
  readonly ledger: Ledger;
  readonly catalog: Catalog;
}

export async function openStores(directory: string): Promise<Stores> {
  const options = (name: string) => ({ file: join(directory, `${name}.sqlite`), pendingMax: 10_000 });
  return {
    log: await openEmbeddedEventLog(options("log")),
    ledger: await openEmbeddedLedger(options("ledger")),
    catalog: await openEmbeddedCatalog(options("catalog")),
  };
}

/** The one contest of the one match; created when there is none. */
export async function openContest(catalog: Catalog): Promise<Contest> {
  const [known] = await catalog.matches({ limit: 1 });
  const match =
    known ??
    (await catalog.createMatch({
      name: "Crash v Burn",
      sides: ["Crash", "Burn"],
      format: "T20",
      startMs: 1_790_000_000_000,
      scoringRules: "t20-2026",
      rosterRules: "modern",
    }));
  const [contest] = await catalog.contests(match.id);
  return (
    contest ??
    catalog.createContest({
      matchId: match.id,
      kind: "mega",
      name: "Mega",
      entryFeePaise: paise(4_900),
      entriesMax: 1_000_000,
      entriesPerUserMax: 1,
      prizePoolPaise: paise(0),
      prizes: [],
      guaranteed: true,
      inviteCode: null,
    })
  );
}
