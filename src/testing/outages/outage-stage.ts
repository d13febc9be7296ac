import { rm } from "node:fs/promises";
import { type Config, limits, type StoreUrls, testConfig } from "../../config.ts";
import { DemoClock } from "../../demo/demo-clock.ts";
import { RandomRosters } from "../../demo/random-roster.ts";
import { gatewayAccount, userAccount } from "../../domain/account.ts";
import type { Contest } from "../../domain/contest.ts";
import type { FeedEvent } from "../../domain/feed.ts";
import { teamNo, type UserId } from "../../domain/ids.ts";
import type { Match } from "../../domain/match.ts";
import { type Paise, paise, rupees } from "../../domain/money.ts";
import { seededRandom } from "../../domain/random.ts";
import { ROSTER_RULES } from "../../domain/roster.ts";
import type { Squad } from "../../domain/squad.ts";
import { edgeLimits, type RateName } from "../../edge/limits.ts";
import type { TokenBucket } from "../../stores/hot-store/port.ts";
import { type Node, startNode } from "../../main.ts";
import { adaptCricsheet } from "../../stream/cricsheet.ts";
import { generateMatch } from "../../stream/match-generator.ts";

export interface Visitor {
  readonly id: UserId;
  readonly name: string;
  readonly token: string;
}

export interface StagedMatch {
  readonly match: Match;
  readonly contests: readonly Contest[];
}

const USER_COUNT = 16;
const LIVE_TEAMS = 3;
export const FUNDS_PAISE: Paise = rupees(10_000);
const RULES = "modern";
/** Within the life of a token, and far enough that nothing of it passes by itself. */
const DUE_AFTER_MS = 600_000;
const OPEN_AFTER_MS = 10 * 24 * 3_600_000;

/** Nobody is refused for asking often. */
const NO_RATES = Object.fromEntries(
  Object.keys(edgeLimits.rates).map((name) => [name, { capacity: 1e6, refillPerSecond: 1e6 }]),
) as Record<RateName, TokenBucket>;

/**
 * A node over the given stores (embedded where none is named) with three matches of one squad: one that is played, one whose
 * deadline passes when it is told to, one that stays open. Its users have money, and three teams each in the one that is played.
 */
export class OutageStage {
  private constructor(
    readonly config: Config,
    readonly node: Node,
    readonly clock: DemoClock,
    readonly squad: Squad,
    readonly events: readonly FeedEvent[],
    readonly users: readonly Visitor[],
    readonly live: StagedMatch,
    readonly due: StagedMatch,
    readonly open: StagedMatch,
    /** What the node told its operator. */
    readonly lines: readonly string[],
  ) {}

  static async open(stores: Partial<StoreUrls>): Promise<OutageStage> {
    const base = testConfig();
    const eventLog = stores.eventLog ?? null;
    const config = { ...base, stores: { ...base.stores, ...stores }, isLogShared: eventLog !== null };
    const adapted = adaptCricsheet(generateMatch(5));
    if (!adapted.ok) throw new Error("the generated match is broken");
    const { events, facts, squad: all, startingXi } = adapted.match;
    const playing = new Set(startingXi);
    const squad = { players: all.players.map((player) => ({ ...player, announced: playing.has(player.id) })) };
    const clock = new DemoClock();
    const lines: string[] = [];
    const node = await startNode(config, { clock, edge: { rates: NO_RATES }, log: (line) => lines.push(line) });
    const { catalog, ledger } = node;

    const { name, sides, format, scoringRules } = facts;
    const openedMs = clock.nowMs();
    const stage = async (afterMs: number, fees: readonly Paise[]): Promise<StagedMatch> => {
      const startMs = openedMs + afterMs;
      const match = await catalog.createMatch({ name, sides, format, scoringRules, startMs, rosterRules: RULES });
      await catalog.putSquad(match.id, squad);
      const contests: Contest[] = [];
      for (const feePaise of fees) contests.push(await catalog.createContest(termsOf(match, feePaise)));
      return { match, contests };
    };
    const live = await stage(60_000, [paise(0)]);
    const due = await stage(60_000 + DUE_AFTER_MS, [rupees(5)]);
    const open = await stage(OPEN_AFTER_MS, [rupees(2), rupees(3), rupees(7)]);

    const users: Visitor[] = [];
    for (let index = 0; index < USER_COUNT; index++) {
      const user = `visitor-${index}`;
      const made = await catalog.createUser({ name: user, role: "user", passwordHash: null, createdAtMs: openedMs });
      if (!made.ok) throw new Error(`${user} is taken`);
      const { id } = made.user;
      const fund = {
        debit: gatewayAccount,
        credit: userAccount(id),
        amountPaise: FUNDS_PAISE,
        kind: "deposit",
      } as const;
      await ledger.transfer([{ ...fund, txnId: `fund:${user}`, ref: user, atMs: openedMs }]);
      users.push({ id, name: user, token: "" });
    }
    const rosters = new RandomRosters(squad, ROSTER_RULES[RULES]!);
    for (const { id } of users) {
      const random = seededRandom(1_000 + id);
      for (let team = 1; team <= LIVE_TEAMS; team++) {
        const saved = await node.game.teams.save(id, live.match.id, teamNo(team), rosters.draw(random));
        if (!saved.ok) throw new Error(saved.refusal);
        const keys = { idempotencyKey: null, inviteCode: null };
        const joined = await node.game.joins.join(id, live.contests[0]!.id, teamNo(team), keys);
        if (!joined.ok) throw new Error(joined.refusal);
      }
    }
    clock.advanceTo(live.match.startMs);
    // By itself, which waits for a save that was slow and went to the spool.
    while ((await catalog.match(live.match.id))!.state === "upcoming") await Bun.sleep(limits.lock.pollMs);
    // After the jump, so that they last.
    const known = await Promise.all(
      users.map(async (user) => {
        const tokens = await node.tokens.issue((await catalog.user(user.id))!);
        return { ...user, token: tokens.accessToken };
      }),
    );
    const path = `${node.url}/v1/contests/${live.contests[0]!.id}/leaderboard`;
    while ((await fetch(path)).status !== 200) await Bun.sleep(limits.lock.pollMs);
    return new OutageStage(config, node, clock, squad, events, known, live, due, open, lines);
  }

  draft(seed: number) {
    return new RandomRosters(this.squad, ROSTER_RULES[RULES]!).draw(seededRandom(seed));
  }

  passDeadline(): void {
    this.clock.advanceTo(this.due.match.startMs);
  }

  /** Sum over its labels; null while the node does not tell it. */
  async metric(name: string): Promise<number | null> {
    const text = await (await fetch(`${this.node.opsUrl}/metrics`)).text();
    const values = text.split("\n").filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`));
    return values.length === 0 ? null : values.reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
  }

  /** Zero when there is no lag, no spool, no join half-done and nothing to announce; more while a store is away. */
  async leftToDo(): Promise<number> {
    const { catalog } = this.node;
    const [lag, spooled] = await Promise.all([
      this.metric("powerplay_consumer_lag_records"),
      this.metric("powerplay_spool_records"),
    ]);
    const halfDone = await Promise.all([
      catalog.reservedJoins(Number.MAX_SAFE_INTEGER, 1),
      catalog.outbox(1),
      catalog.openSpools(),
    ]);
    return (lag ?? 1) + spooled! + halfDone.reduce((sum, { length }) => sum + length, 0);
  }

  async close(): Promise<void> {
    await this.node.stop();
    await rm(this.config.dataDir, { recursive: true, force: true });
    await rm(this.config.boardDir, { recursive: true, force: true });
  }
}

const termsOf = ({ id }: Match, entryFeePaise: Paise) => ({
  matchId: id,
  kind: entryFeePaise === 0 ? ("free" as const) : ("paid" as const),
  name: "Outage",
  entryFeePaise,
  entriesMax: 100_000,
  entriesPerUserMax: 20,
  prizePoolPaise: paise(0),
  prizes: [],
  guaranteed: true,
  inviteCode: null,
});
