/** A node before the deadline, as a process of its own; driven by the bench over IPC. */
import { rm } from "node:fs/promises";
import { testConfig } from "../../src/config.ts";
import { concurrently } from "../../src/demo/concurrently.ts";
import { MatchInPlay } from "../../src/demo/match-in-play.ts";
import { edgeLimits } from "../../src/edge/limits.ts";
import type { UserId } from "../../src/domain/ids.ts";
import { checkRoster, ROSTER_RULES } from "../../src/domain/roster.ts";
import { serveParent } from "./ipc.ts";

const config = { ...testConfig(), host: "0.0.0.0" };
let play: MatchInPlay;
const users: { id: UserId; token: string }[] = [];
let cpu = process.cpuUsage();

serveParent({
  async open({ userCount, savesPerSecond }: { userCount: number; savesPerSecond: number }) {
    const teamSaves = { capacity: savesPerSecond, refillPerSecond: savesPerSecond };
    const sockets = { framesPerSecondMax: 100_000 };
    play = await MatchInPlay.open(config, 5, { edge: { rates: { ...edgeLimits.rates, teamSaves } }, sockets });
    await concurrently(
      Array.from({ length: userCount }, (_, index) => index),
      256,
      async (index) => {
        const { id, session } = await play.user(`saver-${index}`);
        users.push({ id, token: session.accessToken });
      },
    );
    const rosters = Array.from({ length: 100 }, (_, index) => {
      const check = checkRoster(play.draft(index), play.squad, ROSTER_RULES["modern"]!);
      if (!check.ok) throw new Error("an illegal team was drawn");
      return check.roster;
    });
    const port = Number(new URL(play.node.url).port);
    return { port, matchId: play.matchId, tokens: users.map(({ token }) => token), rosters };
  },
  begin() {
    cpu = process.cpuUsage();
  },
  cpu: () => process.cpuUsage(cpu),
  /** Every version that is stored, of all users. */
  async stored() {
    let count = 0;
    await concurrently(users, 64, async ({ id }) => {
      const versions = await play.node.game.teams.versions(id, play.matchId, 1 as never);
      count += versions.length;
    });
    return count;
  },
  async stop() {
    await play.node.stop();
    await rm(config.dataDir, { recursive: true, force: true });
  },
});
