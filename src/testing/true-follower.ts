import type { ContestView, Follow, PowerplayClient } from "../client/index.ts";
import type { Stage } from "../demo/actor.ts";
import type { ContestId } from "../domain/ids.ts";
import { entryKey, type MatchTruth } from "./match-truth.ts";
import { type NamedActor, openClient } from "./cluster-stage.ts";

export interface TrueFollowerOptions {
  readonly stage: Stage;
  /** The node of the first socket; later ones are where the balancer leads. */
  readonly firstUrl: string;
  readonly bot: NamedActor;
  readonly botIndex: number;
  readonly contest: ContestId;
  readonly truth: MatchTruth;
  /** What the follower was told that was never true. */
  readonly onWrong: (what: string) => void;
}

/** Somebody with the app open, who knows what each ball should make of the own entries. */
export class TrueFollower {
  readonly client: PowerplayClient;
  readonly #follow: Follow<ContestView>;
  readonly #options: TrueFollowerOptions;
  #judgedCount = 0;

  static async open(options: TrueFollowerOptions): Promise<TrueFollower> {
    return new TrueFollower(await openClient(options.stage, options.bot, options.firstUrl), options);
  }

  private constructor(client: PowerplayClient, options: TrueFollowerOptions) {
    this.client = client;
    this.#options = options;
    this.#follow = client.followContest(options.contest);
    this.#follow.onChange((view) => this.#judge(view));
  }

  /** Whether the last thing it was told is what the last ball made of it. */
  get isUpToDate(): boolean {
    const { botIndex, truth } = this.#options;
    const view = this.#follow.view;
    return (
      view !== null &&
      view.live &&
      view.own.length > 0 &&
      view.own.every(({ rank, scoreQp, teamNo, tiedCount }) => {
        const now = truth.now(entryKey(botIndex, teamNo));
        return rank === now.rank && scoreQp === now.scoreQp && tiedCount === now.tiedCount;
      })
    );
  }

  /** How often it was told where an entry of its own stands. */
  get judgedCount(): number {
    return this.#judgedCount;
  }

  /** What it is told, and what it should be. */
  get told(): string {
    const { bot, botIndex, truth } = this.#options;
    const view = this.#follow.view;
    const rows = view?.own.map(
      ({ rank, scoreQp, teamNo, tiedCount }) =>
        `T${teamNo} ${JSON.stringify({ rank, scoreQp, tiedCount })}, should be ${JSON.stringify(truth.now(entryKey(botIndex, teamNo)))}`,
    );
    return `${bot.name} ${this.client.state} live ${view?.live} ${rows?.join("; ") ?? this.#follow.refusal?.message}`;
  }

  close(): void {
    this.client.close();
  }

  #judge(view: ContestView): void {
    const { bot, botIndex, onWrong, truth } = this.#options;
    if (!view.live) return;
    for (const { rank, scoreQp, teamNo, tiedCount } of view.own) {
      this.#judgedCount++;
      if (truth.wasEver(entryKey(botIndex, teamNo), { rank, scoreQp, tiedCount })) continue;
      onWrong(`${bot.name} T${teamNo} was told ${JSON.stringify({ rank, scoreQp, tiedCount })}`);
    }
  }
}
