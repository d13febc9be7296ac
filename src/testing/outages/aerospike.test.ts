/**
 * The ledger goes away in the middle of load: stopped (a Community server alone may lose its last writes when it is killed), and
 * standing still. Joins are refused and end one way or the other when it is back; all else goes on.
 */
import { describe, expect, test } from "bun:test";
import { missingService } from "../services.ts";
import { awayFor, expectServed, OUTAGE_MS, refusedClearly, secondsUntil, told, withServer } from "./outage.ts";

const missing = missingService("aerospike");
if (missing !== null) console.log(`outages of Aerospike: not tested, ${missing}`);

describe.skipIf(missing !== null)("outage: Aerospike", () => {
  for (const how of ["stopped", "standing still"] as const) {
    test(
      how,
      () =>
        withServer("aerospike", {
          stores: (aerospike) => ({ ledger: aerospike.url }),
          async during({ server, stage, load }) {
            await load.some("ball", 20);
            await load.enterDue(1);
            await (how === "stopped" ? server.stop() : server.pause());
            load.phase = "away";
            const over = awayFor(OUTAGE_MS);
            await load.some("join", 2 * load.visitorCount, ({ status }) => status === 503);
            await load.some("ball", 5);
            await over;
            await (how === "stopped" ? server.start() : server.resume());
            load.phase = "back";
            const join = await secondsUntil(async () => load.in("back", "join").some(({ status }) => status === 200));
            const sagas = await secondsUntil(
              async () => (await stage.node.catalog.reservedJoins(stage.clock.nowMs() - 5_000, 1)).length === 0,
            );
            await load.enterDue(2);
            return `joins taken after ${join} s, none half-done ${sagas} s later`;
          },
          after({ load }) {
            console.log(`Aerospike ${how} for ${OUTAGE_MS / 1_000} s\n${told(load)}`);
            for (const kind of ["save", "ball", "ranks", "teams"] as const) expectServed(load, kind);
            expect(refusedClearly(load.in("away", "join"))).toBe("503 store_unavailable");
          },
        }),
      120_000 + 3 * OUTAGE_MS,
    );
  }
});
