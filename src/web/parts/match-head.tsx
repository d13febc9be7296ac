import type { MatchView } from "../../client/index.ts";
import { isBeforeDeadline } from "../../domain/match.ts";
import { nowMs } from "../state/clock.ts";
import { timeText } from "../words.ts";
import { Countdown, glowOf, Scoreboard, StateChip, Versus } from "./match-card.tsx";
import { Title } from "./screen.tsx";

/** The two sides over their colours, with the score or the time that is left. */
export function MatchHead({ view }: { readonly view: MatchView }) {
  const { match, scoreboard } = view;
  const waits = match.state === "upcoming" && isBeforeDeadline(match, nowMs.value);
  return (
    <header class="match-head" style={glowOf(match)}>
      <Title title={`${match.sides[0]} v ${match.sides[1]}`} hidden />
      <div class="match-head-top">
        <StateChip match={match} />
        <span>{match.format}</span>
        <span>{timeText(match.startMs)}</span>
      </div>
      <Versus match={match} size={64} />
      <div class="match-head-foot">
        {waits ? <Countdown startMs={match.startMs} /> : <Scoreboard sides={match.sides} lines={scoreboard} />}
      </div>
    </header>
  );
}
