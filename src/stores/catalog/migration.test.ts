import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { contestId, type EntryId, matchId, userId } from "../../domain/ids.ts";
import { openEmbeddedCatalog } from "./embedded.ts";
import { CATALOG_MIGRATIONS } from "./sqlite/schema.ts";

test("a catalog of the first schema keeps its entries, its joins under way and its counts, and knows which matches were released", async () => {
  const directory = await mkdtemp(join(tmpdir(), "powerplay-"));
  const file = join(directory, "catalog.sqlite");
  try {
    const db = new Database(file, { create: true, strict: true });
    db.run(CATALOG_MIGRATIONS[0]);
    for (const [match, state] of [
      [1, "upcoming"],
      [2, "settled"],
      [3, "settled"],
    ] as const) {
      db.run(`INSERT INTO matches VALUES (${match}, 'm', 'a', 'b', 'T20', 1, '${state}', 'base', 'modern')`);
    }
    const terms = JSON.stringify({ matchId: 1, entriesMax: 5, entriesPerUserMax: 2 });
    for (const [contest, match, state, seats, entries] of [
      [1, 1, "open", 2, 1],
      [2, 2, "open", 0, 0],
      [3, 3, "settling", 0, 0],
    ] as const) {
      db.query("INSERT INTO contests VALUES (?, ?, ?, 5, 2, ?, ?, ?, '77')").run(
        contest,
        match,
        terms,
        state,
        seats,
        entries,
      );
    }
    db.run("INSERT INTO sagas VALUES (1, 7, 'a', 1, 1, 449, 100, 5, 1), (2, 8, 'b', 1, 1, 513, 100, 6, 0)");
    db.run("INSERT INTO seats VALUES (1, 449, 1, 100, 5, 1), (1, 513, 1, 100, 6, 0)");
    db.run("UPDATE saga_counter SET saga_id_next = 3");
    db.run("PRAGMA user_version = 1");
    db.close();

    const catalog = await openEmbeddedCatalog({ file, pendingMax: 10 });
    const states = await Promise.all([1, 2, 3].map(async (id) => (await catalog.match(matchId(id)))!.state));
    expect(states).toEqual(["upcoming", "settled", "released"]);
    expect((await catalog.contestsToEnd(10)).map(({ id }) => id)).toEqual([contestId(3)]);
    expect(await catalog.payoutCursor(contestId(3))).toBeNull();
    expect((await catalog.contest(contestId(1)))!.seatsTaken).toBe(2);
    const entries = async () => (await catalog.entriesOfContest(contestId(1), 0, 10)).map(({ entryId }) => entryId);
    expect(await entries()).toEqual([449 as EntryId]);
    expect((await catalog.reservedJoins(Number.MAX_SAFE_INTEGER, 10)).map(({ sagaId }) => sagaId)).toEqual([2]);
    expect((await catalog.confirmJoin(2)).ok).toBe(true);
    expect(await entries()).toEqual([449 as EntryId, 513 as EntryId]);
    expect(await catalog.entriesOfUser(userId(8), matchId(1))).toHaveLength(1);
    expect(await catalog.entryCount(contestId(1))).toBe(2);
    await catalog.close();
  } finally {
    await rm(directory, { recursive: true });
  }
});
