/**
 * A node at a deadline, in a process of its own: the log of a match becomes a sealed board with ranks, then a commitment, over
 * the path of the product. Reads a `DeadlinePlan`, writes a `DeadlineReport`.
 */
import { assert } from "../../src/domain/assert.ts";
import type { PointsVector } from "../../src/domain/points.ts";
import type { Board } from "../../src/realtime/board/board.ts";
import { BoardEngine } from "../../src/realtime/board/engine.ts";
import { commitBoard, MatchIndex } from "../../src/realtime/index/match-index.ts";
import { openEmbeddedEventLog } from "../../src/stores/event-log/embedded.ts";
import { partitionsOf } from "../../src/stores/event-log/port.ts";
import { IDENTITY } from "./entries.ts";
import { type TimerDelays, timerDelays } from "./event-loop.ts";

export interface DeadlinePlan {
  readonly logFile: string;
  /** The board's; empty. */
  readonly directory: string;
  /** The index followed the log before the deadline. */
  readonly followed: boolean;
  /** Where there is none, the TypeScript index and kernel serve. */
  readonly libraryPath?: string;
  readonly points: readonly number[];
}

export interface DeadlineReport {
  /** From the deadline to everything being read; what was not read before. */
  readonly readMs: number;
  /** Sorting, writing and sealing the board. */
  readonly sealMs: number;
  /** From the deadline to the first ranks. */
  readonly ranksMs: number;
  /** From the first ranks to the commitment. */
  readonly commitmentMs: number;
  readonly entries: number;
  readonly teams: number;
  /** From the deadline to the commitment. */
  readonly eventLoop: TimerDelays;
  readonly rootHex: string;
  /** Of all standings' bytes. */
  readonly standingsHash: string;
}

export async function runDeadline(plan: DeadlinePlan): Promise<DeadlineReport> {
  const child = Bun.spawn([process.execPath, import.meta.path], { stdin: "pipe", stdout: "pipe", stderr: "inherit" });
  child.stdin.write(JSON.stringify(plan));
  await child.stdin.end();
  const report = await new Response(child.stdout).text();
  assert((await child.exited) === 0, "the node ends well");
  return JSON.parse(report) as DeadlineReport;
}

async function deadline(plan: DeadlinePlan): Promise<DeadlineReport> {
  const { directory, followed, logFile } = plan;
  const library = plan.libraryPath === undefined ? {} : { libraryPath: plan.libraryPath };
  const log = await openEmbeddedEventLog({ file: logFile, pendingMax: 1_000 });
  const engine = await BoardEngine.start({ directory, log: () => {}, ...library });
  const index = new MatchIndex(
    { log, directory, isOpen: () => true, mayHaveAged: () => false, ...library },
    { id: IDENTITY.matchId, startMs: 1_000 },
    partitionsOf("team-saves"),
  );
  if (followed) await index.advance();

  const saveEnds = await Promise.all(
    partitionsOf("team-saves").map((partition) => log.endOffset("team-saves", partition)),
  );

  const times = { readMs: 0, sealMs: 0, ranksMs: 0, commitmentMs: 0 };
  let sealed = { entryCount: 0, teamCount: 0 };
  const eventLoop = await timerDelays(0, async () => {
    const start = performance.now();
    await index.advance();
    times.readMs = performance.now() - start;
    sealed = await index.seal(IDENTITY, saveEnds);
    times.sealMs = performance.now() - start - times.readMs;
    index.close();
    const attached = await engine.attach(IDENTITY);
    assert(attached.ok, "a board that was just sealed attaches");
    const points: PointsVector = Int16Array.from(plan.points);
    await engine.rescore(IDENTITY, { pointsVersion: 1, timeMs: 1, points });
    times.ranksMs = performance.now() - start;
    await commitBoard(directory, IDENTITY);
    times.commitmentMs = performance.now() - start - times.ranksMs;
  });

  const board = engine.board(IDENTITY);
  const report = {
    ...times,
    entries: sealed.entryCount,
    teams: sealed.teamCount,
    eventLoop,
    rootHex: Buffer.from(board.commitment()!.root).toString("hex"),
    standingsHash: hashOfStandings(board),
  };
  await engine.remove(IDENTITY);
  engine.stop();
  await log.close();
  return report;
}

function hashOfStandings(board: Board): string {
  let hash = 0n;
  for (const contest of board.contests.keys()) hash = Bun.hash.xxHash3(board.standing(contest)!.standing.bytes, hash);
  return hash.toString(16);
}

if (import.meta.main) {
  console.log(JSON.stringify(await deadline((await Bun.stdin.json()) as DeadlinePlan)));
  process.exit(0);
}
