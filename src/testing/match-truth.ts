import { announcedRosters, teamsOf } from "../demo/match-day.ts";
import type { FeedEvent } from "../domain/feed.ts";
import type { CricketScore } from "../domain/scoring/cricket-score.ts";
import { createMatchScore } from "../domain/scoring/sports.ts";
import type { CricsheetMatch } from "../stream/cricsheet.ts";

export interface TrueStanding {
  readonly rank: number;
  readonly tiedCount: number;
  readonly scoreQp: number;
}

const shown = ({ rank, scoreQp, tiedCount }: TrueStanding): string => `${rank} of ${tiedCount} with ${scoreQp}`;

/** What every entry of one contest of a match day must be told, ball by ball: all teams scored anew, all ranks by comparing. */
export class MatchTruth {
  readonly #score: CricketScore;
  readonly #teams: readonly { readonly key: string; readonly indices: readonly number[] }[];
  readonly #everTrue = new Map<string, Set<string>>();
  #now: ReadonlyMap<string, TrueStanding> = new Map();

  constructor(game: CricsheetMatch, seed: number, joins: readonly { readonly bot: number; readonly teamNo: number }[]) {
    this.#score = createMatchScore(game.facts.scoringRules, game.squad);
    const rosters = announcedRosters(game);
    const indexOf = (player: string) => game.squad.players.findIndex(({ id }) => id === player);
    this.#teams = joins.map(({ bot, teamNo }) => {
      const { draft } = teamsOf(bot, rosters, seed).findLast((team) => team.teamNo === teamNo)!;
      const others = draft.players.filter((player) => player !== draft.captain && player !== draft.viceCaptain);
      return { key: entryKey(bot, teamNo), indices: [draft.captain, draft.viceCaptain, ...others].map(indexOf) };
    });
    this.#rank();
  }

  apply(event: FeedEvent): void {
    this.#score.apply(event);
    this.#rank();
  }

  /** At the last ball. */
  now(key: string): TrueStanding {
    return this.#now.get(key)!;
  }

  /** Whether it was so after any ball up to now. */
  wasEver(key: string, standing: TrueStanding): boolean {
    return this.#everTrue.get(key)!.has(shown(standing));
  }

  #rank(): void {
    const points = this.#score.points();
    const scores = this.#teams.map(({ indices: [captain, viceCaptain, ...others] }) =>
      others.reduce((sum, index) => sum + points[index]!, points[captain!]! * 2 + points[viceCaptain!]! * 1.5),
    );
    this.#now = new Map(
      this.#teams.map(({ key }, team) => {
        const scoreQp = scores[team]!;
        const rank = 1 + scores.filter((other) => other > scoreQp).length;
        const standing = { rank, scoreQp, tiedCount: scores.filter((other) => other === scoreQp).length };
        this.#everTrue.set(key, (this.#everTrue.get(key) ?? new Set()).add(shown(standing)));
        return [key, standing];
      }),
    );
  }
}

export const entryKey = (bot: number, teamNo: number): string => `${bot}:${teamNo}`;
