import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { contestId, entryId, matchId, teamNo, userId } from "../../domain/ids.ts";
import { type EventLog, partitionsOf } from "../../stores/event-log/port.ts";
import { StoreUnavailable } from "../../stores/unavailable.ts";
import { encodeContestJoin, encodeTeamSave } from "../../stream/records.ts";
import { openSimulatedEventLog } from "../../testing/simulated-event-log.ts";
import { Board } from "../board/board.ts";
import { below, randomRoster, seededRandom } from "../kernel/random-board.ts";
import { rosterAt } from "../kernel/tiles.ts";
import { BeyondLog, commitBoard, MatchIndex } from "./match-index.ts";

const root = mkdtempSync(join(tmpdir(), "match-index-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const match = { id: matchId(4), startMs: 1_000 };
const identity = { matchId: match.id, slice: 0, sliceCount: 1 };
const random = seededRandom(1);
const isOpen = () => true;
const mayHaveAged = () => false;
/** All that the log holds. */
const unlimited = Array.from({ length: 8 }, () => Number.POSITIVE_INFINITY);

/** Saves and joins of users `first` to `end`; returns the rosters by entry. */
async function play(log: EventLog, first: number, end: number): Promise<Map<number, Uint8Array>> {
  const rosters = new Map<number, Uint8Array>();
  for (let user = first; user < end; user++) {
    const entry = entryId(userId(user), teamNo(1));
    const roster = randomRoster(random, 40);
    rosters.set(entry, roster);
    const saved = { entryId: entry, matchId: match.id, serverTsMs: 10, roster };
    await log.append("team-saves", user, encodeTeamSave(saved));
    const join = { contestId: contestId(1 + below(random, 3)), matchId: match.id, entryId: entry, serverTsMs: 20 };
    await log.append("contest-joins", user, encodeContestJoin(join));
  }
  return rosters;
}

function openBoard(directory: string): Board {
  const opening = Board.open(directory, identity, { verify: true, owner: true });
  if (!opening.ok) throw new Error(opening.reason);
  return opening.board;
}

test("what came before the last look and what came after it are on the sealed board, as if all had been read at once", async () => {
  const log = openSimulatedEventLog();
  const reads: number[] = [];
  const counted: EventLog = {
    ...log,
    async read(...argument) {
      const batch = await log.read(...argument);
      reads.push(batch.ends.length);
      return batch;
    },
  };
  const followed = new MatchIndex(
    { log: counted, directory: join(root, "followed"), isOpen, mayHaveAged },
    match,
    partitionsOf("team-saves"),
  );
  const rosters = await play(log, 1, 800);
  await followed.advance();
  for (const [entry, roster] of await play(log, 700, 1_000)) rosters.set(entry, roster);
  await followed.advance();
  await followed.advance();
  for (const [entry, roster] of await play(log, 990, 1_050)) rosters.set(entry, roster);
  const report = await followed.seal(identity, unlimited);
  followed.close();
  // Each record was read once.
  expect(reads.reduce((sum, count) => sum + count, 0)).toBe(2 * (799 + 300 + 60));

  const atOnce = new MatchIndex(
    { log, directory: join(root, "at-once"), isOpen, mayHaveAged },
    match,
    partitionsOf("team-saves"),
  );
  expect(await atOnce.seal(identity, unlimited)).toEqual(report);
  atOnce.close();

  const [board, same] = [openBoard(join(root, "followed")), openBoard(join(root, "at-once"))];
  expect(report).toMatchObject({ teamCount: 1_049, contestCount: 3, entriesWithoutTeam: 0 });
  expect(board.teams).toEqual(same.teams);
  expect(board.contests).toEqual(same.contests);
  expect(board.logPosition).toBe(same.logPosition);
  expect(Object.keys(JSON.parse(board.logPosition)["team-saves"])).toHaveLength(8);
  for (const { entryIds, tiles } of board.contests.values()) {
    for (const [position, id] of entryIds.entries()) expect(rosterAt(tiles, position)).toEqual(rosters.get(id)!);
  }
});

test("the commitment of a sealed board is computed beside the node and found by it", async () => {
  const log = openSimulatedEventLog();
  const directory = join(root, "commitment");
  const index = new MatchIndex({ log, directory, isOpen, mayHaveAged }, match, partitionsOf("team-saves"));
  await play(log, 1, 600);
  await index.seal(identity, unlimited);
  index.close();
  const board = openBoard(directory);
  expect(board.commitment()).toBeNull();
  await commitBoard(directory, identity);
  expect(board.commitment()?.teamCount).toBe(599);
});

test("a log that is away, a damaged record, a closed index: each is told, and nothing hangs", async () => {
  const log = openSimulatedEventLog();
  const away: EventLog = {
    ...log,
    read: () => Promise.reject(new StoreUnavailable("EventLog", "it is away")),
  };
  await play(log, 1, 3);
  const unread = new MatchIndex(
    { log: away, directory: join(root, "away"), isOpen, mayHaveAged },
    match,
    partitionsOf("team-saves"),
  );
  await expect(unread.advance()).rejects.toThrow("it is away");
  unread.close();

  const damaged = encodeTeamSave({
    entryId: 0.5 as never,
    matchId: match.id,
    serverTsMs: 1,
    roster: new Uint8Array(11),
  });
  await log.append("team-saves", 1, damaged);
  const index = new MatchIndex(
    { log, directory: join(root, "damaged"), isOpen, mayHaveAged },
    match,
    partitionsOf("team-saves"),
  );
  await expect(index.seal(identity, unlimited)).rejects.toThrow("no positive safe integer");
  const hanging = index.seal(identity, unlimited);
  index.close();
  await expect(hanging).rejects.toThrow();
});

test("a board directory that can't be made is told by name", async () => {
  const log = openSimulatedEventLog();
  await Bun.write(join(root, "a-file"), "");
  const index = new MatchIndex(
    { log, directory: join(root, "a-file", "boards"), isOpen, mayHaveAged },
    match,
    partitionsOf("team-saves"),
  );
  await expect(index.seal(identity, unlimited)).rejects.toThrow("a-file");
  index.close();
});

test("saves that reached the log after the lock are on no board, and nothing is followed once the lock may stand", async () => {
  const log = openSimulatedEventLog();
  let open = true;
  const index = new MatchIndex(
    { log, directory: join(root, "fenced"), isOpen: () => open, mayHaveAged },
    match,
    partitionsOf("team-saves"),
  );
  const rosters = await play(log, 1, 200);
  await index.advance();
  const ends = await Promise.all(unlimited.map((_, partition) => log.endOffset("team-saves", partition)));
  open = false;
  // The same users again, with other rosters, and some more.
  await play(log, 1, 220);
  await index.advance();
  expect(await index.seal(identity, ends)).toMatchObject({ teamCount: 199, entriesWithoutTeam: 20 });
  index.close();
  const { teams } = openBoard(join(root, "fenced"));
  for (const [place, id] of teams.entryIds.entries()) {
    expect([...teams.rosters.subarray(place * 11, place * 11 + 11)]).toEqual([...rosters.get(id)!]);
  }
});

test("where the log has lost its beginning, a match that may be as old has no board, and a younger one has", async () => {
  const log = openSimulatedEventLog();
  await play(log, 1, 101);
  // What a log answers whose first records are gone.
  const aged: EventLog = {
    ...log,
    async read(topic, partition, fromOffset, bytesMax, waitMs) {
      return log.read(topic, partition, Math.max(fromOffset, 3), bytesMax, waitMs);
    },
  };
  const deps = { log: aged, isOpen };
  const old = new MatchIndex(
    { ...deps, directory: join(root, "old"), mayHaveAged: () => true },
    match,
    partitionsOf("team-saves"),
  );
  await expect(old.advance()).rejects.toBeInstanceOf(BeyondLog);
  old.close();
  const young = new MatchIndex(
    { ...deps, directory: join(root, "young"), mayHaveAged },
    match,
    partitionsOf("team-saves"),
  );
  await young.advance();
  young.close();
});
