/**
 * The log goes away in the middle of load: killed, and standing still. Saves and joins are acknowledged all the same, balls are
 * refused, ranks stay as they were; a deadline that passes meanwhile waits for the saves that wait on the node.
 */
import { describe, expect, test } from "bun:test";
import { missingService } from "../services.ts";
import { awayFor, expectServed, OUTAGE_MS, refusedClearly, secondsUntil, told, withServer } from "./outage.ts";

const missing = missingService("kafka");
if (missing !== null) console.log(`outages of Kafka: not tested, ${missing}`);

describe.skipIf(missing !== null)("outage: Kafka", () => {
  for (const how of ["killed", "standing still"] as const) {
    test(
      how,
      () =>
        withServer("kafka", {
          stores: (kafka) => ({ eventLog: `${kafka.url.replace(/\/[^/]*$/, "")}/outage` }),
          async during({ server, stage, load }) {
            await load.some("ball", 20);
            await load.enterDue(1);
            await (how === "killed" ? server.kill() : server.pause());
            load.phase = "away";
            const over = awayFor(OUTAGE_MS);
            // The first of them was asked before.
            await load.some("ball", 2, ({ status }) => status === 503);
            await load.enterDue(2);
            await stage.passDeadline();
            await over;
            expect(await stage.metric("powerplay_spool_records")).toBeGreaterThan(0);
            expect(await stage.node.catalog.lockPositions(stage.due.match.id)).toBeNull();

            await (how === "killed" ? server.start() : server.resume());
            load.phase = "back";
            const shown = load.newestShown;
            const [ball, ranks, spool] = await Promise.all([
              secondsUntil(async () => load.in("back", "ball").some(({ status }) => status === 200)),
              secondsUntil(async () => load.newestShown > shown),
              secondsUntil(async () => (await stage.node.catalog.openSpools()).length === 0),
            ]);
            return `balls taken after ${ball} s, ranks move after ${ranks} s, spool empty and closed after ${spool} s`;
          },
          after({ load }) {
            console.log(`Kafka ${how} for ${OUTAGE_MS / 1_000} s\n${told(load)}`);
            for (const kind of ["save", "join", "ranks"] as const) expectServed(load, kind);
            expect(refusedClearly(load.in("away", "ball"))).toBe("503 store_unavailable");
            expect(refusedClearly(load.in("away", "teams").filter(({ status }) => status !== 200))).toBe(
              "503 store_unavailable",
            );
          },
        }),
      120_000 + 3 * OUTAGE_MS,
    );
  }
});
