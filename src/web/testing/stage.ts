import { PowerplayClient } from "../../client/index.ts";
import { postFeedEvent } from "../../demo/replay.ts";
import { RandomRosters } from "../../demo/random-roster.ts";
import type { ContestTerms } from "../../domain/contest.ts";
import type { ContestId, MatchId } from "../../domain/ids.ts";
import { type Paise, rupees } from "../../domain/money.ts";
import { seededRandom } from "../../domain/random.ts";
import { ROSTER_RULES, type RosterDraft } from "../../domain/roster.ts";
import { DEV_SECRETS } from "../../edge/secrets.ts";
import { adaptCricsheet, type CricsheetMatch } from "../../stream/cricsheet.ts";
import { generateMatch } from "../../stream/match-generator.ts";
import { NodeProcess } from "./node-process.ts";

const RULES = "modern";
const POLL_MS = 25;

/** What a client has to answer; a refusal is a failed test. */
async function expectDone<T>(
  answer: Promise<{ ok: true; value: T } | { ok: false; refusal: { message: string } }>,
): Promise<T> {
  const given = await answer;
  if (!given.ok) throw new Error(given.refusal.message);
  return given.value;
}

/** A node with a generated match, bots of its own, and a feed that goes on when it is told. */
export class Stage {
  readonly #clients: PowerplayClient[] = [];
  #nextEvent = 0;
  #startMs = 0;

  private constructor(
    readonly node: NodeProcess,
    readonly admin: PowerplayClient,
    readonly game: CricsheetMatch,
    private readonly seed: number,
  ) {}

  static async open(seed: number): Promise<Stage> {
    const adapted = adaptCricsheet(generateMatch(seed));
    if (!adapted.ok) throw new Error(`the generated match of seed ${seed} is broken`);
    const node = await NodeProcess.start();
    const admin = new PowerplayClient({ url: socketUrl(node.url) });
    admin.connect();
    await expectDone(admin.openGuest("admin"));
    const stage = new Stage(node, admin, adapted.match, seed);
    stage.#clients.push(admin);
    return stage;
  }

  get url(): string {
    return this.node.url;
  }

  /** The match as a Cricsheet file. */
  get file(): string {
    return JSON.stringify(generateMatch(this.seed));
  }

  /** A legal team. */
  draft(seed: number): RosterDraft {
    return this.#rosters.draw(seededRandom(seed));
  }

  get #rosters(): RandomRosters {
    const playing = new Set(this.game.startingXi);
    const players = this.game.squad.players.map((player) => ({ ...player, announced: playing.has(player.id) }));
    return new RandomRosters({ players }, ROSTER_RULES[RULES]!);
  }

  get eventCount(): number {
    return this.game.events.length;
  }

  async openMatch(facts: Partial<{ name: string; sides: readonly [string, string] }> = {}): Promise<MatchId> {
    const { name, sides, format, scoringRules } = { ...this.game.facts, ...facts };
    this.#startMs = this.node.nowMs() + 30 * 60_000;
    const terms = { name, sides, format, scoringRules, startMs: this.#startMs, rosterRules: RULES };
    const match = await expectDone(this.admin.admin.createMatch(terms));
    await expectDone(this.admin.admin.putSquad(match.id, this.game.squad));
    await expectDone(this.admin.admin.announce(match.id, this.game.startingXi));
    return match.id;
  }

  async openContest(match: MatchId, terms: Partial<ContestTerms> = {}): Promise<ContestId> {
    const contest = await expectDone(
      this.admin.admin.createContest({
        matchId: match,
        kind: "mega",
        name: "Mega Contest",
        entryFeePaise: rupees(49),
        entriesMax: 1_000,
        entriesPerUserMax: 3,
        prizePoolPaise: rupees(10_000),
        prizes: [
          { fromRank: 1, toRank: 1, amountPaise: rupees(5_000) },
          { fromRank: 2, toRank: 3, amountPaise: rupees(1_500) },
          { fromRank: 4, toRank: 11, amountPaise: rupees(250) },
        ],
        guaranteed: true,
        inviteCode: null,
        ...terms,
      }),
    );
    return contest.id;
  }

  /** Guests with one team and play money, entered into the contests. */
  async openBots(count: number, match: MatchId, contests: readonly ContestId[]): Promise<void> {
    for (let bot = 0; bot < count; bot++) {
      const client = new PowerplayClient({ url: socketUrl(this.url) });
      this.#clients.push(client);
      client.connect();
      await expectDone(client.openGuest());
      await this.#deposit(client, rupees(1_000));
      await expectDone(client.saveTeam(match, 1, this.draft(1_000 + bot)));
      for (const contest of contests) await expectDone(client.join(contest, 1));
    }
  }

  async #deposit(client: PowerplayClient, amount: Paise): Promise<void> {
    const { orderId } = await expectDone(client.deposit(amount));
    let deposit = await expectDone(client.payInSandbox(orderId));
    while (deposit.state === "created") {
      await Bun.sleep(POLL_MS);
      deposit = await expectDone(client.depositOf(orderId));
    }
  }

  /** The deadline passes; resolves when the boards stand. */
  async lock(match: MatchId): Promise<void> {
    await this.node.advanceTo(this.#startMs);
    await expectDone(this.admin.admin.lock(match));
  }

  async play(match: MatchId, count: number): Promise<void> {
    const feedSecret = DEV_SECRETS.feed;
    const target = { baseUrl: this.url, matchId: match, feedSecret, nowMs: () => this.node.nowMs() };
    for (const event of this.game.events.slice(this.#nextEvent, this.#nextEvent + count)) {
      await postFeedEvent(target, event);
    }
    this.#nextEvent += count;
  }

  async close(): Promise<void> {
    for (const client of this.#clients) client.close();
    await this.node.remove();
  }
}

const socketUrl = (url: string): string => `${url.replace("http", "ws")}/v1/socket`;
