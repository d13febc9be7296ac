import type { PowerplayClient } from "../client/index.ts";
import type { Stage } from "../demo/actor.ts";
import { Latencies } from "../demo/latencies.ts";
import { announcedRosters } from "../demo/match-day.ts";
import { TEAMS_PER_USER_MAX } from "../domain/contest.ts";
import { type ContestId, entryId, type EntryId, type MatchId, teamNo } from "../domain/ids.ts";
import { seededRandom } from "../domain/random.ts";
import type { RosterDraft } from "../domain/roster.ts";
import type { CricsheetMatch } from "../stream/cricsheet.ts";
import { type NamedActor, openClient } from "./cluster-stage.ts";

export interface SteadyLoadOptions {
  readonly stage: Stage;
  readonly users: readonly NamedActor[];
  readonly game: CricsheetMatch;
  readonly match: MatchId;
  /** Free, with room for every team of every user; each team enters one after the other. */
  readonly contests: readonly ContestId[];
  /** Between two calls of one user. */
  readonly everyMs: number;
}

/** So that joins go on as long as saves do, within what one user may in a minute. */
const SAVES_PER_JOIN = 5;

/** One way to reach the game. Each call answers null, or what went wrong. */
interface Player {
  save(team: number, draft: RosterDraft): Promise<string | null>;
  join(contest: ContestId, team: number): Promise<string | null>;
}

/**
 * Users who save teams and join with them, one call after the other, every second one over HTTP and the others over a socket.
 * What was acknowledged is written down, and every call that was not.
 */
export class SteadyLoad {
  readonly saves = new Latencies();
  readonly joins = new Latencies();
  readonly failures: string[] = [];
  readonly clients: PowerplayClient[] = [];
  /** What was acknowledged last, by team. */
  readonly saved = new Map<EntryId, RosterDraft>();
  readonly entered: { readonly contestId: ContestId; readonly entryId: EntryId }[] = [];
  readonly #options: SteadyLoadOptions;
  readonly #running: Promise<void>;
  #isOver = false;

  constructor(options: SteadyLoadOptions) {
    this.#options = options;
    this.#running = Promise.all(options.users.map((user, index) => this.#play(user, index))).then(() => undefined);
  }

  /** Resolves when what is under way is answered. */
  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#running;
    for (const client of this.clients) client.close();
  }

  async #play(user: NamedActor, index: number): Promise<void> {
    const { contests, everyMs, game } = this.#options;
    const player = index % 2 === 0 ? this.#byHttp(user) : await this.#bySocket(user);
    const rosters = announcedRosters(game);
    const random = seededRandom(index);
    for (let round = 0; !this.#isOver; round++) {
      const team = 1 + (round % TEAMS_PER_USER_MAX);
      const draft = rosters.draw(random);
      const refusal = await this.saves.time(() => player.save(team, draft)).catch(String);
      if (refusal === null) this.saved.set(entryId(user.id, teamNo(team)), draft);
      else this.failures.push(`${user.name}: save of team ${team}: ${refusal}`);
      if (round % SAVES_PER_JOIN === 0) await this.#join(user, player, contests, round / SAVES_PER_JOIN);
      await Bun.sleep(everyMs);
    }
  }

  /** The user's `turn`-th join, with a team that was saved before. */
  async #join(user: NamedActor, player: Player, contests: readonly ContestId[], turn: number): Promise<void> {
    const contestId = contests[Math.floor(turn / TEAMS_PER_USER_MAX)];
    if (contestId === undefined) return;
    const team = 1 + (turn % TEAMS_PER_USER_MAX);
    const refusal = await this.joins.time(() => player.join(contestId, team)).catch(String);
    if (refusal === null) this.entered.push({ contestId, entryId: entryId(user.id, teamNo(team)) });
    else this.failures.push(`${user.name}: join with team ${team}: ${refusal}`);
  }

  #byHttp({ api }: NamedActor): Player {
    const { match } = this.#options;
    return {
      async save(team, draft) {
        const { body, status } = await api.post("/v1/teams", { matchId: match, teamNo: team, ...draft });
        return status === 200 ? null : `${status} ${JSON.stringify(body)}`;
      },
      async join(contest, team) {
        const headers = { "idempotency-key": `load-${contest}-${team}` };
        const { body, status } = await api.post(`/v1/contests/${contest}/join`, { teamNo: team }, headers);
        return status === 200 ? null : `${status} ${JSON.stringify(body)}`;
      },
    };
  }

  async #bySocket(user: NamedActor): Promise<Player> {
    const { match, stage } = this.#options;
    const client = await openClient(stage, user);
    this.clients.push(client);
    return {
      async save(team, draft) {
        const answer = await client.saveTeam(match, team, draft);
        return answer.ok ? null : `${answer.refusal.code} ${answer.refusal.message}`;
      },
      async join(contest, team) {
        const answer = await client.join(contest, team);
        return answer.ok ? null : `${answer.refusal.code} ${answer.refusal.message}`;
      },
    };
  }
}
