/**
 * The log goes away in the middle of load: killed, and standing still. Saves and joins are acknowledged all the same, balls are
 * refused, ranks stay as they were; a deadline that passes meanwhile waits for the saves that wait on the node.
 */
import { afterAll, describe, expect, test } from "bun:test";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { missingService, startService } from "../services.ts";
import { judge } from "./outage-judge.ts";
import { OutageLoad } from "./outage-load.ts";
import { OutageStage } from "./outage-stage.ts";
import { awayFor, OUTAGE_MS, refusedClearly, told } from "./outage.ts";

const missing = missingService("kafka");
if (missing !== null) console.log(`outages of Kafka: not tested, ${missing}`);

const root = join(tmpdir(), `powerplay-outage-${crypto.randomUUID()}`);
afterAll(() => rm(root, { recursive: true, force: true }));

describe.skipIf(missing !== null)("outage: Kafka", () => {
  for (const how of ["killed", "standing still"] as const) {
    test(
      how,
      async () => {
        const kafka = await startService("kafka", { directory: join(root, crypto.randomUUID()) });
        const stage = await OutageStage.open({ eventLog: `${kafka.url.replace(/\/[^/]*$/, "")}/outage` });
        const load = new OutageLoad(stage);
        try {
          await load.some("ball", 20);
          await load.enterDue(1);

          await (how === "killed" ? kafka.kill() : kafka.pause());
          load.phase = "away";
          const over = awayFor(OUTAGE_MS);
          await load.some("ball", 1, ({ status }) => status === 503);
          await load.enterDue(2);
          stage.passDeadline();
          await over;
          const dueNow = (await stage.node.catalog.match(stage.due.match.id))!;
          const spooled = await stage.metric("powerplay_spool_records");
          const endsWritten = await stage.node.catalog.lockPositions(dueNow.id);

          load.phase = "back";
          const backMs = performance.now();
          await (how === "killed" ? kafka.start() : kafka.resume());
          const servesMs = performance.now();
          await load.some("ball", 1, ({ status }) => status === 200);
          const ballMs = performance.now() - servesMs;
          await load.some("ball", 5);
          await load.stop();
          await stage.caughtUp();
          for (const event of stage.events.slice(0, 20)) {
            while (!(await load.postBall(stage.due.match.id, event))) await Bun.sleep(20);
          }
          await stage.node.pointsSettled(stage.due.match.id);
          await stage.caughtUp();
          const caughtUpMs = performance.now() - backMs;
          console.log(
            `Kafka ${how} for ${OUTAGE_MS / 1_000} s: ${spooled} records in the spool; back: first ball ` +
              `${(ballMs / 1_000).toFixed(1)} s after it serves again, all caught up ${(caughtUpMs / 1_000).toFixed(1)} s after its start`,
          );
          console.log(told(load));

          expect(spooled).toBeGreaterThan(0);
          expect(dueNow.state).toBe("locked");
          expect(endsWritten).toBeNull();
          for (const kind of ["save", "join", "ranks"] as const) {
            const away = load.in("away", kind);
            expect(away.length).toBeGreaterThan(0);
            expect(away.filter(({ status }) => status !== 200)).toEqual([]);
          }
          expect(refusedClearly(load.in("away", "ball").filter(({ status }) => status !== 200))).toBe(
            "503 store_unavailable",
          );
          const verdict = await judge(stage, load);
          console.log(`repeated in the log: ${verdict.repeatedSaves} saves, ${verdict.repeatedBalls} balls`);
          expect(verdict.violations).toEqual([]);
        } finally {
          load.closeSocket();
          await load.stop();
          await stage.close();
          await kafka.remove();
        }
      },
      120_000 + 3 * OUTAGE_MS,
    );
  }
});
