import { assert } from "../domain/assert.ts";
import type { Contest } from "../domain/contest.ts";
import {
  type ContestId,
  type EntryId,
  entryId,
  type MatchId,
  type TeamNo,
  teamNo,
  type UserId,
} from "../domain/ids.ts";
import type { MatchState } from "../domain/match.ts";
import { paise } from "../domain/money.ts";
import type { PointsVector } from "../domain/points.ts";
import { type Random, seededRandom } from "../domain/random.ts";
import type { RosterDraft } from "../domain/roster.ts";
import type { SaveTeamResult } from "../edge/game.ts";
import { StoreUnavailable } from "../stores/unavailable.ts";
import { type SandboxHabits, SandboxProvider } from "../transaction/payments/sandbox-provider.ts";
import { signWebhook } from "../transaction/payments/webhook-signature.ts";
import { Scheduler } from "./scheduler.ts";
import { Sightings } from "./sightings.ts";
import { aMatch, openContests, randomDraft, simulatedPoints, SQUAD, SKEW_MS_MAX, START_MS } from "./simulated-game.ts";
import { CLEAR_SKY, type Incarnation, SimulatedNetwork, type Trace, type Weather } from "./simulated-network.ts";
import { type NodeGraph, type NodeWorld, openNode, type Seams, type Stores, WEBHOOK_SECRET } from "./simulated-node.ts";
import { simulatedBall } from "./simulated-scores.ts";
import { openSimulatedStores } from "./simulated-stores.ts";

const NODES = 3;
const USERS = 10;
/** Clients' clocks are off by this at most: nobody may rely on them. */
const CLIENT_SKEW_MS_MAX = 3000;
/** From some time between these on nothing fails any more, and everything must come to its end. */
const HEALED_MS_MIN = 13_000;
const HEALED_MS_MAX = 28_000;
const END_MS = 120_000;
const SET_UP_MS_MAX = 200;
const CLIENT_TIMEOUT_MS = 2500;

/** What one run leaves for the checkers. */
export interface Outcome {
  readonly seed: number;
  readonly stores: Stores;
  readonly provider: SandboxProvider;
  readonly matchId: MatchId;
  readonly contests: readonly Contest[];
  readonly users: readonly UserId[];
  /** Before the feed's. */
  readonly points: PointsVector;
  /** True time at which the earliest request for a join, or for a save, arrived at a node. */
  readonly arrivalsMs: ReadonlyMap<string, number>;
  readonly acknowledged: {
    readonly joins: readonly { readonly contestId: ContestId; readonly entryId: EntryId }[];
    /** Ids of feed events. */
    readonly events: readonly string[];
  };
  /** As the nodes answered them, whether or not the client heard. */
  readonly saves: readonly SaveRequest[];
  /** null when everything came to its end in time, otherwise what did not. */
  readonly unfinished: string | null;
  /** Thrown errors that were no store being away. */
  readonly bugs: readonly unknown[];
  readonly trace: Trace;
  readonly eventCount: number;
  readonly sightings: Sightings;
  /** Gives back what the stores hold outside of the garbage collector's reach. */
  close(): Promise<void>;
}

export interface SaveRequest {
  readonly entryId: EntryId;
  readonly draft: RosterDraft;
  /** null: the node had no answer, or died before it. */
  readonly result: SaveTeamResult | null;
  /** True times. */
  readonly arrivedMs: number;
  readonly answeredMs: number;
  /** Its node's clock is ahead by so much. */
  readonly skewMs: number;
}

export const joinArrival = (contest: ContestId, entry: EntryId): string => `join ${contest} ${entry}`;
export const saveArrival = (entry: EntryId): string => `save ${entry}`;

/** Plays one match on one seed. Synchronous: all waiting is in simulated time. */
export function simulate(seed: number, seams: Seams = {}, traced = false): Outcome {
  const run = new Run(seed, seams, traced ? [] : null);
  return run.play();
}

const AMBUSHES = [
  "transfer",
  "confirmJoin",
  "releaseJoin",
  "outboxSent",
  "creditDeposit",
  "moveWithdrawal",
  "moveContest",
  "putPayoutCursor",
  "moveMatch",
  "appendTeams",
  "openSpool",
  "closeSpool",
  "Spool.append",
  "Spool.forget",
] as const;

const storm = (random: Random): Weather => {
  const strength = random.pick([0, 0.3, 1, 2]);
  return {
    latencyMsMax: random.pick([2, 10, 40]),
    lostChance: 0.02 * strength,
    answerLostChance: 0.03 * strength,
    repeatedChance: 0.03 * strength,
    delayedChance: 0.02 * strength,
    delayMsMax: 3000,
    crashChance: 0.003 * strength,
    ambush: strength > 0 ? random.pick(AMBUSHES) : null,
    outageChance: 0.001 * strength,
    outageMsMax: 2000,
    stallChance: 0.02 * strength,
    queuedChance: random.pick([0, 0.5, 1]),
    fullChance: 0.002 * strength,
    timeoutMs: 400 + random.int(600),
  };
};

const providerHabits = (random: Random): SandboxHabits => ({
  webhookDelayMsMax: random.pick([10, 500, 3000]),
  webhookRepeatChance: 0.3,
  webhookRetryMs: 700,
  webhookAttemptsMax: 100,
  errorChance: random.pick([0, 0.2]),
  payoutRejectChance: random.pick([0, 0.3]),
  payoutReverseChance: random.pick([0, 0.5]),
});

class Run {
  readonly #seed: number;
  readonly #random: Random;
  readonly #scheduler = new Scheduler();
  readonly #network: SimulatedNetwork;
  readonly #provider: SandboxProvider;
  readonly #world: NodeWorld;
  readonly #nodes: { incarnation: Incarnation; graph: NodeGraph }[] = [];
  readonly #skewsMs: readonly number[];
  readonly #healedMs: number;
  readonly #arrivalsMs = new Map<string, number>();
  readonly #acknowledged: {
    joins: { contestId: ContestId; entryId: EntryId }[];
    events: string[];
  } = { joins: [], events: [] };
  readonly #saves: SaveRequest[] = [];
  readonly #bugs: unknown[] = [];
  readonly #trace: Trace;
  readonly #sightings = new Sightings();
  readonly #knownDrafts: readonly RosterDraft[];
  #isSetUp = false;
  #clientNowMs = 0;
  #actorsUnderWay = 0;
  #users: UserId[] = [];
  #contests: Contest[] = [];
  #matchId!: MatchId;

  constructor(seed: number, seams: Seams, trace: Trace) {
    this.#seed = seed;
    this.#trace = trace;
    const random = (this.#random = seededRandom(seed));
    const scheduler = this.#scheduler;
    this.#network = new SimulatedNetwork(scheduler, random, storm(random), this.#sightings, trace);
    this.#knownDrafts = [randomDraft(random), randomDraft(random)];
    this.#healedMs = HEALED_MS_MIN + random.int(HEALED_MS_MAX - HEALED_MS_MIN);
    this.#skewsMs = Array.from({ length: NODES }, () => random.int(2 * SKEW_MS_MAX + 1) - SKEW_MS_MAX);
    this.#provider = new SandboxProvider({
      webhookSecret: WEBHOOK_SECRET,
      random,
      after: (ms, then) => scheduler.after(ms, then),
      deliver: (rawBody, signature) =>
        this.#ask(async (node) => {
          const answer = await node.webhook(rawBody, signature);
          this.#sightings.saw(`webhook: ${answer.result === "accepted" ? answer.outcome : answer.result}`);
          return answer.result === "accepted" ? 200 : 400;
        }),
      habits: providerHabits(random),
    });
    this.#world = {
      scheduler,
      network: this.#network,
      stores: openSimulatedStores(seed, { scheduler, random, sightings: this.#sightings }, () =>
        this.#isSetUp ? this.#network.weather.fullChance : 0,
      ),
      exchange: async (request) => this.#provider.handle(request),
      seams,
      points: simulatedPoints(random),
      clientNowMs: () => this.#clientNowMs,
      sightings: this.#sightings,
      spoolRecordsMax: random.pick([2, 1_000, 1_000]),
      onBug: (error) => this.#bugs.push(error),
      locked: { entries: null },
    };
  }

  play(): Outcome {
    const scheduler = this.#scheduler;
    void this.#setUp().then(() => (this.#isSetUp = true));
    assert(
      scheduler.run(SET_UP_MS_MAX, () => this.#isSetUp),
      "nothing fails while the match is set up",
    );
    for (let index = 0; index < NODES; index++) this.#boot(index);
    for (const user of this.#users) this.#act(() => this.#playUser(user));
    this.#act(() => this.#conduct());
    this.#act(() => this.#forge());
    const reports = this.#random.int(12);
    for (let count = 0; count < reports; count++) this.#act(() => this.#report(count));
    if (this.#random.chance(0.4)) this.#act(() => this.#cancelOne());
    if (this.#random.chance(0.5)) this.#takeLogAway();
    if (this.#random.chance(0.5)) {
      scheduler.after(this.#random.int(START_MS), () => this.#world.stores.hotStore.forget());
    }
    scheduler.after(this.#healedMs, () => (this.#network.weather = CLEAR_SKY));

    const isQuiet = () => this.#actorsUnderWay === 0 && this.#provider.underWay === 0;
    let ended = scheduler.run(END_MS, isQuiet);
    // Two turns of every background loop more: what is still under way then is stuck. They may ask the provider for what an
    // actor gave up on, and its last word on that is waited for too.
    while (ended) {
      scheduler.run(scheduler.nowMs() + 6000, () => false);
      if (isQuiet()) break;
      ended = scheduler.run(END_MS, isQuiet);
    }
    const { stores, points } = this.#world;
    return {
      seed: this.#seed,
      stores,
      provider: this.#provider,
      matchId: this.#matchId,
      contests: this.#contests,
      users: this.#users,
      points,
      arrivalsMs: this.#arrivalsMs,
      acknowledged: this.#acknowledged,
      saves: this.#saves,
      unfinished: ended
        ? null
        : `${this.#actorsUnderWay} actors and ${this.#provider.underWay} matters of the provider`,
      bugs: this.#bugs,
      trace: this.#trace,
      eventCount: scheduler.eventCount,
      sightings: this.#sightings,
      close: async () => {
        await Promise.all([
          stores.catalog.close(),
          stores.ledger.close(),
          stores.log.close(),
          stores.teamStore.close(),
          ...[...stores.spools.values()].map((spool) => spool.close()),
        ]);
      },
    };
  }

  async #setUp(): Promise<void> {
    const { catalog } = this.#world.stores;
    const match = await catalog.createMatch(aMatch(START_MS));
    this.#matchId = match.id;
    await catalog.putSquad(match.id, SQUAD);
    this.#contests = await openContests(catalog, match.id, this.#random);
    for (let index = 0; index < USERS; index++) {
      const user = await catalog.createUser({ name: `u${index}`, role: "user", passwordHash: null, createdAtMs: 0 });
      assert(user.ok, "names are distinct");
      this.#users.push(user.user.id);
    }
  }

  #boot(index: number): void {
    let alive = true;
    const incarnation: Incarnation = {
      name: `node${index}`,
      alive: () => alive,
      crash: () => {
        if (!alive) return;
        alive = false;
        this.#trace?.push(`${this.#scheduler.nowMs()} node${index} crashed`);
        void this.#seeCrash(`node${index}`);
        this.#scheduler.after(100 + this.#random.int(2000), () => this.#boot(index));
      },
    };
    this.#nodes[index] = { incarnation, graph: openNode(this.#world, incarnation, this.#skewsMs[index]!) };
  }

  /** What a crash leaves half-done. Reads the stores themselves, so nothing that is simulated notices. */
  async #seeCrash(node: string): Promise<void> {
    const { catalog, spools } = this.#world.stores;
    const sightings = this.#sightings;
    sightings.saw("crash");
    if (((await spools.get(node)?.head(1)) ?? []).length > 0) sightings.saw("crash with saves in the spool");
    if ((await catalog.reservedJoinCount(this.#matchId)) > 0) sightings.saw("crash with joins under way");
    for (const { state } of await catalog.contests(this.#matchId)) {
      if (state === "settling" || state === "cancelling") sightings.saw(`crash with a contest ${state}`);
    }
    if ((await catalog.outboxCount(this.#matchId)) > 0) sightings.saw("crash with entries to announce");
    for (const { state } of await catalog.withdrawals(["created", "held", "sent"], 100)) {
      sightings.saw(`crash with a withdrawal ${state}`);
    }
  }

  #act(play: () => Promise<void>): void {
    this.#actorsUnderWay++;
    play()
      .catch((error: unknown) => this.#bugs.push(error))
      .finally(() => this.#actorsUnderWay--);
  }

  /** A request of a client to some node, over the same bad network. Rejects when there is no answer. */
  #ask<T>(work: (node: NodeGraph) => Promise<T>, clientSkewMs = 0): Promise<T> {
    const random = this.#random;
    const scheduler = this.#scheduler;
    const { weather } = this.#network;
    return new Promise<T>((resolve, reject) => {
      const sentAtMs = scheduler.nowMs() + clientSkewMs;
      const arrive = (answers: boolean) => {
        const { incarnation, graph } = this.#nodes[random.int(NODES)]!;
        if (!incarnation.alive()) return;
        this.#clientNowMs = sentAtMs;
        const done = (finish: () => void) =>
          answers && incarnation.alive() && scheduler.after(random.int(weather.latencyMsMax + 1), finish);
        work(graph).then(
          (value) => done(() => resolve(value)),
          (error: unknown) => {
            if (!(error instanceof StoreUnavailable)) this.#bugs.push(error);
            done(() => reject(error));
          },
        );
      };
      scheduler.after(CLIENT_TIMEOUT_MS, () => reject(new Error("no answer from the node")));
      const travelMs = random.int(weather.latencyMsMax + 1);
      if (!random.chance(weather.lostChance)) scheduler.after(travelMs, () => arrive(true));
      // The same request over a second connection.
      if (random.chance(weather.repeatedChance))
        scheduler.after(random.int(weather.delayMsMax + 1), () => arrive(false));
    });
  }

  /** Asks until there is an answer, as an app does; null after so many tries. */
  async #insist<T>(tries: number, work: (node: NodeGraph) => Promise<T>, clientSkewMs = 0): Promise<T | null> {
    for (let attempt = 0; attempt < tries; attempt++) {
      try {
        return await this.#ask(work, clientSkewMs);
      } catch {
        await this.#scheduler.sleep(this.#random.int(500));
      }
    }
    return null;
  }

  #arrived(what: string): void {
    if (!this.#arrivalsMs.has(what)) this.#arrivalsMs.set(what, this.#scheduler.nowMs());
  }

  async #playUser(user: UserId): Promise<void> {
    const random = this.#random;
    const scheduler = this.#scheduler;
    const clientSkewMs = random.int(2 * CLIENT_SKEW_MS_MAX) - CLIENT_SKEW_MS_MAX;
    for (let count = 0; count < 1 + random.int(2); count++) this.#act(() => this.#deposit(user, count));
    this.#act(() => this.#withdraw(user));

    const teams = Array.from({ length: 1 + random.int(3) }, (_, index) => teamNo(index + 1));
    for (const team of teams) await this.#save(user, team, clientSkewMs);
    for (let count = 0; count < 4 + random.int(5); count++) {
      const contest = random.pick(this.#contests);
      const team = random.pick(teams);
      const key = random.chance(0.7) ? `key-${random.int(12)}` : null;
      // Half of them meet at the deadline.
      const atMs = random.chance(0.5) ? START_MS - 300 + random.int(700) : random.int(START_MS);
      this.#act(async () => {
        await scheduler.sleep(Math.max(0, atMs - scheduler.nowMs()));
        await this.#join(user, contest.id, team, key, clientSkewMs);
      });
    }
    for (const team of teams) {
      const atMs = random.chance(0.5) ? START_MS - 200 + random.int(500) : random.int(START_MS);
      this.#act(async () => {
        await scheduler.sleep(Math.max(0, atMs - scheduler.nowMs()));
        await this.#save(user, team, clientSkewMs);
      });
    }
  }

  async #save(user: UserId, team: TeamNo, clientSkewMs: number): Promise<void> {
    // Half of them copy a team that everybody knows, so that ties are many and large.
    const draft = this.#random.chance(0.5) ? this.#random.pick(this.#knownDrafts) : randomDraft(this.#random);
    const result = await this.#insist(
      3,
      (node) => {
        this.#arrived(saveArrival(entryId(user, team)));
        return this.#saveOn(node, user, team, draft);
      },
      clientSkewMs,
    );
    if (result) this.#sightings.saw(`save: ${result.ok ? "acknowledged" : result.refusal}`);
  }

  async #saveOn(node: NodeGraph, user: UserId, team: TeamNo, draft: RosterDraft): Promise<SaveTeamResult> {
    const { catalog } = this.#world.stores;
    const arrivedMs = this.#scheduler.nowMs();
    const skewMs = node.clock.nowMs() - arrivedMs;
    const asked = { entryId: entryId(user, team), draft, arrivedMs, skewMs };
    const index = this.#saves.push({ ...asked, result: null, answeredMs: Number.POSITIVE_INFINITY }) - 1;
    const result = await node.teams.save(user, this.#matchId, team, draft);
    this.#saves[index] = { ...asked, result, answeredMs: this.#scheduler.nowMs() };
    if (result.ok && result.team.version === 0) {
      this.#sightings.saw("save: acknowledged by a spool");
      if ((await catalog.match(this.#matchId))!.state !== "upcoming") this.#sightings.saw("save: spooled and locked");
    }
    return result;
  }

  /** The log is away for a while, the catalog sometimes too; people save meanwhile and when it is back, on whichever nodes. */
  #takeLogAway(): void {
    const random = this.#random;
    const scheduler = this.#scheduler;
    const fromMs = random.chance(0.5) ? START_MS - 1500 + random.int(1500) : SET_UP_MS_MAX + random.int(START_MS);
    const forMs = 300 + random.int(3000);
    scheduler.after(fromMs - scheduler.nowMs(), () => this.#network.outage("EventLog", forMs));
    if (random.chance(0.3)) {
      const atMs = fromMs + random.int(forMs);
      scheduler.after(atMs - scheduler.nowMs(), () => this.#network.outage("Catalog", random.int(1000)));
    }
    for (const user of this.#users) {
      if (random.chance(0.5)) continue;
      this.#act(async () => {
        await scheduler.sleep(fromMs + random.int(forMs) - scheduler.nowMs());
        await this.#save(user, teamNo(1), 0);
        if (random.chance(0.5))
          await scheduler.sleep(Math.max(0, fromMs + forMs + random.int(400) - scheduler.nowMs()));
        await this.#save(user, teamNo(1), 0);
      });
    }
  }

  async #join(
    user: UserId,
    contestId: ContestId,
    team: ReturnType<typeof teamNo>,
    idempotencyKey: string | null,
    clientSkewMs: number,
  ): Promise<void> {
    const entry = entryId(user, team);
    const join = (node: NodeGraph) => {
      this.#arrived(joinArrival(contestId, entry));
      return node.joins.join(user, contestId, team, { idempotencyKey, inviteCode: null });
    };
    const twice = this.#random.chance(0.2);
    const results = await Promise.all([
      this.#insist(4, join, clientSkewMs),
      twice ? this.#insist(4, join, clientSkewMs) : null,
    ]);
    for (const result of results) {
      if (result === null) continue;
      this.#sightings.saw(`join: ${result.ok ? (result.replayed ? "replayed" : "new") : result.refusal}`);
      if (result.ok) this.#acknowledged.joins.push({ contestId, entryId: entry });
    }
  }

  async #deposit(user: UserId, count: number): Promise<void> {
    const random = this.#random;
    const orderId = `d-${user}-${count}`;
    const amountPaise = paise(500 * (1 + random.int(8)));
    await this.#scheduler.sleep(random.int(count === 0 ? 200 : START_MS));
    const opened = await this.#insist(8, (node) => node.deposits.open(user, amountPaise, orderId));
    if (!opened?.ok || opened.deposit.providerOrderId === null) return;
    if (random.chance(0.2)) this.#provider.checkOut(opened.deposit.providerOrderId, false);
    await this.#scheduler.sleep(random.int(500));
    if (random.chance(0.9)) this.#provider.checkOut(opened.deposit.providerOrderId, true);
    if (random.chance(0.5)) await this.#insist(3, (node) => node.deposits.refresh(orderId));
  }

  async #withdraw(user: UserId): Promise<void> {
    const random = this.#random;
    await this.#scheduler.sleep(random.int(this.#healedMs));
    const amountPaise = paise(200 * (1 + random.int(8)));
    const result = await this.#insist(4, (node) => node.withdrawals.withdraw(user, amountPaise, `w-${user}`));
    if (result) this.#sightings.saw(`withdrawal: ${result.ok ? "held" : result.refusal}`);
  }

  /** Somebody who knows our webhook's address and an order, but not the secret. */
  async #forge(): Promise<void> {
    await this.#scheduler.sleep(this.#random.int(START_MS));
    const [deposit] = await this.#world.stores.catalog.depositsOfUser(this.#users[0]!, 1);
    if (!deposit?.providerOrderId) return;
    const entity = {
      id: "pay_forged",
      order_id: deposit.providerOrderId,
      amount: deposit.amountPaise,
      status: "captured",
    };
    const rawBody = JSON.stringify({ event: "payment.captured", payload: { payment: { entity } } });
    const answer = await this.#insist(3, (node) => node.webhook(rawBody, signWebhook(rawBody, "a guess")));
    if (answer) this.#sightings.saw(`forged webhook: ${answer.result}`);
  }

  /** The feed: balls and late corrections, before and after the result is approved and the prizes are released. */
  async #report(count: number): Promise<void> {
    const random = this.#random;
    await this.#scheduler.sleep(START_MS + random.int(random.chance(0.7) ? 1000 : this.#healedMs - START_MS));
    // Some come just when the result is being approved, and meet the release.
    const { catalog } = this.#world.stores;
    const earlier = random.pick([[], ["upcoming", "locked", "live"], ["upcoming", "locked", "live", "review"]]);
    while (earlier.includes((await catalog.match(this.#matchId))!.state)) {
      await this.#scheduler.sleep(5 + random.int(20));
    }
    const ball = simulatedBall(`ball-${count}`, random.int(SQUAD.players.length), 1 + random.int(6));
    const result = await this.#insist(4, (node) => node.feed.accept(this.#matchId, ball));
    if (result) this.#sightings.saw(`feed: ${result.ok ? "acknowledged" : result.refusal}`);
    if (result?.ok) this.#acknowledged.events.push(ball.id);
  }

  async #cancelOne(): Promise<void> {
    const contest = this.#random.pick(this.#contests);
    const atMs = this.#random.chance(0.5) ? START_MS - 300 + this.#random.int(700) : this.#random.int(2 * START_MS);
    await this.#scheduler.sleep(atMs);
    while ((await this.#insist(1, (node) => node.lifecycle.cancelContest(contest.id))) === null);
  }

  /** The scheduler and the admin: takes the match from state to state, over whichever node answers, until it is over. */
  async #conduct(): Promise<void> {
    const random = this.#random;
    const abandonsAtMs = random.chance(0.2) ? random.int(this.#healedMs) : Number.POSITIVE_INFINITY;
    const id = this.#matchId;
    let over = false;
    // A hasty admin leaves what is on its way no time to arrive.
    const pauseMs = random.pick([5, 200]);
    let before: MatchState = "upcoming";
    while (!over) {
      await this.#scheduler.sleep(pauseMs);
      over =
        (await this.#insist(1, async ({ catalog, lifecycle, clock }) => {
          const match = (await catalog.match(id))!;
          if (
            match.state === "abandoned" ||
            (!["settled", "released"].includes(match.state) && this.#scheduler.nowMs() > abandonsAtMs)
          ) {
            return (await lifecycle.abandonMatch(id)).ok;
          }
          this.#sightings.saw(`conducted while ${match.state}`);
          if (before === "settled" && match.state === "review") {
            this.#sightings.saw("a correction re-opened the review");
          }
          before = match.state;
          if (match.state === "upcoming" && clock.nowMs() < START_MS) return false;
          if (match.state === "upcoming" || match.state === "locked") {
            await lifecycle.lock(id);
            await catalog.moveMatch(id, "locked", "live");
          } else if (match.state === "live") await lifecycle.endMatch(id);
          else if (match.state === "review") await lifecycle.approveResult(id);
          else if (match.state === "released" || this.#random.chance(0.3)) {
            return (await lifecycle.releasePrizes(id)).ok;
          }
          return false;
        })) === true;
    }
  }
}
