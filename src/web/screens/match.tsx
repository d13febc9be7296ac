import { useEffect, useState } from "preact/hooks";
import type { ContestInfo } from "../../client/index.ts";
import { matchId } from "../../domain/ids.ts";
import { isBeforeDeadline } from "../../domain/match.ts";
import { ALL_CONTESTS, filterContests } from "../contest-filter.ts";
import { ContestCard } from "../parts/contest-card.tsx";
import { ContestFilters } from "../parts/contest-filters.tsx";
import { InviteForm } from "../parts/invite-form.tsx";
import { JoinDialog } from "../parts/join-dialog.tsx";
import { MatchHead } from "../parts/match-head.tsx";
import { Loading, Nothing, Refused } from "../parts/screen.tsx";
import { TeamList } from "../parts/team-list.tsx";
import { pathTo } from "../paths.ts";
import type { ScreenProps } from "../shell.tsx";
import { useAsk } from "../state/ask.ts";
import { nowMs } from "../state/clock.ts";
import { useMatch } from "../state/follow.ts";
import { entryCountIn, useMyMatch } from "../state/my-match.ts";
import { client, session } from "../state/node.ts";
import { goTo, loginUrl } from "../state/router.ts";

const PAGE = 24;
const REFRESH_MS = 5_000;

export function MatchScreen({ params }: ScreenProps) {
  const id = matchId(params["match"]!);
  const { view, refusal } = useMatch(id);
  const { value: contests, reload } = useAsk(() => client.contests(id), [id]);
  const mine = useMyMatch(id);
  const [filter, setFilter] = useState(ALL_CONTESTS);
  const [shown, setShown] = useState(PAGE);
  const [joining, setJoining] = useState<{ contest: ContestInfo; code: string } | null>(null);
  const isOpen = view !== null && view.match.state === "upcoming" && isBeforeDeadline(view.match, nowMs.value);
  useEffect(() => {
    if (!isOpen) return undefined;
    const timer = setInterval(() => document.hidden || reload(), REFRESH_MS);
    return () => clearInterval(timer);
  }, [isOpen]);

  if (refusal !== null && view === null) return <Refused refusal={refusal} />;
  if (view === null) return <Loading what="the match" />;
  const begin = (contest: ContestInfo, code = "") =>
    session.value === null ? goTo(loginUrl()) : setJoining({ contest, code });
  const found = contests && filterContests(contests, isOpen ? filter : { ...filter, onlyOpen: false });
  return (
    <div class="wide">
      <MatchHead view={view} />
      <div class="match-columns">
        <aside class="match-side">
          <TeamList match={view.match} squad={mine.squad} teams={mine.teams ?? []} isOpen={isOpen} />
          {isOpen && <InviteForm match={id} onFound={begin} />}
        </aside>
        <section class="match-main" aria-label="Contests">
          <h2 class="group-title">Contests</h2>
          <ContestFilters filter={filter} onChange={setFilter} />
          {found === undefined && <Loading what="contests" />}
          {found?.length === 0 && (
            <Nothing
              title={filter.kind === "private" ? "Private contests open with an invite code." : "No contest fits."}
            />
          )}
          {found !== undefined && <p class="sr-only" role="status">{`${found.length} contests`}</p>}
          <ul class="contest-grid">
            {found?.slice(0, shown).map((contest) => (
              <li key={contest.id}>
                <ContestCard
                  contest={contest}
                  ownCount={entryCountIn(mine.entries, contest)}
                  onJoin={isOpen ? begin : null}
                />
              </li>
            ))}
          </ul>
          {found !== undefined && found.length > shown && (
            <button type="button" class="button button-quiet button-more" onClick={() => setShown(shown + PAGE)}>
              {`Show more of ${found.length}`}
            </button>
          )}
        </section>
      </div>
      {joining !== null && mine.squad !== undefined && mine.teams !== undefined && (
        <JoinDialog
          contest={joining.contest}
          inviteCode={joining.code}
          teams={mine.teams}
          squad={mine.squad}
          entries={mine.entries ?? []}
          onClose={() => setJoining(null)}
          onJoined={() => goTo(pathTo.contest(joining.contest.id))}
        />
      )}
    </div>
  );
}
