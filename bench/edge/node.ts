/** One node with a match, as a process of its own; driven by the bench over IPC. */
import { rm } from "node:fs/promises";
import { testConfig } from "../../src/config.ts";
import { concurrently } from "../../src/demo/concurrently.ts";
import { MatchInPlay, type Player } from "../../src/demo/match-in-play.ts";
import type { MatchId } from "../../src/domain/ids.ts";
import { serveParent, wallMs } from "./ipc.ts";

const [directory = ""] = process.argv.slice(2);
const config = { ...testConfig(directory), host: "0.0.0.0", tickMs: 1_000 };
const PLAYED = 2;
let play: MatchInPlay;

const rssBytes = (): number => {
  Bun.gc(true);
  return process.memoryUsage.rss();
};

serveParent({
  /** Fills the data directory, in a process whose memory is nobody's business. */
  async prepare({ playerCount }: { playerCount: number }) {
    play = await MatchInPlay.open(config);
    const contest = await play.openContest({ entriesMax: playerCount + 2 });
    const players: Player[] = [];
    await concurrently(
      Array.from({ length: playerCount }, (_, index) => index),
      256,
      async (index) => void players.push(await play.player(`player-${index}`, [contest])),
    );
    await play.lock();
    await play.play(PLAYED);
    await play.settled();
    await play.node.stop();
    const tokens = players.map(({ session }) => session.accessToken);
    return { matchId: play.matchId, contestId: contest.id, tokens };
  },
  async open({ matchId }: { matchId: MatchId }) {
    play = await MatchInPlay.reopen(config, matchId, PLAYED);
    await play.settled();
    return { port: Number(new URL(play.node.url).port), rssBytes: rssBytes() };
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
    await rm(directory, { recursive: true, force: true });
    return null;
  },
});
