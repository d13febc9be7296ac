import type { EntryInfo } from "../../client/index.ts";
import type { ContestId } from "../../domain/ids.ts";
import type { Match } from "../../domain/match.ts";
import { formatPaise, paise } from "../../domain/money.ts";
import { isPlayed } from "../../domain/contest.ts";
import { Link } from "../parts/link.tsx";
import { StateChip } from "../parts/match-card.tsx";
import { Loading, Nothing, Refused, Title } from "../parts/screen.tsx";
import { pathTo } from "../paths.ts";
import { useAsk } from "../state/ask.ts";
import { useContest } from "../state/follow.ts";
import { useMyEntries } from "../state/my-entries.ts";
import { client, session } from "../state/node.ts";
import { loginUrl } from "../state/router.ts";
import { countText, plural, pointsText, timeText } from "../words.ts";

export function MineScreen() {
  const { value: matches, refusal, reload } = useAsk(() => client.matches(), []);
  const entries = useMyEntries(matches);
  if (session.value === null) {
    return (
      <div class="narrow">
        <Title title="My contests" />
        <Nothing title="Log in to see the contests that you are in.">
          <Link class="button" href={loginUrl()}>
            Log in
          </Link>
        </Nothing>
      </div>
    );
  }
  const joined = (matches ?? [])
    .filter(({ id }) => (entries.get(id)?.length ?? 0) > 0)
    .toSorted((a, b) => b.startMs - a.startMs);
  return (
    <div class="wide">
      <Title title="My contests" />
      {refusal !== null && matches === undefined && <Refused refusal={refusal} onRetry={reload} />}
      {matches === undefined && refusal === null && <Loading what="your contests" />}
      {matches !== undefined && joined.length === 0 && (
        <Nothing title="You are in no contest yet.">
          <Link class="button" href="/">
            Find a match
          </Link>
        </Nothing>
      )}
      {joined.map((match) => (
        <OfMatch key={match.id} match={match} entries={entries.get(match.id)!} />
      ))}
    </div>
  );
}

function OfMatch({ match, entries }: { readonly match: Match; readonly entries: readonly EntryInfo[] }) {
  const contests = [...new Set(entries.map(({ contestId }) => contestId))];
  return (
    <section class="group" aria-label={`${match.sides[0]} v ${match.sides[1]}`}>
      <h2 class="group-title">
        <Link href={pathTo.match(match.id)}>{`${match.sides[0]} v ${match.sides[1]}`}</Link> <StateChip match={match} />
      </h2>
      <p class="hint">{`${timeText(match.startMs)} · ${plural(contests.length, "contest")}`}</p>
      <ul class="mine-list">
        {contests.map((contest) => (
          <li key={contest}>
            <OfContest
              match={match}
              id={contest}
              count={entries.filter(({ contestId }) => contestId === contest).length}
            />
          </li>
        ))}
      </ul>
    </section>
  );
}

/** Followed, so that it moves as the contest's own screen does. */
function OfContest({ match, id, count }: { readonly match: Match; readonly id: ContestId; readonly count: number }) {
  const { view } = useContest(id);
  if (view === null) return <div class="mine-row">…</div>;
  const best = view.own[0];
  const isRefunded =
    match.state === "abandoned" || (match.state === "released" && !isPlayed(view.contest, view.entryCount));
  const prize = paise(view.own.reduce((sum, row) => sum + row.prizePaise, 0));
  return (
    <Link class="mine-row" href={pathTo.contest(id)}>
      <span class="mine-name">
        <strong>{view.contest.name}</strong>
        <span class="hint">{plural(count, "team")}</span>
      </span>
      {best === undefined ? (
        <span class="mine-wait">Waiting for the deadline</span>
      ) : (
        <>
          <span>
            <span class="label">Best rank</span> <b class="figure">{`#${countText(best.rank)}`}</b>
          </span>
          <span>
            <span class="label">Points</span> <b class="figure">{pointsText(best.scoreQp)}</b>
          </span>
        </>
      )}
      <span>
        <span class="label">{match.state === "released" ? "Won" : "Prize now"}</span>{" "}
        <b class="figure">{isRefunded ? "Refunded" : formatPaise(prize)}</b>
      </span>
    </Link>
  );
}
