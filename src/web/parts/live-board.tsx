import { useState } from "preact/hooks";
import type { ContestView, MatchView, OwnRow } from "../../client/index.ts";
import { isPlayed } from "../../domain/contest.ts";
import type { EntryId } from "../../domain/ids.ts";
import { captainQp, viceCaptainQp } from "../../domain/points.ts";
import { PrizeSchedule } from "../../domain/prizes.ts";
import type { Player } from "../../domain/squad.ts";
import type { MyMatch } from "../state/my-match.ts";
import { useNeighbours } from "../state/neighbours.ts";
import { useRankHistory } from "../state/rank-history.ts";
import { pointsText } from "../words.ts";
import { Board, type ShownRow } from "./board.tsx";
import { Commentary } from "./commentary.tsx";
import { Field } from "./field.tsx";
import { PlayerDialog } from "./player-dialog.tsx";
import { PrizeTableView } from "./prize-table.tsx";
import { RankChart } from "./rank-chart.tsx";
import { Loading, Nothing } from "./screen.tsx";
import { Standing } from "./standing.tsx";
import { TeamDialog } from "./team-dialog.tsx";

interface LiveBoardProps {
  readonly view: ContestView;
  readonly matchView: MatchView;
  readonly mine: MyMatch;
}

/** The contest while it is played, and how it ended. */
export function LiveBoard({ view, matchView, mine }: LiveBoardProps) {
  const { contest, own, top, entryCount } = view;
  const { match, balls, offset, pointsQp } = matchView;
  const { squad } = mine;
  const [chosen, setChosen] = useState<EntryId | null>(null);
  const [player, setPlayer] = useState<Player | null>(null);
  const [opened, setOpened] = useState<ShownRow | null>(null);
  const shown: OwnRow | null = own.find(({ entryId }) => entryId === chosen) ?? own[0] ?? null;
  const history = useRankHistory(contest.id, shown);
  const neighbours = useNeighbours(contest.id, shown, offset);
  const team = mine.teams?.find(({ teamNo }) => teamNo === shown?.teamNo) ?? null;
  const isOwn = (entry: EntryId) => own.some(({ entryId }) => entryId === entry);
  const isFinal = match.state === "released";
  const isRefunded = isFinal && !isPlayed(contest, entryCount);
  const lastPaidRank = new PrizeSchedule(contest.prizes, contest.prizePoolPaise).lastPaidRank;
  const pointsOf = ({ id }: Player) => {
    const qp = pointsQp[squad!.players.findIndex((candidate) => candidate.id === id)] ?? 0;
    return pointsText(id === team?.captain ? captainQp(qp) : id === team?.viceCaptain ? viceCaptainQp(qp) : qp);
  };
  // A row that was opened shows what it is now, if it is still in sight.
  const openedNow = opened && ([...top, ...neighbours].find(({ entryId }) => entryId === opened.entryId) ?? opened);

  if (match.state === "abandoned") {
    return <Nothing title="The match was abandoned. Every entry fee is back in its wallet." />;
  }
  if (!view.live) {
    return (
      <div class="card">
        <Loading what="the board" />
        <p class="hint">Teams are being locked. Ranks appear in a moment.</p>
      </div>
    );
  }
  return (
    <div class="live">
      <div class="live-own">
        {shown === null ? (
          <p class="notice">You have no entry in this contest; here is how it goes.</p>
        ) : (
          <>
            <Standing
              own={own}
              shown={shown}
              entryCount={entryCount}
              isFinal={isFinal}
              isRefunded={isRefunded}
              onShow={({ entryId }) => setChosen(entryId)}
            />
            <section class="card" aria-label="Rank history">
              <h2 class="group-title">Rank history</h2>
              <RankChart key={shown.entryId} points={history} lastPaidRank={lastPaidRank} />
            </section>
          </>
        )}
        {team !== null && squad !== undefined && (
          <section class="card card-field" aria-label={`Team T${team.teamNo}`}>
            <h2 class="group-title">{`Your eleven · T${team.teamNo}`}</h2>
            <Field
              match={match}
              players={squad.players.filter(({ id }) => team.players.includes(id))}
              captain={team.captain}
              viceCaptain={team.viceCaptain}
              note={pointsOf}
              onPick={setPlayer}
              label="Points of each player"
            />
          </section>
        )}
      </div>
      <div class="live-all">
        <section class="card" aria-label="Commentary">
          <h2 class="group-title">Ball by ball</h2>
          <Commentary balls={balls} squad={squad} own={team} />
        </section>
        <section class="card" aria-label="Leaderboard">
          <h2 class="group-title">Top 10</h2>
          <Board label="Top 10" rows={top} isOwn={isOwn} onOpen={setOpened} />
          {neighbours.length > 0 && !top.some(({ entryId }) => entryId === shown?.entryId) && (
            <>
              <h3 class="group-title">Around you</h3>
              <Board label="Around you" rows={neighbours} isOwn={isOwn} onOpen={setOpened} />
            </>
          )}
        </section>
        <section class="card" aria-label="Prizes">
          <details>
            <summary>Prizes by rank</summary>
            <PrizeTableView contest={contest} />
          </details>
        </section>
      </div>
      {openedNow !== null && squad !== undefined && (
        <TeamDialog match={match} squad={squad} row={openedNow} onPlayer={setPlayer} onClose={() => setOpened(null)} />
      )}
      {player !== null && (
        <PlayerDialog match={match} player={player} offset={offset} onClose={() => setPlayer(null)} />
      )}
    </div>
  );
}
