import { expect, test } from "bun:test";
import { statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import type { Contest } from "../domain/contest.ts";
import { contestId, matchId } from "../domain/ids.ts";
import type { Match } from "../domain/match.ts";
import { BoardRoom } from "./board-room.ts";

const ENTRY_BYTES = 19;
const { bavail, bsize } = statfsSync(tmpdir());
const beyondFree = Math.ceil((bavail * bsize) / ENTRY_BYTES / 12_000_000) + 1;

/** As many contests of 12 M seats as do not fit, filled so far. */
function watched(seatsTaken: { each: number }) {
  const lines: string[] = [];
  const contests = Array.from(
    { length: beyondFree },
    (_, index) =>
      ({ id: contestId(1 + index), state: "open", entriesMax: 12_000_000, seatsTaken: seatsTaken.each }) as Contest,
  );
  const room = new BoardRoom({
    catalog: {
      matches: async () => [{ id: matchId(1) } as Match],
      contests: async () => contests.map((contest) => ({ ...contest, seatsTaken: seatsTaken.each })),
    },
    directory: tmpdir(),
    warn: (line) => lines.push(line),
  });
  return { room, lines };
}

test("too little shared memory is told while contests fill: for the seats offered, then for those taken, once each", async () => {
  const seatsTaken = { each: 10 };
  const { room, lines } = watched(seatsTaken);
  await room.check();
  await room.check();
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain("full contests of upcoming matches would need");
  expect(lines[0]).toContain("BOARD_DIR");

  seatsTaken.each = 12_000_000;
  await room.check();
  await room.check();
  expect(lines).toHaveLength(2);
  expect(lines[1]).toContain("their boards will not open");
});

test("enough shared memory is not worth a line", async () => {
  const lines: string[] = [];
  const contests = [{ id: contestId(1), state: "open", entriesMax: 2, seatsTaken: 0 } as Contest];
  const room = new BoardRoom({
    catalog: { matches: async () => [{ id: matchId(1) } as Match], contests: async () => contests },
    directory: tmpdir(),
    warn: (line) => lines.push(line),
  });
  await room.check();
  expect(lines).toEqual([]);
});
