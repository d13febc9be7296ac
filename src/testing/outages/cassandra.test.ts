/**
 * The team store goes away in the middle of load: killed, and standing still. The log keeps what it misses; saves, joins, balls
 * and ranks go on, and only who asks for his own teams is told to come again.
 */
import { describe, expect, test } from "bun:test";
import { missingService } from "../services.ts";
import { awayFor, expectServed, OUTAGE_MS, refusedClearly, secondsUntil, told, withServer } from "./outage.ts";

const missing = missingService("cassandra");
if (missing !== null) console.log(`outages of Cassandra: not tested, ${missing}`);

describe.skipIf(missing !== null)("outage: Cassandra", () => {
  for (const how of ["killed", "standing still"] as const) {
    test(
      how,
      () =>
        withServer("cassandra", {
          stores: (cassandra) => ({ teamStore: `${cassandra.url.replace(/\/[^/]*$/, "")}/outage?replication=1` }),
          async during({ server, stage, load }) {
            await load.some("ball", 20);
            await load.enterDue(1);
            await (how === "killed" ? server.kill() : server.pause());
            load.phase = "away";
            const over = awayFor(OUTAGE_MS);
            const shown = load.newestShown;
            await load.enterDue(2);
            await stage.passDeadline();
            await load.some("ball", 2, ({ status }) => status === 200);
            await secondsUntil(async () => load.newestShown > shown);
            await load.some("teams", 2, ({ status }) => status === 503);
            const board = await secondsUntil(async () => load.isOpen(stage.due.contests[0]!.id));
            await over;
            await (how === "killed" ? server.start() : server.resume());
            load.phase = "back";
            const teams = await secondsUntil(async () => load.in("back", "teams").some(({ status }) => status === 200));
            const lag = await secondsUntil(async () => (await stage.metric("powerplay_consumer_lag_records"))! < 50);
            return `board of the match locked meanwhile after ${board} s; own teams answered after ${teams} s, lag gone ${lag} s later`;
          },
          after({ load }) {
            console.log(`Cassandra ${how} for ${OUTAGE_MS / 1_000} s\n${told(load)}`);
            for (const kind of ["save", "join", "ball", "ranks"] as const) expectServed(load, kind);
            const refused = load.in("away", "teams").filter(({ status }) => status !== 200);
            expect(["503 store_unavailable", ""]).toContain(refusedClearly(refused));
          },
        }),
      180_000 + 3 * OUTAGE_MS,
    );
  }
});
