import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { contestId, matchId } from "../../domain/ids.ts";
import { openKernel } from "../kernel/open.ts";
import { randomColumns, randomPoints, seededRandom, teamsOf } from "../kernel/random-board.ts";
import { Board, standingOf } from "./board.ts";
import { BoardWriter } from "./board-writer.ts";

const identity = { matchId: matchId(7), slice: 0, sliceCount: 1 };
const READS_MIN = 4_000;
/** Fewer would mean that hardly anything was written while it was read. */
const VERSIONS_MIN = 10;

test("a reader in another process sees whole generations only, while passes follow each other without a pause", async () => {
  const directory = mkdtempSync(join(tmpdir(), "standings-"));
  const contests = [3_000, 40, 700].map((entryCount, index) => ({
    contestId: contestId(1 + index),
    ...randomColumns(seededRandom(index), entryCount, 30),
  }));
  const writer = BoardWriter.create(directory, { ...identity, logPosition: "0", contests, teams: teamsOf(contests) });
  for (const contest of contests) writer.append(contest.contestId, contest);
  writer.seal();

  const owner = Bun.spawn([process.execPath, join(import.meta.dir, "endless-passes.ts"), directory], {
    stdout: "pipe",
    stderr: "inherit",
  });
  try {
    await owner.stdout.getReader().read();
    const opening = Board.open(directory, identity, { verify: true, owner: false });
    if (!opening.ok) throw new Error(opening.reason);
    const kernel = openKernel();
    const versions = new Set<number>();
    let newest = 0;
    for (let read = 0; read < READS_MIN || versions.size < VERSIONS_MIN; read++) {
      const contest = contests[read % contests.length]!;
      const { points, pointsVersion, standing, timeMs } = opening.board.standing(contest.contestId)!;
      // The version names the points, so everything that was read can be computed again.
      expect(points).toEqual(randomPoints(seededRandom(pointsVersion), 30, 600));
      expect(timeMs).toBe(pointsVersion * 1_000);
      if (!versions.has(pointsVersion)) {
        expect(Buffer.compare(standing.bytes, standingOf(kernel, contest, points).bytes)).toBe(0);
      }
      expect(pointsVersion).toBeGreaterThanOrEqual(newest);
      newest = pointsVersion;
      versions.add(pointsVersion);
    }
  } finally {
    owner.kill("SIGKILL");
    await owner.exited;
    rmSync(directory, { recursive: true });
  }
});
