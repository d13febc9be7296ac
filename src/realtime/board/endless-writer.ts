/** Writes the same board over and over until it is killed; the test of crash safety does that. Argument: the directory. */
import { contestId, matchId } from "../../domain/ids.ts";
import { randomColumns, seededRandom, teamsOf } from "../kernel/random-board.ts";
import { BoardWriter } from "./board-writer.ts";

const directory = process.argv[2]!;
const columns = randomColumns(seededRandom(1), 10_000, 30);
const teams = teamsOf([columns]);
const contests = [1, 2, 3].map((id) => ({ contestId: contestId(id), entryCount: columns.entryCount }));
for (;;) {
  const writer = BoardWriter.create(directory, {
    matchId: matchId(7),
    slice: 0,
    sliceCount: 1,
    logPosition: "0",
    contests,
    teams,
  });
  for (const { contestId } of contests) {
    writer.append(contestId, columns);
    await Bun.write(Bun.stdout, ".");
  }
  writer.seal();
  await Bun.write(Bun.stdout, ".");
}
