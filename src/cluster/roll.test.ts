import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { openActor } from "../demo/actor.ts";
import { expectStatus } from "../demo/api-client.ts";
import { deposit, type OpenContest, openMatch, playMatchDay } from "../demo/match-day.ts";
import { planContests } from "../demo/plan.ts";
import { Terminal } from "../demo/terminal.ts";
import { type ContestId, contestId, matchId, teamOfEntry, userOfEntry } from "../domain/ids.ts";
import { qpToPoints } from "../domain/points.ts";
import type { RosterDraft } from "../domain/roster.ts";
import { DEV_SECRETS } from "../edge/secrets.ts";
import { adaptCricsheet } from "../stream/cricsheet.ts";
import { generateMatch } from "../stream/match-generator.ts";
import { Absences } from "../testing/absences.ts";
import { missingForCluster } from "../testing/cluster-stores.ts";
import { type ClusterStage, openBots, openClusterStage } from "../testing/cluster-stage.ts";
import { LocalCluster, missingBalancer } from "../testing/local-cluster.ts";
import { booksOf } from "../testing/match-books.ts";
import { entryKey, MatchTruth } from "../testing/match-truth.ts";
import { insistentFetch } from "../testing/patient-fetch.ts";
import { SteadyLoad } from "../testing/steady-load.ts";
import { TrueFollower } from "../testing/true-follower.ts";
import { until } from "../testing/until.ts";

const missing = missingBalancer() ?? (await missingForCluster());
if (missing !== null) console.log(`rolling restart: skipped, ${missing}`);

const BOT_COUNT = 60;
const FOLLOWER_COUNT = 20;
const SEED = 7;
/** Times real time: 80 ms a ball. */
const SPEED = 400;
const LOAD_EVERY_MS = 100;
/** What is promised to everybody who is connected. */
const BACK_WITHIN_MS = 5_000;

type ShownTeam = RosterDraft & { readonly teamNo: number };

/** The order of the players says nothing. */
const told = ({ captain, players, viceCaptain }: RosterDraft): string =>
  [captain, viceCaptain, ...players.toSorted()].join(" ");

const silent = new Terminal({ isTTY: false, write: () => true } as unknown as NodeJS.WriteStream);

describe.skipIf(missing !== null)("a rolling restart", () => {
  let cluster: LocalCluster;
  let stage: ClusterStage;

  beforeAll(async () => {
    cluster = await LocalCluster.prepare({
      names: ["a1", "a2", "b1", "b2"],
      env: { TICK_MS: "100", DRAIN_MS: "1000" },
    });
    await cluster.start(["a1"]);
    await Promise.all(["a2", "b1", "b2"].map((name) => cluster.node(name).start()));
    stage = await openClusterStage(cluster, insistentFetch);
  }, 120_000);

  afterAll(async () => {
    await stage?.close();
    await cluster?.dispose();
  }, 60_000);

  /** `make roll GROUP=a`, in a process of its own as the operator's. */
  async function roll(): Promise<{ status: number; said: string }> {
    const command = Bun.spawn([process.execPath, "ops/roll/command.ts"], {
      env: { ...process.env, CLUSTER: cluster.file, GROUP: "a" },
      stderr: "pipe",
    });
    const [said, complained] = await Promise.all([
      new Response(command.stdout).text(),
      new Response(command.stderr).text(),
    ]);
    return { status: await command.exited, said: said + complained };
  }

  test("fails no save and no join, brings every client back within 5 s, and leaves ranks exact", async () => {
    const adapted = adaptCricsheet(generateMatch(SEED));
    if (!adapted.ok) throw new Error(JSON.stringify(adapted.faults));
    const game = adapted.match;
    const bots = await openBots(stage, BOT_COUNT);
    const admin = await openActor(stage, "demo-admin", "admin");
    const fundingMs = performance.now();
    await deposit(bots, stage.sandboxUrl!, silent);
    const startMs = Date.now() + Math.max(6_000, Math.ceil(8 * (performance.now() - fundingMs)));

    // The next match, which is still open.
    const next = await openMatch(admin.api, game, Date.now() + 3_600_000);
    const terms = {
      ...planContests(next, BOT_COUNT)[1]!.terms,
      entriesMax: 10_000,
      entriesPerUserMax: 20,
    };
    const contests: ContestId[] = [];
    for (const name of ["First", "Second", "Third"]) {
      const opened = expectStatus(await admin.api.post("/v1/admin/contests", { ...terms, name }), 201, name);
      contests.push(contestId(opened.body.id));
    }

    const truth = new MatchTruth(game, SEED, planContests(matchId(1), BOT_COUNT)[0]!.joins);
    const wrong: string[] = [];
    const followers: TrueFollower[] = [];
    const loads: SteadyLoad[] = [];
    let absences: Absences[] = [];
    const rolls: { status: number; said: string }[] = [];
    let rolling: Promise<void> = Promise.resolve();
    let ballsMeanwhile = 0;

    const everybodyKnows = () =>
      until("all followers know the last ball", () => {
        expect(wrong).toEqual([]);
        return followers.every((follower) => follower.isUpToDate);
      });
    const onJoined = async (_: number, played: readonly OpenContest[]) => {
      for (let botIndex = 0; botIndex < FOLLOWER_COUNT; botIndex++) {
        const onWrong = (what: string) => void wrong.push(what);
        const bot = bots[botIndex]!;
        const firstUrl = cluster.nodes[botIndex % cluster.nodes.length]!.url;
        const contest = played[0]!.id;
        followers.push(await TrueFollower.open({ stage, firstUrl, bot, botIndex, contest, truth, onWrong }));
      }
    };
    const onEvent = async (index: number) => {
      if (index === 20) {
        await everybodyKnows();
        const users = bots.slice(20, 50);
        loads.push(new SteadyLoad({ stage, users, game, match: next, contests, everyMs: LOAD_EVERY_MS }));
        await until("the load has its sockets", () => {
          const open = loads[0]!.clients.filter(({ state }) => state === "open");
          return open.length === users.length / 2;
        });
        absences = [...followers.map(({ client }) => client), ...loads[0]!.clients].map(
          (client) => new Absences(client),
        );
        rolling = roll().then((result) => void rolls.push(result));
      }
      if (rolls.length === 0 && index > 20) ballsMeanwhile++;
      if (index === game.events.length - 1) await rolling;
      truth.apply(game.events[index]!);
    };
    try {
      const played = await playMatchDay({
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
      });
      await everybodyKnows();
      await until("everybody is connected", () => absences.every(({ isOver }) => isOver));
      const done = loads[0]!;
      await done.stop();
      const { said, status } = rolls[0]!;
      expect(said).toContain("roll: a1, a2 restarted");
      expect(status).toBe(0);
      expect(done.failures).toEqual([]);

      // What was acknowledged is there; a save that went by a spool is so a moment later.
      for (const bot of bots) {
        const saved = [...done.saved].filter(([entry]) => userOfEntry(entry) === bot.id);
        await until(`${bot.name} has the teams that were acknowledged last`, async () => {
          const path = `/v1/matches/${next}/teams`;
          const teams: ShownTeam[] = expectStatus(await bot.api.get(path), 200, path).body.teams;
          return saved.every(([entry, draft]) => {
            const kept = teams.find((team) => team.teamNo === teamOfEntry(entry));
            return kept !== undefined && told(kept) === told(draft);
          });
        });
      }
      for (const contest of contests) {
        const entries = await stage.catalog.entriesOfContest(contest, 0, 10_000);
        const acknowledged = done.entered.filter((entry) => entry.contestId === contest);
        expect(new Set(entries.map((entry) => entry.entryId))).toEqual(
          new Set(acknowledged.map((entry) => entry.entryId)),
        );
      }

      const gaps = absences.flatMap(({ ms }) => ms);
      expect(gaps.length).toBeGreaterThan(0);
      expect(Math.max(...gaps)).toBeLessThan(BACK_WITHIN_MS);

      const { audit, boards } = await booksOf(admin.api, stage.ledger, bots, played);
      const names = bots.map(({ name }) => name);
      const mega = boards[played.contests[0]!.terms.name]!;
      expect(mega).toHaveLength(planContests(matchId(1), BOT_COUNT)[0]!.joins.length);
      for (const { points, rank, teamNo: team, userName } of mega) {
        const should = truth.now(entryKey(names.indexOf(userName), team));
        expect({ points, rank }).toEqual({ points: qpToPoints(should.scoreQp), rank: should.rank });
      }
      expect(audit).toMatchObject({ sumPaise: 0, differences: [] });
      console.log(`${said}rolling restart: ${ballsMeanwhile} balls, ${done.saves.count} saves (${done.saves.summary()}), ${done.joins.count} joins \
(${done.joins.summary()}) meanwhile; ${gaps.length} connections moved, the longest absence was ${Math.max(...gaps).toFixed(0)} ms`);
    } catch (error) {
      for (const follower of followers) console.error(follower.told);
      console.error(rolls, cluster.tails());
      throw error;
    } finally {
      await Promise.all(loads.map((load) => load.stop()));
      for (const follower of followers) follower.close();
    }
  }, 240_000);
});
