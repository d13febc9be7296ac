import { useEffect, useState } from "preact/hooks";
import type { ContestView, MatchView } from "../../client/index.ts";
import { contestId } from "../../domain/ids.ts";
import { isBeforeDeadline } from "../../domain/match.ts";
import { JoinDialog } from "../parts/join-dialog.tsx";
import { LiveBoard } from "../parts/live-board.tsx";
import { Lobby } from "../parts/lobby.tsx";
import { MatchHead } from "../parts/match-head.tsx";
import { Link } from "../parts/link.tsx";
import { Loading, Refused } from "../parts/screen.tsx";
import { pathTo } from "../paths.ts";
import type { ScreenProps } from "../shell.tsx";
import { nowMs } from "../state/clock.ts";
import { useContest, useMatch } from "../state/follow.ts";
import { useMyMatch } from "../state/my-match.ts";
import { expectPrizes, session } from "../state/node.ts";
import { goTo, loginUrl, pathname, query } from "../state/router.ts";
import { KIND_WORDS } from "../words.ts";

export function ContestScreen({ params }: ScreenProps) {
  const { view, refusal } = useContest(contestId(params["contest"]!));
  const match = useMatch(view?.contest.matchId ?? null);
  if (refusal !== null && view === null) return <Refused refusal={refusal} />;
  if (view === null || match.view === null) return <Loading what="the contest" />;
  return <Contest view={view} matchView={match.view} />;
}

function Contest({ view, matchView }: { readonly view: ContestView; readonly matchView: MatchView }) {
  const { contest } = view;
  const { match } = matchView;
  const mine = useMyMatch(match.id);
  const [joining, setJoining] = useState(query.peek().has("join"));
  const isOpen = match.state === "upcoming" && isBeforeDeadline(match, nowMs.value);
  const isOver = match.state === "released" || match.state === "abandoned";
  useEffect(() => {
    if (isOver) expectPrizes();
  }, [isOver]);
  const begin = () => (session.value === null ? goTo(loginUrl()) : setJoining(true));
  const endJoin = () => {
    setJoining(false);
    goTo(pathname.peek(), { replace: true });
  };
  return (
    <div class="wide">
      <MatchHead view={matchView} />
      <div class="contest-bar">
        <Link href={pathTo.match(match.id)} class="back">
          ‹ All contests
        </Link>
        <h2 class="contest-name">
          {contest.name} <span class={`kind kind-${contest.kind}`}>{KIND_WORDS[contest.kind]}</span>
        </h2>
      </div>
      {isOpen ? (
        <Lobby view={view} match={match} mine={mine} onJoin={begin} />
      ) : (
        <LiveBoard view={view} matchView={matchView} mine={mine} />
      )}
      {joining && isOpen && session.value !== null && mine.squad !== undefined && mine.teams !== undefined && (
        <JoinDialog
          contest={contest}
          inviteCode={query.peek().get("code") ?? ""}
          teams={mine.teams}
          squad={mine.squad}
          entries={mine.entries ?? []}
          onClose={endJoin}
          onJoined={() => {
            mine.reload();
            endJoin();
          }}
        />
      )}
    </div>
  );
}
