import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { rm } from "node:fs/promises";
import { testConfig } from "../config.ts";
import { openActor } from "../demo/actor.ts";
import { DemoClock } from "../demo/demo-clock.ts";
import { deposit, type MatchDay, type OpenContest, playMatchDay } from "../demo/match-day.ts";
import { planContests } from "../demo/plan.ts";
import { Terminal } from "../demo/terminal.ts";
import { type MatchId, matchId } from "../domain/ids.ts";
import { DEV_SECRETS } from "../edge/secrets.ts";
import { startNode } from "../main.ts";
import { adaptCricsheet, type CricsheetMatch } from "../stream/cricsheet.ts";
import { generateMatch } from "../stream/match-generator.ts";
import { missingForCluster } from "../testing/cluster-stores.ts";
import { type ClusterStage, type NamedActor, openBots, openClusterStage } from "../testing/cluster-stage.ts";
import { cricketFiles, readCricketFile } from "../testing/cricket-data.ts";
import { LocalCluster, type LocalNode, missingBalancer } from "../testing/local-cluster.ts";
import { booksOf } from "../testing/match-books.ts";
import { MatchTruth } from "../testing/match-truth.ts";
import { patientFetch } from "../testing/patient-fetch.ts";
import { TrueFollower } from "../testing/true-follower.ts";
import { until } from "../testing/until.ts";

const missing = missingBalancer() ?? (await missingForCluster());
if (missing !== null) console.log(`cluster: skipped, ${missing}`);

const BOT_COUNT = 300;
const SEED = 2026;
const SLICE_COUNT = 8;
/** Times real time: 80 ms a ball. */
const SPEED = 400;
const FOLLOWER_COUNT = 16;
/** Between these events followers need not be up to date: slices are on their way. */
const CHECK_EVERY = 5;
const PATIENCE_MS = 60_000;

const silent = new Terminal({ isTTY: false, write: () => true } as unknown as NodeJS.WriteStream);
const secondsSince = (startMs: number): string => `${((performance.now() - startMs) / 1_000).toFixed(1)} s`;

/** A real one where there are any. */
function chooseMatch(): CricsheetMatch {
  const file = cricketFiles().find((path) => path.startsWith("ipl/"));
  const adapted = adaptCricsheet(file === undefined ? generateMatch(SEED) : readCricketFile(file));
  if (!adapted.ok) throw new Error(JSON.stringify(adapted.faults));
  return adapted.match;
}

/** The same match with the same bots on one node with embedded stores. */
async function playAlone(game: CricsheetMatch, names: readonly string[]) {
  const config = testConfig();
  const clock = new DemoClock();
  const node = await startNode(config, { clock, log: () => undefined });
  try {
    const bots: NamedActor[] = [];
    for (const name of names) bots.push({ name, ...(await openActor(node, name, "user")) });
    const admin = await openActor(node, "demo-admin", "admin");
    const startMs = clock.nowMs() + 200_000;
    const played = await playMatchDay({
      node,
      admin,
      terminal: silent,
      feedSecret: DEV_SECRETS.feed,
      game,
      bots,
      seed: SEED,
      startMs,
      speed: 1e9,
      visitorSpeed: 1e9,
      deadline: async () => clock.advanceTo(startMs),
    });
    return await booksOf(admin.api, node.ledger, bots, played);
  } finally {
    await node.stop();
    await rm(config.dataDir, { recursive: true, force: true });
  }
}

const sliceCounts = (nodes: readonly LocalNode[]): Promise<number[]> =>
  Promise.all(nodes.map((node) => node.sliceCount()));

/** Whether these nodes have as many slices as there are. */
const haveAll = async (nodes: readonly LocalNode[]): Promise<boolean> =>
  (await sliceCounts(nodes)).reduce((sum, count) => sum + count, 0) === SLICE_COUNT;

/** Whether each of the nodes can put the boards of the match together: the commitment asks every slice. */
async function answerAll(nodes: readonly LocalNode[], match: MatchId): Promise<boolean> {
  const answers = await Promise.all(
    nodes.map((node) => fetch(`${node.url}/v1/matches/${match}/commitment`).catch(() => null)),
  );
  return answers.every((answer) => answer?.status === 200);
}

describe.skipIf(missing !== null)("a cluster", () => {
  let cluster: LocalCluster;
  let stage: ClusterStage;
  const repeats: string[] = [];

  beforeAll(async () => {
    cluster = await LocalCluster.prepare({
      names: ["a1", "a2", "b1", "b2", "c1"],
      env: { TICK_MS: "100", DRAIN_MS: "500" },
    });
    // The first makes the stores' tables.
    await cluster.start(["a1"]);
    await Promise.all(["a2", "b1", "b2"].map((name) => cluster.node(name).start()));
    stage = await openClusterStage(
      cluster,
      patientFetch(PATIENCE_MS, (why) => void repeats.push(why)),
    );
  }, 120_000);

  afterAll(async () => {
    await stage?.close();
    await cluster?.dispose();
  }, 60_000);

  test("plays a match through death, arrival and departure of nodes as one node would alone", async () => {
    const game = chooseMatch();
    const bots = await openBots(stage, BOT_COUNT);
    const admin = await openActor(stage, "demo-admin", "admin");
    const names = bots.map(({ name }) => name);
    const alone = await playAlone(game, names);

    const fundingMs = performance.now();
    await deposit(bots, stage.sandboxUrl!, silent);
    const startMs = Date.now() + Math.max(10_000, Math.ceil(5 * (performance.now() - fundingMs)));

    const mega = planContests(matchId(1), BOT_COUNT)[0]!;
    const truth = new MatchTruth(game, SEED, mega.joins);
    const wrong: string[] = [];
    const followers: TrueFollower[] = [];
    let live = cluster.nodes.filter(({ name }) => name !== "c1");
    let match: MatchId;

    const onJoined = async (id: MatchId, contests: readonly OpenContest[]) => {
      match = id;
      const onWrong = (what: string) => void wrong.push(what);
      const contest = contests[0]!.id;
      for (let index = 0; index < FOLLOWER_COUNT; index++) {
        const botIndex = index * 7;
        const bot = bots[botIndex]!;
        const firstUrl = live[index % live.length]!.url;
        followers.push(await TrueFollower.open({ stage, firstUrl, bot, botIndex, contest, truth, onWrong }));
      }
    };

    /** Slices on their way; balls go on meanwhile. */
    let moving: { what: string; done: Promise<void>; isDone: boolean; ballCount: number } | null = null;
    const move = (what: string, change: () => Promise<unknown>) => {
      const moved = async () => {
        const beganMs = performance.now();
        await change();
        const changed = secondsSince(beganMs);
        await until("the slices are shared", () => haveAll(live));
        const shared = secondsSince(beganMs);
        await until("the boards are whole", () => answerAll(live, match));
        current.isDone = true;
        const counts = await sliceCounts(live);
        console.log(
          `cluster: ${what} (${changed}): slices shared after ${shared}, boards whole on all nodes after ` +
            `${secondsSince(beganMs)}, ${current.ballCount} balls meanwhile; ` +
            live.map(({ name }, index) => `${name} has ${counts[index]}`).join(", "),
        );
      };
      const current = { what, done: Promise.resolve(), isDone: false, ballCount: 0 };
      current.done = moved();
      moving = current;
      return current.done;
    };

    const everybodyKnows = () =>
      until("all followers know the last ball", () => {
        expect(wrong).toEqual([]);
        return followers.every((follower) => follower.isUpToDate);
      });
    const at = (share: number) => Math.floor(game.events.length * share);
    const onEvent = async (index: number) => {
      if (moving !== null) moving.ballCount++;
      if (index % CHECK_EVERY === 0 && (moving === null || moving.isDone)) {
        await everybodyKnows();
      }
      if (index === at(0.2)) {
        const counts = await sliceCounts(live);
        const most = Math.max(...counts);
        const victim = live[counts.indexOf(most)]!;
        live = live.filter((node) => node !== victim);
        void move(`${victim.name} is killed with ${most} slices`, () => victim.kill());
      }
      if (index === at(0.5)) {
        await moving?.done;
        const newcomer = cluster.node("c1");
        live = [...live, newcomer];
        void move("c1 joins", async () => {
          await newcomer.start();
          await until("c1 has slices", async () => (await newcomer.sliceCount()) > 0);
        });
      }
      if (index === at(0.75)) {
        await moving?.done;
        const leaver = live[0]!;
        live = live.filter((node) => node !== leaver);
        void move(`${leaver.name} leaves`, () => leaver.leave());
      }
      if (index === game.events.length - 1) await moving?.done;
      truth.apply(game.events[index]!);
    };

    try {
      const day: MatchDay = {
        node: stage,
        admin,
        terminal: silent,
        feedSecret: DEV_SECRETS.feed,
        game,
        bots,
        seed: SEED,
        startMs,
        areFunded: true,
        onJoined,
        onEvent,
        speed: SPEED,
        visitorSpeed: SPEED,
        deadline: async () => {
          while (Date.now() < startMs) await Bun.sleep(20);
        },
      };
      const played = await playMatchDay(day);
      await everybodyKnows();
      for (const follower of followers) expect(follower.judgedCount).toBeGreaterThan(game.events.length / CHECK_EVERY);
      const books = await booksOf(admin.api, stage.ledger, bots, played);
      expect(books.audit).toEqual(alone.audit);
      expect(books.audit.differences).toEqual([]);
      expect(books).toEqual(alone);
      const judgedCount = followers.reduce((sum, follower) => sum + follower.judgedCount, 0);
      console.log(
        `cluster: ${judgedCount} ranks were pushed to ${followers.length} followers, ${repeats.length} requests repeated`,
      );
    } catch (error) {
      for (const follower of followers) console.error(follower.told);
      console.error(cluster.tails());
      throw error;
    } finally {
      for (const follower of followers) follower.close();
    }
  }, 240_000);
});
