/**
 * Each of the other servers goes away in the middle of load, killed and standing still: what is promised to go on goes on, what is
 * refused is refused clearly, and when it is back everything catches up and the judges find nothing.
 */
import { describe, expect, test } from "bun:test";
import type { StoreUrls } from "../../config.ts";
import { missingService, type Service, type ServiceName } from "../services.ts";
import type { Kind, OutageLoad } from "./outage-load.ts";
import { awayFor, expectServed, OUTAGE_MS, refusedClearly, secondsUntil, told, withServer } from "./outage.ts";

const inDatabase = (url: string, name: string): string => `${url.replace(/\/[^/]*$/, "")}/${name}`;

interface Promised {
  readonly server: ServiceName;
  readonly stores: (server: Service) => Partial<StoreUrls>;
  /** Go on as if nothing were. */
  readonly served: readonly Kind[];
  /** May be refused, with 503 and when to come again. */
  readonly refused: readonly Kind[];
}

const PROMISES: readonly Promised[] = [
  {
    server: "redis",
    stores: (redis) => ({ hotStore: redis.url }),
    served: ["save", "join", "ball", "ranks", "teams"],
    refused: [],
  },
  {
    server: "postgres",
    stores: (postgres) => ({ catalog: { url: postgres.url, userUrls: [], replicaUrls: [] } }),
    served: ["save", "ball", "ranks"],
    refused: ["join"],
  },
  {
    server: "cassandra",
    stores: (cassandra) => ({ teamStore: `${inDatabase(cassandra.url, "outage")}?replication=1` }),
    served: ["save", "join", "ball", "ranks"],
    refused: ["teams"],
  },
  {
    server: "aerospike",
    stores: (aerospike) => ({ ledger: `${aerospike.url}?prefix=outage` }),
    served: ["save", "ball", "ranks", "teams"],
    refused: ["join"],
  },
];

/** Refused or not, each answer is one of the two, and those that are refused say when to come again. */
function expectClear(load: OutageLoad, kind: Kind): void {
  const away = load.in("away", kind);
  expect(away.length).toBeGreaterThan(0);
  const refused = away.filter(({ status }) => status !== 200);
  if (refused.length > 0) expect(refusedClearly(refused)).toBe("503 store_unavailable");
}

for (const { server: name, stores, served, refused } of PROMISES) {
  const missing = missingService(name);
  if (missing !== null) console.log(`outages of ${name}: not tested, ${missing}`);

  describe.skipIf(missing !== null)(`outage: ${name}`, () => {
    for (const how of ["killed", "standing still"] as const) {
      test(
        how,
        () =>
          withServer(name, {
            stores,
            async during({ server, load }) {
              await load.some("ball", 20);
              await (how === "killed" ? server.kill() : server.pause());
              load.phase = "away";
              await awayFor(OUTAGE_MS);
              for (const kind of [...served, ...refused]) await load.some(kind, 1);
              await (how === "killed" ? server.start() : server.resume());
              load.phase = "back";
              const all = await secondsUntil(async () =>
                [...served, ...refused].every((kind) => load.in("back", kind).some(({ status }) => status === 200)),
              );
              return `everything is served again after ${all} s`;
            },
            after({ load }) {
              console.log(`${name} ${how} for ${OUTAGE_MS / 1_000} s\n${told(load)}`);
              for (const kind of served) expectServed(load, kind);
              for (const kind of refused) expectClear(load, kind);
            },
          }),
        120_000 + 3 * OUTAGE_MS,
      );
    }
  });
}
