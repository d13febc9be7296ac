import { assert, unreachable } from "../../domain/assert.ts";
import { Board } from "../board/board.ts";
import { BoardWriter } from "../board/board-writer.ts";
import { Commitment } from "../board/commitment.ts";
import { writeCommitment } from "../board/commitment-file.ts";
import { answerCalls } from "../../worker-calls.ts";
import type { IndexAnswers, IndexRequest, SealReport } from "./index-protocol.ts";
import { rosterIndexOpener } from "./open.ts";
import type { RosterIndex } from "./port.ts";

/** Builds one match's board. A thread of its own, so that neither the node nor the passes of other matches wait for it. */
answerCalls(answer);

let index: RosterIndex | undefined;

function answer(request: IndexRequest): IndexAnswers[keyof IndexAnswers] {
  switch (request.kind) {
    case "open":
      index = rosterIndexOpener(request.libraryPath)(request.match);
      return null;
    case "teamSaves":
      opened().addTeamSaves(request.records);
      return null;
    case "contestJoins":
      opened().addContestJoins(request.records);
      return null;
    case "seal":
      return seal(request);
    case "commit":
      commit(request);
      return null;
    default:
      return unreachable(request);
  }
}

function opened(): RosterIndex {
  assert(index !== undefined, "an index is opened first");
  return index;
}

function seal({ directory, identity, logPosition }: IndexRequest & { kind: "seal" }): SealReport {
  const { contests, entriesWithoutTeam, takeContest, teams } = opened().build();
  const writer = BoardWriter.create(directory, { ...identity, logPosition, contests, teams });
  try {
    for (const [place, { contestId }] of contests.entries()) writer.append(contestId, takeContest(place));
    writer.seal();
  } catch (error) {
    writer.abandon();
    throw error;
  }
  const report = {
    teamCount: teams.entryIds.length,
    contestCount: contests.length,
    entryCount: contests.reduce((sum, { entryCount }) => sum + entryCount, 0),
    entriesWithoutTeam,
  };
  // The memory is needed no longer, and the commitment is still to come.
  opened().close();
  index = undefined;
  return report;
}

function commit({ directory, identity }: IndexRequest & { kind: "commit" }): void {
  const opening = Board.open(directory, identity, { verify: false, owner: false });
  if (!opening.ok) throw new Error(opening.reason);
  const { boardId, path, teams } = opening.board;
  writeCommitment(path, boardId, Commitment.over(teams));
}
