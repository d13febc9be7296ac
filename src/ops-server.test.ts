import { afterAll, beforeAll, expect, test } from "bun:test";
import { rm } from "node:fs/promises";
import { testConfig } from "./config.ts";
import { PowerplayClient } from "./client/index.ts";
import { MatchInPlay } from "./demo/match-in-play.ts";
import { Metrics } from "./metrics.ts";
import { type Node, startNode } from "./main.ts";
import { startOps } from "./ops-server.ts";

const config = testConfig();
const errors: string[] = [];
let play: MatchInPlay;

beforeAll(async () => {
  play = await MatchInPlay.open({ ...config, logFormat: "json" }, 5, { log: (line) => void errors.push(line) });
});

afterAll(async () => {
  await play.node.stop();
  await rm(config.dataDir, { recursive: true, force: true });
});

/** A sample's value; labels as they are written. */
async function sample(node: Node, name: string): Promise<number> {
  const text = await (await fetch(`${node.opsUrl}/metrics`)).text();
  const line = text.split("\n").find((line) => line.startsWith(`${name} `));
  if (line === undefined) throw new Error(`${name} is not there`);
  return Number(line.split(" ")[1]);
}

test("a match leaves its latencies, sockets, passes and lags; saves and joins count when they succeed", async () => {
  const { node } = play;
  const contest = await play.openContest();
  const player = await play.user("measured");
  const client = new PowerplayClient({ url: node.socketUrl, session: player.session });
  client.connect();
  const draft = play.draft(1);
  expect((await client.saveTeam(play.matchId, 1, draft)).ok).toBe(true);
  const headers = { authorization: `Bearer ${player.session.accessToken}`, "content-type": "application/json" };
  expect((await fetch(`${node.url}/v1/teams`, { method: "POST", headers, body: "{}" })).status).toBe(400);
  expect((await client.join(contest.id, 1)).ok).toBe(true);
  expect(await sample(node, "powerplay_save_seconds_count")).toBe(1);
  expect(await sample(node, "powerplay_join_seconds_count")).toBe(1);
  const saves = 'powerplay_requests_total{method="POST",route="/v1/teams"';
  expect(await sample(node, `${saves},status="200"}`)).toBe(1);
  expect(await sample(node, `${saves},status="400"}`)).toBe(1);
  expect(await sample(node, "powerplay_sockets_open")).toBe(1);

  await play.lock();
  const follow = client.followMatch(play.matchId);
  await play.play(3);
  for await (const view of follow) if (view.balls.length >= 3) break;
  await play.settled();
  expect(await sample(node, "powerplay_ball_to_board_seconds_count")).toBe(3);
  expect(await sample(node, "powerplay_board_pass_seconds_count")).toBeGreaterThan(0);
  expect(await sample(node, "powerplay_ball_to_push_seconds_count")).toBe(3);
  for (const topic of ["team-saves", "score-events", "player-points"]) {
    for (const partition of [0, 1, 2, 3]) {
      const labels = `{topic="${topic}",partition="${partition}"}`;
      expect(await sample(node, `powerplay_consumer_lag_records${labels}`)).toBe(0);
    }
  }
  expect(await sample(node, "powerplay_spool_records")).toBe(0);
  expect(await sample(node, "powerplay_event_loop_lag_seconds_count")).toBeGreaterThan(0);
  client.close();
  while ((await sample(node, "powerplay_sockets_open")) > 0) await Bun.sleep(1);
});

test("books that agree say so with a time", async () => {
  await play.node.reconcile();
  expect(await sample(play.node, 'powerplay_reconcile_differences{kind="ledger_sum"}')).toBe(0);
  expect(await sample(play.node, "powerplay_reconcile_last_run_seconds")).toBeGreaterThan(1e9);
});

test("a request that fails for a bug of ours is found in the log by the id that its sender got", async () => {
  const { session } = await play.user("unlucky");
  const { browse } = play.node.game;
  const matches = browse.matches.bind(browse);
  Object.assign(browse, { matches: () => Promise.reject(new TypeError("not a match")) });
  const headers = { authorization: `Bearer ${session.accessToken}` };
  const answer = await fetch(`${play.node.url}/v1/matches`, { headers });
  Object.assign(browse, { matches });
  expect(answer.status).toBe(500);
  const { instance } = (await answer.json()) as { instance: string };
  const told = errors.map((line) => JSON.parse(line)).find(({ requestId }) => requestId === instance);
  expect(told).toMatchObject({
    level: "error",
    route: "GET /v1/matches",
    error: { cause: { message: "not a match" } },
  });
});

test("numbers are not for the public, life and readiness are for everybody", async () => {
  const { opsUrl, url } = play.node;
  expect((await fetch(`${url}/metrics`)).status).toBe(404);
  const metrics = await fetch(`${opsUrl}/metrics`);
  expect(metrics.headers.get("content-type")).toStartWith("text/plain; version=0.0.4");
  for (const base of [url, opsUrl]) {
    expect((await fetch(`${base}/healthz`)).status).toBe(200);
    expect((await fetch(`${base}/readyz`)).status).toBe(200);
  }
  expect((await fetch(`${opsUrl}/v1/matches`)).status).toBe(404);
});

test("a restarted node is ready when the boards of its matches are there, and gone for operators last", async () => {
  await play.restart();
  const { node } = play;
  while ((await fetch(`${node.opsUrl}/readyz`)).status !== 200) await Bun.sleep(1);
  const contests = await node.catalog.contests(play.matchId);
  expect((await node.game.boards.top(contests[0]!.id, 1)).ok).toBe(true);
  await node.stop();
  await expect(fetch(`${node.opsUrl}/healthz`)).rejects.toThrow();
  play.node = await startNode(config, { clock: play.clock });
});

test("a port that is taken is told with its variable", async () => {
  const options = { host: "127.0.0.1", metrics: new Metrics(), ready: () => true };
  const first = startOps({ ...options, port: 0 });
  const port = Number(new URL(first.url).port);
  expect(() => startOps({ ...options, port })).toThrow(`OPS_PORT: 127.0.0.1:${port} can't be listened on`);
  await first.stop();
});

test("a node that can't have its port ends, and says why", async () => {
  const holder = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response() });
  const { dataDir, boardDir } = testConfig();
  const env = { PORT: String(holder.port), HOST: "127.0.0.1", OPS_PORT: "0", DATA_DIR: dataDir, BOARD_DIR: boardDir };
  const main = new URL("./main.ts", import.meta.url).pathname;
  const node = Bun.spawn([process.execPath, main, "serve", "--dev"], { env, stdout: "ignore", stderr: "pipe" });
  expect(await new Response(node.stderr).text()).toContain(`${holder.port}`);
  expect(await node.exited).toBe(1);
  await holder.stop(true);
  await rm(dataDir, { recursive: true, force: true });
});
