/**
 * The catalog goes away in the middle of load: killed, and standing still. Saves, balls, ranks and pushes go on with what is
 * known of the matches; joins are refused and leave nothing half-done.
 */
import { describe, expect, test } from "bun:test";
import { missingService } from "../services.ts";
import { awayFor, expectServed, OUTAGE_MS, refusedClearly, secondsUntil, told, withServer } from "./outage.ts";

const missing = missingService("postgres");
if (missing !== null) console.log(`outages of Postgres: not tested, ${missing}`);

describe.skipIf(missing !== null)("outage: Postgres", () => {
  for (const how of ["killed", "standing still"] as const) {
    test(
      how,
      () =>
        withServer("postgres", {
          stores: (postgres) => ({ catalog: { url: postgres.url, userUrls: [], replicaUrls: [] } }),
          async during({ server, load }) {
            await load.some("ball", 20);
            await load.enterDue(1);
            await (how === "killed" ? server.kill() : server.pause());
            load.phase = "away";
            const over = awayFor(OUTAGE_MS);
            const shown = load.newestShown;
            await load.some("ball", 2, ({ status }) => status === 200);
            await secondsUntil(async () => load.newestShown > shown);
            await load.some("join", 2 * load.visitorCount, ({ status }) => status === 503);
            await over;
            await (how === "killed" ? server.start() : server.resume());
            load.phase = "back";
            const join = await secondsUntil(async () => load.in("back", "join").some(({ status }) => status === 200));
            await load.some("ball", 5);
            await load.enterDue(2);
            return `joins taken after ${join} s`;
          },
          after({ load }) {
            console.log(`Postgres ${how} for ${OUTAGE_MS / 1_000} s\n${told(load)}`);
            for (const kind of ["save", "ball", "ranks"] as const) expectServed(load, kind);
            expect(refusedClearly(load.in("away", "join"))).toBe("503 store_unavailable");
            expect(load.in("back", "join").some(({ status }) => status === 200)).toBe(true);
          },
        }),
      120_000 + 3 * OUTAGE_MS,
    );
  }
});
