import { assert, unreachable } from "../../domain/assert.ts";
import { openKernel } from "../kernel/open.ts";
import type { Kernel } from "../kernel/port.ts";
import { Board, standingOf } from "./board.ts";
import type { BoardAnswers, BoardRequest, FromBoardWorker, RankedPage, ToBoardWorker } from "./board-protocol.ts";
import { neighbours, page, type RankedContest } from "./queries.ts";
import { type BoardIdentity, boardName } from "./shared-memory.ts";
import type { RankedEntry } from "./standing.ts";

/** Everything that scans columns runs here, so the node's event loop never waits for a pass. */
declare const self: Worker;

let kernel: Kernel | undefined;
let directory = "";
const boards = new Map<string, Board>();

self.addEventListener("message", ({ data }: MessageEvent<ToBoardWorker>) => {
  if (data.kind === "settings") {
    let note: string | null = null;
    directory = data.settings.directory;
    kernel = openKernel({
      ...(data.settings.libraryPath === undefined ? {} : { libraryPath: data.settings.libraryPath }),
      ...(data.settings.threads === undefined ? {} : { threads: data.settings.threads }),
      log: (line) => (note = line),
    });
    post({ kind: "ready", kernelName: kernel.name, note });
    return;
  }
  try {
    post({ kind: "answer", id: data.id, answer: answer(data.request) });
  } catch (error) {
    post({ kind: "failure", id: data.id, message: error instanceof Error ? error.message : String(error) });
  }
});

function post(message: FromBoardWorker): void {
  self.postMessage(message);
}

function answer(request: BoardRequest): BoardAnswers[keyof BoardAnswers] {
  assert(kernel !== undefined, "settings come first");
  const fast = kernel;
  switch (request.kind) {
    case "attach": {
      const opening = Board.open(directory, request.identity, { verify: true, owner: true });
      if (!opening.ok) return opening;
      boards.set(boardName(request.identity), opening.board);
      return { ok: true };
    }
    case "detach":
      boards.delete(boardName(request.identity));
      if (request.remove) Board.remove(directory, request.identity);
      return null;
    case "rescore": {
      const start = performance.now();
      boardOf(request.identity).rescore(fast, request.generation);
      return { passMs: performance.now() - start };
    }
    case "page":
      return pageOf(request, (contest) => page(fast, contest, request.place, request.count));
    case "neighbours":
      return pageOf(request, (contest) => neighbours(fast, contest, request.entryId, request.radius));
    case "rankUnder": {
      const contest = boardOf(request.identity).contests.get(request.contestId);
      assert(contest !== undefined, `contest ${request.contestId} is on the board`);
      return request.asked.map(({ points, scoreQp }) => standingOf(fast, contest, points).rank(scoreQp));
    }
    default:
      return unreachable(request);
  }
}

function boardOf(identity: BoardIdentity): Board {
  const board = boards.get(boardName(identity));
  assert(board !== undefined, `${boardName(identity)} is attached`);
  return board;
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
