import { type Follow, type ContestView, PowerplayClient } from "../../client/index.ts";
import type { ContestId, EntryId, MatchId, UserId } from "../../domain/ids.ts";
import type { FeedEvent } from "../../domain/feed.ts";
import { seededRandom } from "../../domain/random.ts";
import type { RosterDraft } from "../../domain/roster.ts";
import { signFeed } from "../../edge/feed-signature.ts";
import type { OutageStage, Visitor } from "./outage-stage.ts";

export type Kind = "save" | "join" | "ball" | "ranks" | "teams";
export type Phase = "before" | "away" | "back";

/** One question and its answer. */
export interface Asked {
  readonly kind: Kind;
  /** Of the question and of the answer. */
  readonly phases: readonly [Phase, Phase];
  /** 0: the connection ended, or nothing came in time. */
  readonly status: number;
  readonly code: string | null;
  readonly retryAfterSeconds: number | null;
  readonly tookMs: number;
}

export interface SaveAttempt {
  readonly user: UserId;
  readonly match: MatchId;
  readonly team: number;
  readonly draft: RosterDraft;
  readonly acknowledged: boolean;
}

export interface AckedJoin {
  readonly user: UserId;
  readonly contest: ContestId;
  readonly entry: EntryId;
}

export interface ShownPage {
  readonly pointsVersion: number;
  readonly rows: readonly { readonly entryId: EntryId; readonly rank: number; readonly points: number }[];
}

interface Answered {
  readonly status: number;
  // The shape is the server's; single fields of it are read.
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly body: any;
}

const TEAMS = 20;
/** Of one visitor between two questions; of the feed between two balls. */
const PACE_MS = 100;
/** Much longer than any answer may take; what comes later is a fault of its own. */
const SILENCE_MS = 60_000;

/**
 * A steady load over HTTP and a follower on the socket: every visitor saves teams, joins contests with them and reads them
 * back; balls come one by one, again until they are taken; a reader asks for the ranks. All answers are kept.
 */
export class OutageLoad {
  readonly asked: Asked[] = [];
  readonly saves: SaveAttempt[] = [];
  readonly joins: AckedJoin[] = [];
  /** What was asked for, whatever came of it. */
  readonly joinAttempts = new Set<string>();
  readonly balls: FeedEvent[] = [];
  /** By version of the points, as last shown. */
  readonly pages = new Map<number, ShownPage>();
  /** Answers that were false. */
  readonly lies: string[] = [];
  phase: Phase = "before";
  readonly #stage: OutageStage;
  readonly #client: PowerplayClient;
  readonly follow: Follow<ContestView>;
  readonly #loops: Promise<void>[];
  #stopped = false;

  constructor(stage: OutageStage) {
    this.#stage = stage;
    const { live, node, users } = stage;
    const [{ id, name, token }] = users as [Visitor];
    const never = Number.MAX_SAFE_INTEGER;
    const tokens = { accessToken: token, refreshToken: "", accessExpiresAtMs: never, refreshExpiresAtMs: never };
    const session = { userId: id, userName: name, role: "user" as const, ...tokens };
    this.#client = new PowerplayClient({ url: node.socketUrl, session });
    this.#client.connect();
    this.follow = this.#client.followContest(live.contests[0]!.id);
    this.#loops = [...users.map((user) => this.#visit(user)), this.#feed(), this.#read()];
  }

  get visitorCount(): number {
    return this.#stage.users.length;
  }

  /** Whether the contest shows ranks. */
  async isOpen(contest: ContestId): Promise<boolean> {
    return (await fetch(`${this.#stage.node.url}/v1/contests/${contest}/leaderboard`)).status === 200;
  }

  /** The newest version of the points that a reader was shown. */
  get newestShown(): number {
    return Math.max(0, ...this.pages.keys());
  }

  /** Of those that were asked and answered in the phase. */
  in(phase: Phase, kind: Kind): Asked[] {
    return this.asked.filter((one) => one.kind === kind && one.phases.every((at) => at === phase));
  }

  /** Resolves when `count` more questions of the kind had their answer, and `is` says yes to them. */
  async some(kind: Kind, count: number, is: (one: Asked) => boolean = () => true): Promise<void> {
    const from = this.asked.length;
    while (this.asked.slice(from).filter((one) => one.kind === kind && is(one)).length < count) await Bun.sleep(5);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#loops);
  }

  closeSocket(): void {
    this.follow.stop();
    this.#client.close();
  }

  /** Of the match that is due, once, by every visitor; and the join with it. */
  async enterDue(seed: number): Promise<void> {
    const { due, users } = this.#stage;
    await Promise.all(
      users.map(async (user) => {
        await this.#save(user, due.match.id, 1, seed * 100 + user.id);
        await this.#join(user, due.contests[0]!.id, 1);
      }),
    );
  }

  async #visit(user: Visitor): Promise<void> {
    const { match, contests } = this.#stage.open;
    const random = seededRandom(user.id);
    const notJoined = new Set<string>(contests.flatMap(({ id }) => numbers(TEAMS).map((team) => `${id} ${team}`)));
    for (let turn = 0; !this.#stopped; turn++) {
      const team = 1 + (turn % TEAMS);
      await this.#save(user, match.id, team, user.id * 10_000 + turn);
      await this.#pause();
      const next = [...notJoined].find((key) => key.endsWith(` ${team}`));
      if (next !== undefined && this.#isSaved(user, match.id, team)) {
        notJoined.delete(next);
        const done = await this.#join(user, Number(next.split(" ")[0]) as ContestId, team);
        // Half of those that were refused come back with the same key; the others leave it to the node.
        if (!done && random.chance(0.5)) notJoined.add(next);
        await this.#pause();
      }
      if (random.chance(0.3)) await this.#readTeams(user, match.id);
    }
  }

  async #save(user: Visitor, match: MatchId, team: number, seed: number): Promise<void> {
    const draft = this.#stage.draft(seed);
    const attempt = { user: user.id, match, team, draft };
    const { status } = await this.#ask("save", "POST", "/v1/teams", { matchId: match, teamNo: team, ...draft }, user);
    this.saves.push({ ...attempt, acknowledged: status === 200 });
  }

  async #join(user: Visitor, contest: ContestId, team: number): Promise<boolean> {
    this.joinAttempts.add(`${user.id} ${contest} ${team}`);
    const { status, body } = await this.#ask("join", "POST", `/v1/contests/${contest}/join`, { teamNo: team }, user);
    if (status !== 200) return false;
    this.joins.push({ user: user.id, contest, entry: body.entryId });
    return true;
  }

  #isSaved(user: Visitor, match: MatchId, team: number): boolean {
    return this.saves.some(
      (one) => one.acknowledged && one.user === user.id && one.match === match && one.team === team,
    );
  }

  async #readTeams(user: Visitor, match: MatchId): Promise<void> {
    const { status, body } = await this.#ask("teams", "GET", `/v1/matches/${match}/teams`, null, user);
    if (status !== 200) return;
    for (const team of numbers(TEAMS)) {
      const possible = this.possible(user.id, match, team);
      const shown = body.teams.find((one: { teamNo: number }) => one.teamNo === team);
      if (shown === undefined ? this.#isSaved(user, match, team) : !possible.includes(rosterKey(shown))) {
        const what = shown === undefined ? "is missing" : `is shown as version ${shown.version} of ${shown.savedAt}`;
        this.lies.push(`team ${team} of user ${user.id} in match ${match} ${what} and was acknowledged otherwise`);
      }
    }
  }

  /** The last save of a team that was acknowledged, and what was tried after it. */
  possible(user: UserId, match: MatchId, team: number): string[] {
    const own = this.saves.filter((one) => one.user === user && one.match === match && one.team === team);
    const from = own.findLastIndex((one) => one.acknowledged);
    return own.slice(Math.max(0, from)).map(({ draft }) => rosterKey(draft));
  }

  async #feed(): Promise<void> {
    const { live, events } = this.#stage;
    for (const event of events) {
      while (!this.#stopped) {
        await this.#pause();
        if (await this.postBall(live.match.id, event)) break;
      }
      if (this.#stopped) return;
    }
  }

  async postBall(match: MatchId, event: FeedEvent): Promise<boolean> {
    const { clock, config } = this.#stage;
    const signed = signFeed(config.secrets.feed, clock.nowMs(), JSON.stringify(event));
    const { status } = await this.#ask("ball", "POST", `/v1/scores/${match}/event`, event, null, { ...signed });
    if (status === 200 && match === this.#stage.live.match.id) this.balls.push(event);
    return status === 200;
  }

  async #read(): Promise<void> {
    const contest = this.#stage.live.contests[0]!.id;
    while (!this.#stopped) {
      const { status, body } = await this.#ask("ranks", "GET", `/v1/contests/${contest}/leaderboard`, null, null);
      if (status === 200) this.pages.set(body.pointsVersion, body);
      await this.#pause();
    }
  }

  async #ask(
    kind: Kind,
    method: string,
    path: string,
    body: unknown,
    user: Visitor | null,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answered> {
    const askedIn = this.phase;
    const beganMs = performance.now();
    const keep = (status: number, code: string | null, retryAfter: string | null) =>
      this.asked.push({
        kind,
        phases: [askedIn, this.phase],
        status,
        code,
        retryAfterSeconds: retryAfter === null ? null : Number(retryAfter),
        tookMs: performance.now() - beganMs,
      });
    try {
      const response = await fetch(this.#stage.node.url + path, {
        method,
        body: body === null ? null : JSON.stringify(body),
        headers: {
          ...(body === null ? {} : { "content-type": "application/json" }),
          ...(user === null ? {} : { authorization: `Bearer ${user.token}` }),
          ...headers,
        },
        signal: AbortSignal.timeout(SILENCE_MS),
      });
      const answer = JSON.parse(await response.text()) as { code?: string };
      keep(response.status, answer.code ?? null, response.headers.get("retry-after"));
      return { status: response.status, body: answer };
    } catch (error) {
      keep(0, error instanceof Error ? error.message : String(error), null);
      return { status: 0, body: null };
    }
  }

  /** Visitors think; what is waited for here is nothing. */
  #pause(): Promise<void> {
    return Bun.sleep(PACE_MS);
  }
}

const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => 1 + index);

/** The same for the same team, in whatever order its players are named. */
export const rosterKey = ({ captain, viceCaptain, players }: RosterDraft): string =>
  [captain, viceCaptain, ...players.filter((player) => player !== captain && player !== viceCaptain).sort()].join(" ");
