import type { ContestInfo } from "../../client/index.ts";
import { formatPaise } from "../../domain/money.ts";
import { PrizeSchedule } from "../../domain/prizes.ts";
import { countText } from "../words.ts";

/** What each rank wins, as settlement pays it. */
export function PrizeTableView({ contest }: { readonly contest: ContestInfo }) {
  const schedule = new PrizeSchedule(contest.prizes, contest.prizePoolPaise);
  return (
    <table class="prizes">
      <caption class="sr-only">Prizes by rank</caption>
      <thead>
        <tr>
          <th scope="col">Rank</th>
          <th scope="col">Prize</th>
        </tr>
      </thead>
      <tbody>
        {contest.prizes.map(({ fromRank, toRank }) => (
          <tr key={fromRank}>
            <th scope="row">
              {fromRank === toRank ? `#${countText(fromRank)}` : `#${countText(fromRank)} – ${countText(toRank)}`}
            </th>
            <td class="figure">{formatPaise(schedule.split(fromRank, 1).eachPaise)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
