import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openEmbeddedEventLog } from "../event-log/embedded.ts";
import { StoreUnavailable } from "../unavailable.ts";

const mountPoint = mkdtempSync(join(tmpdir(), "powerplay-full-"));
const mounted = Bun.spawnSync(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", mountPoint]).exitCode === 0;
if (!mounted) console.log("skipping the full-disk test: no right to mount a small file system");

test.skipIf(!mounted)(
  "a full disk refuses what it can't make durable, loses nothing, and serves again with room",
  async () => {
    const ballast = join(mountPoint, "ballast");
    const options = { file: join(mountPoint, "log.sqlite"), pendingMax: 1_000 };
    try {
      await Bun.write(ballast, new Uint8Array(1 << 20));
      let log = await openEmbeddedEventLog(options);
      const value = new Uint8Array(64 << 10).fill(7);
      let acknowledged = 0;
      const append = () => log.append("team-saves", 0, value).catch((error: unknown) => error);
      let answer = await append();
      for (; !(answer instanceof Error); answer = await append()) acknowledged++;
      expect(answer).toBeInstanceOf(StoreUnavailable);
      expect((answer as StoreUnavailable).port).toBe("EventLog");
      expect(acknowledged).toBeGreaterThan(5);
      expect(await log.endOffset("team-saves", 0)).toBe(acknowledged);

      rmSync(ballast);
      expect(await log.append("team-saves", 0, value)).toEqual({ partition: 0, offset: acknowledged });
      await log.close();
      log = await openEmbeddedEventLog(options);
      const batch = await log.read("team-saves", 0, 0, 1 << 30, 0);
      expect(batch.ends.length).toBe(acknowledged + 1);
      expect(batch.bytes.every((byte) => byte === 7)).toBe(true);
      await log.close();
    } finally {
      Bun.spawnSync(["umount", mountPoint]);
      rmSync(mountPoint, { recursive: true, force: true });
    }
  },
);
