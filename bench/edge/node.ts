/** One node with a match, as a process of its own; driven by the bench over IPC. */
import { rm } from "node:fs/promises";
import { testConfig } from "../../src/config.ts";
import { concurrently } from "../../src/demo/concurrently.ts";
import { MatchInPlay, type Player } from "../../src/demo/match-in-play.ts";
import type { Contest } from "../../src/domain/contest.ts";
import { serveParent, wallMs } from "./ipc.ts";

const config = { ...testConfig(), host: "0.0.0.0", tickMs: 1_000 };
let play: MatchInPlay;
let contest: Contest;

const rssBytes = (): number => {
  Bun.gc(true);
  return process.memoryUsage.rss();
};

serveParent({
  async open({ playerCount }: { playerCount: number }) {
    play = await MatchInPlay.open(config);
    contest = await play.openContest({ entriesMax: playerCount + 2 });
    const players: Player[] = [];
    await concurrently(
      Array.from({ length: playerCount }, (_, index) => index),
      256,
      async (index) => void players.push(await play.player(`player-${index}`, [contest])),
    );
    await play.lock();
    await play.play(2);
    await play.settled();
    return {
      port: Number(new URL(play.node.url).port),
      matchId: play.matchId,
      contestId: contest.id,
      tokens: players.map(({ session }) => session.accessToken),
      rssBytes: rssBytes(),
    };
  },
  state: () => ({ rssBytes: rssBytes(), openCount: play.node.sockets.openCount, told: { ...play.node.sockets.told } }),
  async ball() {
    const told = { ...play.node.sockets.told };
    const atMs = wallMs();
    await play.play(1);
    const durableMs = wallMs();
    await play.settled();
    return { atMs, durableMs, shownMs: wallMs(), told };
  },
  async stop() {
    await play.node.stop();
    await rm(config.dataDir, { recursive: true, force: true });
    return null;
  },
});
