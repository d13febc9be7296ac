import type { Config } from "../config.ts";
import type { Contest, ContestTerms } from "../domain/contest.ts";
import type { FeedEvent } from "../domain/feed.ts";
import { type EntryId, entryId, type MatchId, teamNo, type UserId } from "../domain/ids.ts";
import type { Match } from "../domain/match.ts";
import { paise } from "../domain/money.ts";
import { seededRandom } from "../domain/random.ts";
import { ROSTER_RULES } from "../domain/roster.ts";
import type { Squad } from "../domain/squad.ts";
import type { IssuedTokens } from "../edge/auth.ts";
import { type Node, type NodeOptions, startNode } from "../main.ts";
import { adaptCricsheet, type CricsheetMatch } from "../stream/cricsheet.ts";
import { generateMatch } from "../stream/match-generator.ts";
import type { SessionTokens } from "../client/index.ts";
import { DemoClock } from "./demo-clock.ts";
import { RandomRosters } from "./random-roster.ts";

const RULES = "modern";

export interface Player {
  readonly id: UserId;
  readonly name: string;
  readonly entry: EntryId;
  readonly session: SessionTokens;
}

/**
 * A node with one generated match, made by direct calls and not through the edge: for tests and benchmarks of what comes
 * after. Its clock jumps to the deadline when asked.
 */
export class MatchInPlay {
  readonly #events: readonly FeedEvent[];
  readonly #rosters: RandomRosters;
  #nextEvent = 0;

  private constructor(
    readonly config: Config,
    public node: Node,
    readonly clock: DemoClock,
    readonly match: Match,
    readonly squad: Squad,
    events: readonly FeedEvent[],
    private readonly seed: number,
    private readonly options: NodeOptions,
  ) {
    this.#events = events;
    this.#rosters = new RandomRosters(squad, ROSTER_RULES[RULES]!);
  }

  static async open(config: Config, seed = 5, options: NodeOptions = {}): Promise<MatchInPlay> {
    const { events, facts, squad: players, startingXi } = MatchInPlay.#generate(seed);
    const playing = new Set(startingXi);
    const squad = { players: players.players.map((player) => ({ ...player, announced: playing.has(player.id) })) };
    const clock = new DemoClock();
    const node = await startNode(config, { clock, ...options });
    const { name, sides, format, scoringRules } = facts;
    const startMs = clock.nowMs() + 600_000;
    const match = await node.catalog.createMatch({ name, sides, format, scoringRules, startMs, rosterRules: RULES });
    await node.catalog.putSquad(match.id, squad);
    return new MatchInPlay(config, node, clock, match, squad, events, seed, options);
  }

  /** The match of an earlier process over the same data, after `playedCount` of its events. */
  static async reopen(config: Config, matchId: MatchId, playedCount: number, seed = 5): Promise<MatchInPlay> {
    const { events } = MatchInPlay.#generate(seed);
    const clock = new DemoClock();
    const node = await startNode(config, { clock });
    const [match, squad] = await Promise.all([node.catalog.match(matchId), node.catalog.squad(matchId)]);
    clock.advanceTo(match!.startMs);
    const play = new MatchInPlay(config, node, clock, match!, squad!, events, seed, {});
    play.#nextEvent = playedCount;
    await play.lock();
    return play;
  }

  static #generate(seed: number): CricsheetMatch {
    const adapted = adaptCricsheet(generateMatch(seed));
    if (!adapted.ok) throw new Error(`the generated match of seed ${seed} is broken`);
    return adapted.match;
  }

  get matchId(): MatchId {
    return this.match.id;
  }

  get eventCount(): number {
    return this.#events.length;
  }

  openContest(terms: Partial<ContestTerms> = {}): Promise<Contest> {
    return this.node.catalog.createContest({
      matchId: this.matchId,
      kind: "free",
      name: "Practice",
      entryFeePaise: paise(0),
      entriesMax: 100_000,
      entriesPerUserMax: 20,
      prizePoolPaise: paise(100_000),
      prizes: [
        { fromRank: 1, toRank: 1, amountPaise: paise(60_000) },
        { fromRank: 2, toRank: 3, amountPaise: paise(20_000) },
      ],
      guaranteed: true,
      inviteCode: null,
      ...terms,
    });
  }

  async user(
    name: string,
    role: "user" | "admin" = "user",
  ): Promise<{ id: UserId; name: string; session: SessionTokens }> {
    const made = await this.node.catalog.createUser({ name, role, passwordHash: null, createdAtMs: 1 });
    if (!made.ok) throw new Error(`there is a user "${name}" already`);
    const tokens: IssuedTokens = await this.node.tokens.issue(made.user);
    return { id: made.user.id, name, session: { userId: made.user.id, userName: name, role, ...tokens } };
  }

  /** A user with one team, entered into the contests. */
  async player(name: string, contests: readonly Contest[]): Promise<Player> {
    const user = await this.user(name);
    const draft = this.#rosters.draw(seededRandom(this.seed * 1_000_003 + user.id));
    const team = teamNo(1);
    const saved = await this.node.game.teams.save(user.id, this.matchId, team, draft);
    if (!saved.ok) throw new Error(`the team of ${name} was refused: ${saved.refusal}`);
    for (const contest of contests) {
      const options = { idempotencyKey: null, inviteCode: contest.inviteCode };
      const joined = await this.node.game.joins.join(user.id, contest.id, team, options);
      if (!joined.ok) throw new Error(`${name} could not join: ${joined.refusal}`);
    }
    return { ...user, entry: entryId(user.id, team) };
  }

  draft(seed: number) {
    return this.#rosters.draw(seededRandom(seed));
  }

  /** The deadline passes, and the boards stand. */
  async lock(): Promise<void> {
    this.clock.advanceTo(this.match.startMs);
    const locked = await this.node.game.admin.lock(this.matchId);
    if (!locked.ok) throw new Error(locked.message);
  }

  /** The next events of the feed; resolves when they are durable. */
  async play(count: number): Promise<void> {
    for (const event of this.#events.slice(this.#nextEvent, this.#nextEvent + count)) {
      const accepted = await this.node.game.feed.accept(this.matchId, event);
      if (!accepted.ok) throw new Error(`event ${event.id} was refused: ${accepted.refusal}`);
    }
    this.#nextEvent += count;
  }

  /** Resolves when what was played is in the points and on the boards. */
  settled(): Promise<void> {
    return this.node.pointsSettled(this.matchId);
  }

  /** The same data, clock and address, another process as far as anybody can tell. */
  async restart(): Promise<void> {
    const port = Number(new URL(this.node.url).port);
    await this.node.stop();
    this.node = await startNode({ ...this.config, port }, { clock: this.clock, ...this.options });
  }
}
