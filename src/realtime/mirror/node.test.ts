import { afterAll, expect, test } from "bun:test";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { limits, testConfig } from "../../config.ts";
import { ApiClient } from "../../demo/api-client.ts";
import { playDemo } from "../../demo/demo.ts";
import { Terminal } from "../../demo/terminal.ts";
import { type ContestId, type EntryId, userOfEntry } from "../../domain/ids.ts";
import { startNode } from "../../main.ts";
import { forgetKeys } from "../../stores/hot-store/redis/aging.ts";
import { openRedisHotStore } from "../../stores/hot-store/redis.ts";
import { openEmbeddedTeamStore } from "../../stores/team-store/embedded.ts";

const silent = new Terminal({ isTTY: false, write: () => true } as unknown as NodeJS.WriteStream);
const url = process.env["TEST_REDIS_URL"];
if (url === undefined) console.log("copies of a node's boards skipped, TEST_REDIS_URL is not set (make services)");

const prefix = `test-${crypto.randomUUID()}:`;
const config = testConfig();
afterAll(async () => {
  await rm(config.dataDir, { recursive: true, force: true });
  if (url !== undefined) await forgetKeys([url], prefix);
});

interface Row {
  readonly rank: number;
  readonly entryId: EntryId;
}

test.skipIf(url === undefined)(
  "a played match is in the copies and in the totals, and its boards are shown before they are open again",
  async () => {
    const hotStoreUrl = `${url}?prefix=${prefix}`;
    const shared = { ...config, stores: { ...config.stores, hotStore: hotStoreUrl } };
    const played = await playDemo(
      {
        config: shared,
        botCount: 60,
        seed: 7,
        matchFile: null,
        speed: 1_000_000,
        visitorSpeed: 1_000_000,
        visitorWindowMs: 60_000,
      },
      silent,
    );
    const { node } = played;
    const contests = played.contests.map(({ contestId }) => contestId);
    const boardOf = async (of: ApiClient, contest: ContestId) =>
      (await of.get(`/v1/contests/${contest}/leaderboard?top=50`)).body as { readonly rows: readonly Row[] };
    const boards = new Map<ContestId, Awaited<ReturnType<typeof boardOf>>>();
    for (const contest of contests) boards.set(contest, await boardOf(new ApiClient(played.url), contest));
    // What is behind, at the end of the match, is only what is being written.
    for (const metric of ["powerplay_mirror_behind_contests 0", "powerplay_totals_behind_contests 0"]) {
      while (!(await node.metrics.scrape()).includes(metric)) await Bun.sleep(10);
    }
    await node.stop();

    const dataDir = join(config.dataDir, "demo");
    const teamStore = await openEmbeddedTeamStore({ file: join(dataDir, "teams.sqlite"), pendingMax: 1_000 });
    const outcomes = new Map(played.contests.map(({ contestId, outcome }) => [contestId, outcome]));
    for (const [contest, { rows }] of boards) {
      if (rows.length === 0) continue;
      expect((await teamStore.totalsMark(contest))?.hasPrizes).toBe(outcomes.get(contest) === "settled");
      const ids = rows.map(({ entryId }) => entryId);
      const totals = await teamStore.totals(contest, ids);
      const ranks = (some: readonly Pick<Row, "entryId" | "rank">[]) => some.map((row) => [row.entryId, row.rank]);
      expect(ranks(totals)).toEqual(ranks(rows));
    }
    await teamStore.close();

    const hotStore = await openRedisHotStore({ url: hotStoreUrl, ...limits.redis });
    const mega = contests[0]!;
    const entered = contests.filter((contest) => boards.get(contest)!.rows.length > 0);
    for (const contest of entered) expect((await hotStore.boardHeads(contest)).length).toBeGreaterThan(0);
    await hotStore.close();

    // The match is over, so its boards are not opened again at a start.
    for (const lost of [false, true]) {
      if (lost) await forgetKeys([url!], prefix);
      const again = await startNode({ ...shared, dataDir });
      const client = new ApiClient(again.url);
      for (const contest of entered) expect(await boardOf(client, contest)).toEqual(boards.get(contest)!);
      // The question has brought the board itself back.
      while (!(await again.game.boards.mine(userOfEntry(boards.get(mega)!.rows[0]!.entryId), mega)).ok)
        await Bun.sleep(10);
      await again.stop();
    }
  },
  60_000,
);
