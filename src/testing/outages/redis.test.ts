/** The shared hot store is killed in the middle of load: nothing is refused, the node says so, and it comes back by itself. */
import { describe, expect, test } from "bun:test";
import { missingService } from "../services.ts";
import { awayFor, expectServed, OUTAGE_MS, secondsUntil, told, withServer } from "./outage.ts";

const missing = missingService("redis");
if (missing !== null) console.log(`outages of Redis: not tested, ${missing}`);

describe.skipIf(missing !== null)("outage: Redis", () => {
  for (const how of ["killed", "standing still"] as const) {
    test(
      how,
      () =>
        withServer("redis", {
          stores: (redis) => ({ hotStore: redis.url }),
          async during({ server, stage, load }) {
            await load.some("ball", 20);
            await load.enterDue(1);
            await (how === "killed" ? server.kill() : server.pause());
            load.phase = "away";
            const over = awayFor(OUTAGE_MS);
            const noticed = await secondsUntil(async () => (await stage.metric("powerplay_hot_store_away")) === 1);
            await load.enterDue(2);
            await stage.passDeadline();
            await load.some("ball", 5);
            await over;
            await (how === "killed" ? server.start() : server.resume());
            load.phase = "back";
            const back = await secondsUntil(async () => (await stage.metric("powerplay_hot_store_away")) === 0);
            await load.some("ball", 5);
            return `noticed after ${noticed} s, used again ${back} s after its return`;
          },
          after({ stage, load }) {
            console.log(`Redis ${how} for ${OUTAGE_MS / 1_000} s\n${told(load)}`);
            for (const kind of ["save", "join", "ball", "ranks", "teams"] as const) expectServed(load, kind);
            expect(stage.lines.filter((line) => line.includes("HotStore is away"))).toHaveLength(1);
            expect(stage.lines.filter((line) => line.includes("HotStore is back"))).toHaveLength(1);
          },
        }),
      120_000 + 3 * OUTAGE_MS,
    );
  }
});
