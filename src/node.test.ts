import { afterAll, expect, test } from "bun:test";
import { rm } from "node:fs/promises";
import { verifyInclusion } from "./client/inclusion-proof.ts";
import { type Config, testConfig } from "./config.ts";
import { ApiClient } from "./demo/api-client.ts";
import { type DemoResult, playDemo } from "./demo/demo.ts";
import { startNode } from "./main.ts";
import { Terminal } from "./demo/terminal.ts";

/** Swallows what the demo prints. */
const silent = new Terminal({ isTTY: false, write: () => true } as unknown as NodeJS.WriteStream);

const directories: string[] = [];
afterAll(() => Promise.all(directories.map((directory) => rm(directory, { recursive: true, force: true }))));

async function play(seed: number, isLogShared = false): Promise<{ result: DemoResult; config: Config }> {
  const config = { ...testConfig(), isLogShared };
  directories.push(config.dataDir);
  const options = {
    config,
    botCount: 60,
    seed,
    matchFile: null,
    speed: 1_000_000,
    visitorSpeed: 1_000_000,
    visitorWindowMs: 60_000,
  };
  return { result: await playDemo(options, silent), config };
}

test("a match is played over HTTP from an empty disk to paid prizes, the same for the same seed", async () => {
  const [first, second] = [await play(7), await play(7)];
  try {
    expect(first.result.topTen).toEqual(second.result.topTen);
    expect(first.result.contests).toEqual(second.result.contests);
    expect(first.result.topTen[0]!.rank).toBe(1);
    expect(new Set(first.result.contests.map(({ outcome }) => outcome))).toEqual(new Set(["settled", "refunded"]));
    for (const { result } of [first, second]) {
      const audit = await result.node.ledger.audit();
      expect(audit.sumPaise as number).toBe(0);
      expect(audit.differences).toEqual([]);
    }
  } finally {
    await first.result.node.stop();
    await second.result.node.stop();
  }
});

test("the only node of a cluster has all slices, and plays the same match to the same prizes", async () => {
  const [alone, only] = [await play(7), await play(7, true)];
  try {
    expect(only.result.topTen).toEqual(alone.result.topTen);
    expect(only.result.contests).toEqual(alone.result.contests);
    expect((await only.result.node.ledger.audit()).differences).toEqual([]);
  } finally {
    await alone.result.node.stop();
    await only.result.node.stop();
  }
});

test("a node that starts again answers as before: boards from the log, proofs, prizes paid once", async () => {
  const { result, config } = await play(11);
  const before = new ApiClient(result.url);
  const mega = result.contests[0]!.contestId;
  const board = await before.get(`/v1/contests/${mega}/leaderboard?top=20`);
  const commitment = await before.get("/v1/matches/1/commitment");
  const audit = await result.node.ledger.audit();
  await result.node.stop();

  const node = await startNode({ ...config, dataDir: `${config.dataDir}/demo` });
  try {
    const after = new ApiClient(node.url);
    const released = await node.game.admin.releasePrizes(1 as never);
    expect(released.ok && released.value.contests.map(({ contestId, outcome }) => ({ contestId, outcome }))).toEqual(
      result.contests.map(({ contestId, outcome }) => ({ contestId, outcome }) as never),
    );
    expect(await after.get(`/v1/contests/${mega}/leaderboard?top=20`)).toEqual(board);
    expect(await after.get("/v1/matches/1/commitment")).toEqual(commitment);
    expect(await node.ledger.audit()).toEqual(audit);

    const { entryId } = result.topTen[0]!;
    const { body: proof } = await after.get(`/v1/matches/1/proofs/${entryId}`);
    expect(await verifyInclusion(proof, commitment.body.rootHex)).toBe(true);
    const captain = proof.rosterHex.slice(0, 2);
    const changed = proof.rosterHex.slice(2, 4) + captain + proof.rosterHex.slice(4);
    expect(await verifyInclusion({ ...proof, rosterHex: changed }, commitment.body.rootHex)).toBe(false);
  } finally {
    await node.stop();
  }
});
