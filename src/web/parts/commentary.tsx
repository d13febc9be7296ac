import type { BallLine } from "../../client/index.ts";
import type { PlayerId } from "../../domain/ids.ts";
import { captainQp, type PointsQp, viceCaptainQp } from "../../domain/points.ts";
import type { RosterDraft } from "../../domain/roster.ts";
import type { Squad } from "../../domain/squad.ts";
import { ballWords, gainsOf } from "../ball-words.ts";
import { signedPoints, surname } from "../words.ts";

const SHOWN_MAX = 60;

interface CommentaryProps {
  readonly balls: readonly BallLine[];
  readonly squad: Squad | undefined;
  /** The team whose gains stand out. */
  readonly own: RosterDraft | null;
}

/** Ball by ball, newest first, with what each gave to whom. */
export const Commentary = ({ balls, squad, own }: CommentaryProps) => (
  <ol class="commentary" aria-label="Ball by ball, newest first" tabIndex={0} reversed>
    {balls.length === 0 && <li class="hint">The first ball is about to be bowled.</li>}
    {balls
      .slice(-SHOWN_MAX)
      .reverse()
      .map((ball) => (
        <Ball key={ball.eventId} ball={ball} squad={squad} own={own} />
      ))}
  </ol>
);

function Ball({ ball, squad, own }: Omit<CommentaryProps, "balls"> & { readonly ball: BallLine }) {
  const { over, who, what, badge, tone } = ballWords(ball.text);
  return (
    <li class={`ball ball-${tone}`}>
      <span class="ball-badge figure" aria-hidden="true">
        {badge}
      </span>
      <div class="ball-words">
        <p>
          {over !== null && <span class="ball-over figure">{over}</span>}
          {who !== null && <span class="ball-who">{who}</span>}
        </p>
        <p class="ball-what">{what}</p>
        <ul class="gains" aria-label="Points">
          {gainsOf(ball).map(({ poolIndex, pointsQp }) => {
            const player = squad?.players[poolIndex];
            if (player === undefined) return null;
            const times = own === null ? 0 : timesOf(own, player.id);
            return (
              <li key={poolIndex} class={times > 0 ? "gain gain-own" : "gain"}>
                {surname(player.name)}{" "}
                <b class="figure">{signedPoints(times > 1 ? withLead(times, pointsQp) : pointsQp)}</b>
                {times > 1 && <span>{times === 2 ? " C" : " VC"}</span>}
              </li>
            );
          })}
        </ul>
      </div>
    </li>
  );
}

const timesOf = (own: RosterDraft, player: PlayerId): number =>
  own.captain === player ? 2 : own.viceCaptain === player ? 1.5 : own.players.includes(player) ? 1 : 0;

const withLead = (times: number, qp: PointsQp): PointsQp => (times === 2 ? captainQp(qp) : viceCaptainQp(qp));
