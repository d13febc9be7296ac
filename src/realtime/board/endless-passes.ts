/** Owns a board and re-scores it without a pause until it is killed, for the test of its readers. Argument: the directory. */
import { matchId } from "../../domain/ids.ts";
import { openKernel } from "../kernel/open.ts";
import { randomPoints, seededRandom } from "../kernel/random-board.ts";
import { Board } from "./board.ts";

const opening = Board.open(
  process.argv[2]!,
  { matchId: matchId(7), slice: 0, sliceCount: 1 },
  { verify: true, owner: true },
);
if (!opening.ok) throw new Error(opening.reason);
const kernel = openKernel();
for (let version = 1; ; version++) {
  const points = randomPoints(seededRandom(version), 30, 600);
  opening.board.rescore(kernel, { pointsVersion: version, timeMs: version * 1_000, points });
  if (version === 1) await Bun.write(Bun.stdout, ".");
}
