import { assert } from "../domain/assert.ts";
import type { Contest } from "../domain/contest.ts";
import { type ContestId, type EntryId, entryId, type MatchId, teamNo, type UserId } from "../domain/ids.ts";
import { paise } from "../domain/money.ts";
import type { PointsVector } from "../domain/points.ts";
import { type Random, seededRandom } from "../domain/random.ts";
import { StoreUnavailable } from "../stores/unavailable.ts";
import { type SandboxHabits, SandboxProvider } from "../transaction/payments/sandbox-provider.ts";
import { signWebhook } from "../transaction/payments/webhook-signature.ts";
import { Scheduler } from "./scheduler.ts";
import { openSimulatedCatalog } from "./simulated-catalog.ts";
import { openSimulatedEventLog } from "./simulated-event-log.ts";
import { openContests, randomDraft, simulatedPoints, SQUAD, START_MS } from "./simulated-game.ts";
import { openSimulatedHotStore } from "./simulated-hot-store.ts";
import { openSimulatedLedger } from "./simulated-ledger.ts";
import { CLEAR_SKY, type Incarnation, SimulatedNetwork, type Trace, type Weather } from "./simulated-network.ts";
import { type NodeGraph, type NodeWorld, openNode, type Seams, type Stores, WEBHOOK_SECRET } from "./simulated-node.ts";
import { openSimulatedTeamStore } from "./simulated-team-store.ts";

const NODES = 3;
const USERS = 10;
/** Nodes' clocks are off by this at most, both ways. */
export const SKEW_MS_MAX = 50;
/** Clients' clocks are off by this at most: nobody may rely on them. */
const CLIENT_SKEW_MS_MAX = 3000;
/** From here on nothing fails any more, and everything must come to its end. */
const HEALED_MS = 16_000;
const END_MS = 120_000;
const CLIENT_TIMEOUT_MS = 2500;
/** The lock waits for what was accepted by the slowest clock and is still in the air. */
const LOCK_GRACE_MS = 300;

/** What one run leaves for the checkers. */
export interface Outcome {
  readonly seed: number;
  readonly stores: Stores;
  readonly provider: SandboxProvider;
  readonly matchId: MatchId;
  readonly contests: readonly Contest[];
  readonly users: readonly UserId[];
  readonly points: PointsVector;
  /** True time at which the earliest request for a join, or for a save, arrived at a node. */
  readonly arrivalsMs: ReadonlyMap<string, number>;
  readonly acknowledged: {
    readonly joins: readonly { readonly contestId: ContestId; readonly entryId: EntryId }[];
    readonly saves: readonly { readonly entryId: EntryId; readonly version: number }[];
  };
  /** null when everything came to its end in time, otherwise what did not. */
  readonly unfinished: string | null;
  /** Thrown errors that were no store being away. */
  readonly bugs: readonly unknown[];
  readonly trace: Trace;
  readonly eventCount: number;
}

export const joinArrival = (contest: ContestId, entry: EntryId): string => `join ${contest} ${entry}`;
export const saveArrival = (entry: EntryId): string => `save ${entry}`;

/** Plays one match on one seed. Synchronous: all waiting is in simulated time. */
export function simulate(seed: number, seams: Seams = {}, traced = false): Outcome {
  const run = new Run(seed, seams, traced ? [] : null);
  return run.play();
}

const storm = (random: Random): Weather => {
  const strength = random.pick([0, 0.3, 1, 2]);
  return {
    latencyMsMax: random.pick([2, 10, 40]),
    lostChance: 0.02 * strength,
    answerLostChance: 0.03 * strength,
    repeatedChance: 0.03 * strength,
    delayedChance: 0.02 * strength,
    delayMsMax: 3000,
    crashChance: 0.0015 * strength,
    outageChance: 0.001 * strength,
    outageMsMax: 2000,
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
  readonly #arrivalsMs = new Map<string, number>();
  readonly #acknowledged: {
    joins: { contestId: ContestId; entryId: EntryId }[];
    saves: { entryId: EntryId; version: number }[];
  } = { joins: [], saves: [] };
  readonly #bugs: unknown[] = [];
  readonly #trace: Trace;
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
    this.#network = new SimulatedNetwork(scheduler, random, storm(random), trace);
    this.#skewsMs = Array.from({ length: NODES }, () => random.int(2 * SKEW_MS_MAX + 1) - SKEW_MS_MAX);
    this.#provider = new SandboxProvider({
      webhookSecret: WEBHOOK_SECRET,
      random,
      after: (ms, then) => scheduler.after(ms, then),
      deliver: (rawBody, signature) =>
        this.#ask(async (node) => {
          const { result } = await node.webhook(rawBody, signature);
          return result === "accepted" ? 200 : 400;
        }),
      habits: providerHabits(random),
    });
    this.#world = {
      scheduler,
      network: this.#network,
      stores: {
        catalog: openSimulatedCatalog(),
        ledger: openSimulatedLedger(),
        log: openSimulatedEventLog((ms) => scheduler.sleep(ms)),
        teamStore: openSimulatedTeamStore(),
        hotStore: openSimulatedHotStore(scheduler),
      },
      exchange: async (request) => this.#provider.handle(request),
      seams,
      points: simulatedPoints(random),
      clientNowMs: () => this.#clientNowMs,
      onBug: (error) => this.#bugs.push(error),
      locked: { entries: null },
    };
  }

  play(): Outcome {
    const scheduler = this.#scheduler;
    let ready = false;
    void this.#setUp().then(() => (ready = true));
    assert(
      scheduler.run(0, () => ready),
      "setting up waits for nothing",
    );
    for (let index = 0; index < NODES; index++) this.#boot(index);
    for (const user of this.#users) this.#act(() => this.#playUser(user));
    this.#act(() => this.#conduct());
    this.#act(() => this.#forge());
    if (this.#random.chance(0.3)) this.#act(() => this.#cancelOne());
    if (this.#random.chance(0.5)) {
      const hotStore = this.#world.stores.hotStore as ReturnType<typeof openSimulatedHotStore>;
      scheduler.after(this.#random.int(START_MS), () => hotStore.forget());
    }
    scheduler.after(HEALED_MS, () => (this.#network.weather = CLEAR_SKY));

    const ended = scheduler.run(END_MS, () => this.#actorsUnderWay === 0 && this.#provider.underWay === 0);
    // Two turns of every background loop more: what is still under way then is stuck.
    const restMs = scheduler.nowMs() + 6000;
    if (ended) scheduler.run(restMs, () => false);
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
      unfinished: ended
        ? null
        : `${this.#actorsUnderWay} actors and ${this.#provider.underWay} matters of the provider`,
      bugs: this.#bugs,
      trace: this.#trace,
      eventCount: scheduler.eventCount,
    };
  }

  async #setUp(): Promise<void> {
    const { catalog } = this.#world.stores;
    const match = await catalog.createMatch({
      name: "simulated",
      sides: ["A", "B"],
      format: "T20",
      startMs: START_MS,
      scoringRules: "base",
      rosterRules: "modern",
    });
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
        this.#scheduler.after(100 + this.#random.int(2000), () => this.#boot(index));
      },
    };
    this.#nodes[index] = { incarnation, graph: openNode(this.#world, incarnation, this.#skewsMs[index]!) };
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

  async #save(user: UserId, team: ReturnType<typeof teamNo>, clientSkewMs: number): Promise<void> {
    const draft = randomDraft(this.#random);
    const result = await this.#insist(
      3,
      (node) => {
        this.#arrived(saveArrival(entryId(user, team)));
        return node.teams.save(user, this.#matchId, team, draft);
      },
      clientSkewMs,
    );
    if (result?.ok) this.#acknowledged.saves.push({ entryId: entryId(user, team), version: result.team.version });
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
    for (const result of results) if (result?.ok) this.#acknowledged.joins.push({ contestId, entryId: entry });
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
    await this.#scheduler.sleep(random.int(HEALED_MS));
    const amountPaise = paise(200 * (1 + random.int(8)));
    await this.#insist(4, (node) => node.withdrawals.withdraw(user, amountPaise, `w-${user}`));
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
    await this.#insist(3, (node) => node.webhook(rawBody, signWebhook(rawBody, "a guess")));
  }

  async #cancelOne(): Promise<void> {
    const contest = this.#random.pick(this.#contests);
    await this.#scheduler.sleep(START_MS / 2 + this.#random.int(START_MS));
    while ((await this.#insist(1, (node) => node.lifecycle.cancelContest(contest.id))) === null);
  }

  /** The scheduler and the admin: takes the match from state to state, over whichever node answers, until it is over. */
  async #conduct(): Promise<void> {
    const random = this.#random;
    const abandonsAtMs = random.chance(0.2) ? random.int(HEALED_MS) : Number.POSITIVE_INFINITY;
    const id = this.#matchId;
    let over = false;
    while (!over) {
      await this.#scheduler.sleep(200);
      over =
        (await this.#insist(1, async ({ catalog, lifecycle, clock }) => {
          const match = (await catalog.match(id))!;
          if (match.state === "abandoned" || (match.state !== "settled" && this.#scheduler.nowMs() > abandonsAtMs)) {
            return (await lifecycle.abandonMatch(id)).ok;
          }
          if (match.state === "upcoming" && clock.nowMs() < START_MS + LOCK_GRACE_MS) return false;
          if (match.state === "upcoming" || match.state === "locked") {
            await lifecycle.lock(id);
            await catalog.moveMatch(id, "locked", "live");
          } else if (match.state === "live") await lifecycle.endMatch(id);
          else if (match.state === "review") await lifecycle.approveResult(id);
          else return (await lifecycle.releasePrizes(id)).ok;
          return false;
        })) === true;
    }
  }
}
