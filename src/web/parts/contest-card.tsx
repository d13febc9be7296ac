import type { ContestInfo } from "../../client/index.ts";
import { formatPaise, paise } from "../../domain/money.ts";
import { PrizeSchedule } from "../../domain/prizes.ts";
import { spotsLeft } from "../contest-filter.ts";
import { pathTo } from "../paths.ts";
import { countText, KIND_WORDS, plural } from "../words.ts";
import { Link } from "./link.tsx";

export const feeText = (contest: Pick<ContestInfo, "entryFeePaise">): string =>
  contest.entryFeePaise === 0 ? "Free" : formatPaise(contest.entryFeePaise);

/** How full it is; the numbers beside it say the same in words. */
export function Spots({ contest }: { readonly contest: ContestInfo }) {
  const left = spotsLeft(contest);
  return (
    <div class="spots">
      <div class="bar" aria-hidden="true">
        <div class="bar-fill" style={{ width: `${(100 * contest.seatsTaken) / contest.entriesMax}%` }} />
      </div>
      <p class="spots-words">
        <span class={left > 0 ? "spots-left" : "spots-full"}>{left > 0 ? `${plural(left, "spot")} left` : "Full"}</span>
        <span>{`${countText(contest.entriesMax)} in all`}</span>
      </p>
    </div>
  );
}

interface ContestCardProps {
  readonly contest: ContestInfo;
  readonly ownCount: number;
  /** null: joining is over. */
  readonly onJoin: ((contest: ContestInfo) => void) | null;
}

export function ContestCard({ contest, ownCount, onJoin }: ContestCardProps) {
  const schedule = new PrizeSchedule(contest.prizes, contest.prizePoolPaise);
  const first = contest.prizes.length > 0 ? schedule.split(1, 1).eachPaise : paise(0);
  return (
    <article class="contest-card" aria-label={contest.name}>
      <div class="contest-card-head">
        <span class={`kind kind-${contest.kind}`}>{KIND_WORDS[contest.kind]}</span>
        {contest.guaranteed && (
          <span class="kind kind-guaranteed" title="The whole table is paid however few join">
            Guaranteed
          </span>
        )}
        {ownCount > 0 && <span class="kind kind-own">{`Joined${ownCount > 1 ? ` ×${ownCount}` : ""}`}</span>}
      </div>
      <h3 class="contest-card-name">
        <Link href={pathTo.contest(contest.id)}>{contest.name}</Link>
      </h3>
      <div class="contest-card-main">
        <p class="pool">
          <span class="label">Prize pool</span>
          <strong class="figure">{formatPaise(contest.prizePoolPaise)}</strong>
        </p>
        {onJoin === null ? (
          <Link href={pathTo.contest(contest.id)} class="button button-quiet" aria-label={`See ${contest.name}`}>
            Leaderboard
          </Link>
        ) : (
          <button
            type="button"
            class="button button-join"
            disabled={spotsLeft(contest) === 0 || ownCount >= contest.entriesPerUserMax}
            aria-label={`Join ${contest.name}, ${feeText(contest)}`}
            onClick={() => onJoin(contest)}
          >
            {feeText(contest)}
          </button>
        )}
      </div>
      <Spots contest={contest} />
      <ul class="facts" aria-label="Terms">
        <li>
          <span class="label">1st</span> {formatPaise(first)}
        </li>
        <li>
          <span class="label">Winners</span> {countText(schedule.lastPaidRank)}
        </li>
        <li>
          <span class="label">Teams each</span> {contest.entriesPerUserMax}
        </li>
      </ul>
    </article>
  );
}
