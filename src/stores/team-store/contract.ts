import { expect } from "bun:test";
import { contestId, entryId, matchId, teamNo, userId } from "../../domain/ids.ts";
import { seededRandom } from "../../domain/random.ts";
import { bytesOf, type OpenStore, testsWith } from "../contract.ts";
import type { BoardSample, PointsRow, TeamStore, TeamVersion } from "./port.ts";

const match = matchId(1);
const contest = contestId(1);
const user = userId(7);

const versionOf = (team: number, version: number, owner = user): TeamVersion => ({
  matchId: match,
  entryId: entryId(owner, teamNo(team)),
  version,
  savedAtMs: version * 10,
  roster: Uint8Array.from({ length: 11 }, (_, slot) => slot + version),
});

/** Each sentence of the law in port.ts, asked of any engine. */
export function teamStoreContract(open: OpenStore<TeamStore>): void {
  const test = testsWith(open);

  test("the newest version of each team of a user, and all versions of one, after reopening too", async (store, reopen) => {
    await store.appendTeams(0, [versionOf(2, 1), versionOf(1, 2), versionOf(1, 5)], 6);
    await store.appendTeams(0, [versionOf(1, 9, userId(8)), versionOf(1, 9, userId(6))], 10);
    const check = async (opened: TeamStore) => {
      expect(await opened.teams(match, user)).toEqual([versionOf(1, 5), versionOf(2, 1)]);
      expect(await opened.versions(match, entryId(user, teamNo(1)))).toEqual([versionOf(1, 2), versionOf(1, 5)]);
      expect(await opened.teams(matchId(2), user)).toEqual([]);
      expect(await opened.versions(match, entryId(user, teamNo(3)))).toEqual([]);
    };
    await check(store);
    await check(await reopen());
  });

  test("rows and position are one commit; repeating a batch changes nothing and never sets the position back", async (store, reopen) => {
    expect(await store.teamsPosition(3)).toBe(0);
    await store.appendTeams(3, [versionOf(1, 1)], 1);
    await store.appendTeams(3, [versionOf(1, 2)], 2);
    await store.appendTeams(3, [versionOf(1, 1)], 1);
    const again = await reopen();
    expect(await again.teamsPosition(3)).toBe(2);
    expect(await again.teamsPosition(4)).toBe(0);
    expect(await again.versions(match, entryId(user, teamNo(1)))).toEqual([versionOf(1, 1), versionOf(1, 2)]);
  });

  test("the points log pages by version, whatever order and however often it was written", async (store, reopen) => {
    const row = (version: number): PointsRow => ({
      matchId: match,
      version,
      atMs: version,
      payload: bytesOf(`p${version}`),
    });
    expect(await store.newestPoints(match)).toBeNull();
    for (const version of [2, 1, 3, 2]) await store.appendPoints(row(version));
    const again = await reopen();
    expect(await again.points(match, 0, 2)).toEqual([row(1), row(2)]);
    expect(await again.points(match, 2, 2)).toEqual([row(3)]);
    expect(await again.newestPoints(match)).toEqual(row(3));
    expect(await again.newestPoints(matchId(2))).toBeNull();
  });

  test("samples of a slice come in the order of their points", async (store) => {
    const sample = (pointsVersion: number, slice = 0): BoardSample => ({
      contestId: contest,
      slice,
      atMs: 10 * pointsVersion,
      pointsVersion,
      payload: bytesOf(`s${pointsVersion} of ${slice}`),
    });
    for (const version of [2, 1, 2]) await store.appendSample(sample(version));
    await store.appendSample(sample(1, 7));
    expect(await store.samples(contest, 0)).toEqual([sample(1), sample(2)]);
    expect(await store.samples(contest, 7)).toEqual([sample(1, 7)]);
    expect(await store.samples(contest, 1)).toEqual([]);
    expect(await store.samples(contestId(2), 0)).toEqual([]);
  });

  test("totals are the last ones put; entries without one are left out", async (store, reopen) => {
    const total = (team: number, scoreQp: number) => ({
      entryId: entryId(user, teamNo(team)),
      scoreQp,
      rank: team,
      prizePaise: 5,
    });
    await store.putTotals(contest, [total(1, 10), total(2, 20)]);
    await store.putTotals(contest, [total(1, -11)]);
    const again = await reopen();
    const asked = [2, 3, 1].map((team) => entryId(user, teamNo(team)));
    expect(await again.totals(contest, asked)).toEqual([total(2, 20), total(1, -11)]);
  });

  test("what the totals are of is what was said last", async (store, reopen) => {
    expect(await store.totalsMark(contest)).toBeNull();
    const mark = { pointsVersion: 7, hasPrizes: true, isWhole: false, board: new Uint8Array(0) };
    await store.markTotals(contest, mark);
    expect(await store.totalsMark(contest)).toEqual(mark);
    const whole = { pointsVersion: 8, hasPrizes: false, isWhole: true, board: bytesOf("the board") };
    await store.markTotals(contest, whole);
    const again = await reopen();
    expect(await again.totalsMark(contest)).toEqual(whole);
    expect(await again.totalsMark(contestId(2))).toBeNull();
  });

  test("1,000 random appends, with repeats and out of order, leave what a naive list does", async (store, reopen) => {
    const random = seededRandom(7);
    const rows = new Map<string, TeamVersion>();
    const positions = new Map<number, number>();
    for (let round = 0; round < 100; round++) {
      const batches = Array.from({ length: 10 }, () => {
        const partition = random.int(3);
        const versions = Array.from({ length: random.int(5) }, () =>
          versionOf(1 + random.int(3), 1 + random.int(500), userId(1 + random.int(4))),
        );
        return { partition, versions, nextOffset: random.int(1_000) };
      });
      for (const { partition, versions, nextOffset } of batches) {
        for (const row of versions) rows.set(`${row.entryId} ${row.version}`, row);
        positions.set(partition, Math.max(positions.get(partition) ?? 0, nextOffset));
      }
      await Promise.all(batches.map((batch) => store.appendTeams(batch.partition, batch.versions, batch.nextOffset)));
    }
    const again = await reopen();
    for (const [partition, nextOffset] of positions) expect(await again.teamsPosition(partition)).toBe(nextOffset);
    for (let owner = 1; owner <= 4; owner++) {
      const newest: TeamVersion[] = [];
      for (let team = 1; team <= 3; team++) {
        const entry = entryId(userId(owner), teamNo(team));
        const expected = [...rows.values()].filter((row) => row.entryId === entry);
        expected.sort((a, b) => a.version - b.version);
        expect(await again.versions(match, entry)).toEqual(expected);
        newest.push(...expected.slice(-1));
      }
      expect(await again.teams(match, userId(owner))).toEqual(newest);
    }
  });
}
