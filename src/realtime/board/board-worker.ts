import { assert, unreachable } from "../../domain/assert.ts";
import type { ContestId } from "../../domain/ids.ts";
import { answerCalls } from "../../worker-calls.ts";
import { openKernel } from "../kernel/open.ts";
import type { ContestColumns, Kernel } from "../kernel/port.ts";
import { Board, standingOf } from "./board.ts";
import { compactBoard, compactStanding } from "./compact-standing.ts";
import type { BoardAnswers, BoardRequest, RankedPage, WorkerSettings } from "./board-protocol.ts";
import { countTied, entriesAtPlaces, entriesFrom, neighbours, page, type RankedContest } from "./queries.ts";
import { type BoardIdentity, boardName } from "./shared-memory.ts";
import type { RankedEntry } from "./standing.ts";

/** Everything that scans columns runs here, so the node's event loop never waits for a pass. */
answerCalls(answer);

let started: Kernel | undefined;
let directory = "";
const boards = new Map<string, Board>();

function answer(request: BoardRequest): BoardAnswers[keyof BoardAnswers] {
  switch (request.kind) {
    case "start":
      return start(request.settings);
    case "attach": {
      const { identity, owner } = request;
      const opening = Board.open(directory, identity, { verify: owner, owner });
      if (!opening.ok) return opening;
      boards.set(boardName(identity), opening.board);
      return { ok: true };
    }
    case "detach":
      boards.delete(boardName(request.identity));
      if (request.remove) Board.remove(directory, request.identity);
      return null;
    case "rescore": {
      const startedMs = performance.now();
      boardOf(request.identity).rescore(kernel(), request.generation);
      return { passMs: performance.now() - startedMs };
    }
    case "page":
      return pageOf(request, (contest) => page(kernel(), contest, request.place, request.count));
    case "neighbours":
      return pageOf(request, (contest) => neighbours(kernel(), contest, request.entryId, request.radius));
    case "compact":
      return compactBoard(boardOf(request.identity), request.entryCountMin);
    case "countsAbove": {
      const columns = columnsOf(request);
      return request.asked.map(({ points, scoreQp }) => standingOf(kernel(), columns, points).countAbove(scoreQp));
    }
    case "compactUnder": {
      const columns = columnsOf(request);
      return request.points.map((points) => compactStanding(standingOf(kernel(), columns, points)));
    }
    case "standingUnder":
      return standingOf(kernel(), columnsOf(request), request.points).bytes;
    case "entries":
      return entriesFrom(kernel(), columnsOf(request), request.range);
    case "ranked":
      return entriesAtPlaces(kernel(), columnsOf(request), request.range);
    case "countTied":
      return countTied(kernel(), columnsOf(request), request.tie, request.below);
    default:
      return unreachable(request);
  }
}

function start(settings: WorkerSettings): BoardAnswers["start"] {
  let note: string | null = null;
  directory = settings.directory;
  started = openKernel({
    ...(settings.libraryPath === undefined ? {} : { libraryPath: settings.libraryPath }),
    ...(settings.threads === undefined ? {} : { threads: settings.threads }),
    log: (line) => (note = line),
  });
  return { kernelName: started.name, note };
}

function kernel(): Kernel {
  assert(started !== undefined, "a worker is started first");
  return started;
}

function boardOf(identity: BoardIdentity): Board {
  const board = boards.get(boardName(identity));
  assert(board !== undefined, `${boardName(identity)} is attached`);
  return board;
}

function columnsOf({ identity, contestId }: { identity: BoardIdentity; contestId: ContestId }): ContestColumns {
  const columns = boardOf(identity).contests.get(contestId);
  assert(columns !== undefined, `contest ${contestId} is on the board`);
  return columns;
}

function pageOf(
  { identity, contestId }: BoardRequest & { kind: "page" | "neighbours" },
  entriesOf: (contest: RankedContest) => RankedEntry[],
): RankedPage | null {
  const board = boardOf(identity);
  const columns = board.contests.get(contestId);
  const at = board.standing(contestId);
  if (columns === undefined || at === undefined) return null;
  const entries = entriesOf({ columns, points: at.points, standing: at.standing });
  return { pointsVersion: at.pointsVersion, entryCount: at.standing.entryCount, entries };
}
