import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { assert } from "../../src/domain/assert.ts";
import { contestId, entryId, teamNo, userId } from "../../src/domain/ids.ts";
import { ROSTER_SIZE } from "../../src/domain/roster.ts";
import { openEmbeddedEventLog } from "../../src/stores/event-log/embedded.ts";
import type { EventLog } from "../../src/stores/event-log/port.ts";
import { encodeContestJoin, encodeTeamSave } from "../../src/stream/records.ts";
import type { Bench } from "./bench.ts";
import { type DeadlineReport, runDeadline } from "./deadline-node.ts";
import { IDENTITY } from "./entries.ts";

export interface DeadlineResult {
  /** Everything read after the deadline. */
  readonly fromLog: DeadlineReport;
  /** The index followed the log until the deadline. */
  readonly followed: DeadlineReport;
  /** From the log, by the TypeScript index. */
  readonly typescript: DeadlineReport;
}

const APPENDS_AT_ONCE = 100_000;

/** The deadline of a mega contest: a log of one save and one join an entry becomes a board with ranks and a commitment. */
export async function deadlineScenario(bench: Bench): Promise<DeadlineResult> {
  const root = mkdtempSync(join(tmpdir(), "bench-deadline-"));
  const logFile = join(root, "log.sqlite");
  try {
    const log = await openEmbeddedEventLog({ file: logFile, pendingMax: 2 * APPENDS_AT_ONCE });
    await fillLog(log, bench.megaEntries, bench.match.rosters);
    await log.close();
    const plan = { logFile, directory: join(bench.directory, "deadline"), points: [...bench.match.vectors.at(-1)!] };
    // Memory that the machine touches for the first time costs a second or two; the first run takes that.
    await runDeadline({ ...plan, followed: false });
    const fromLog = await runDeadline({ ...plan, followed: false });
    const followed = await runDeadline({ ...plan, followed: true });
    const typescript = await runDeadline({ ...plan, followed: false, libraryPath: join(root, "no-library") });
    for (const report of [fromLog, followed, typescript]) {
      assert(report.entries === bench.megaEntries, "every join is on the board");
      assert(report.rootHex === fromLog.rootHex, "all commit to the same teams");
      assert(report.standingsHash === fromLog.standingsHash, "all have the same standings");
    }
    return { fromLog, followed, typescript };
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

/** Users in no order, as they come. */
async function fillLog(log: EventLog, entries: number, rosters: Uint8Array): Promise<void> {
  // A step that has no factor in common with any number of entries below it visits each user once.
  const step = 15_485_863;
  const rosterCount = rosters.length / ROSTER_SIZE;
  const { matchId } = IDENTITY;
  for (let first = 0; first < entries; first += APPENDS_AT_ONCE) {
    const appends: Promise<unknown>[] = [];
    for (let n = first; n < Math.min(first + APPENDS_AT_ONCE, entries); n++) {
      const user = userId(1 + ((n * step) % entries));
      const entry = entryId(user, teamNo(1));
      const from = ((n * 7_919) % rosterCount) * ROSTER_SIZE;
      const roster = rosters.subarray(from, from + ROSTER_SIZE);
      appends.push(
        log.append("team-saves", user, encodeTeamSave({ entryId: entry, matchId, serverTsMs: 1, roster })),
        log.append(
          "contest-joins",
          user,
          encodeContestJoin({ contestId: contestId(1), matchId, entryId: entry, serverTsMs: 1 }),
        ),
      );
    }
    await Promise.all(appends);
  }
}
