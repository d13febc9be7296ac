import { useEffect, useState } from "preact/hooks";
import type { InningsLine } from "../../client/index.ts";
import type { Match } from "../../domain/match.ts";
import { isBeforeDeadline } from "../../domain/match.ts";
import { pathTo } from "../paths.ts";
import { nowMs } from "../state/clock.ts";
import { useMatch } from "../state/follow.ts";
import { countdownText, shortName, STATE_WORDS, timeText } from "../words.ts";
import { Crest, hueOf } from "./crest.tsx";
import { Link } from "./link.tsx";

export const StateChip = ({ match }: { readonly match: Match }) => (
  <span class={`chip chip-${match.state}`}>
    {match.state === "live" && <span class="pulse" aria-hidden="true" />}
    {STATE_WORDS[match.state]}
  </span>
);

const HURRY_MS = 60_000;

/** Time left to the deadline; what it says aloud changes with the minute, not with the second. */
export function Countdown({ startMs }: { readonly startMs: number }) {
  const leftMs = startMs - nowMs.value;
  if (leftMs <= 0) return <span class="countdown">Deadline passed</span>;
  return (
    <span
      class={leftMs < HURRY_MS ? "countdown countdown-hurry" : "countdown"}
      data-testid="countdown"
      role="timer"
      aria-live="off"
    >
      <span class="sr-only">Teams lock in </span>
      {countdownText(leftMs)}
    </span>
  );
}

export const Scoreboard = ({
  sides,
  lines,
}: {
  readonly sides: readonly [string, string];
  readonly lines: readonly InningsLine[];
}) => (
  <ul class="scoreboard" aria-label="Score">
    {lines.map((line) => (
      <li key={line.innings} class={line.superOver ? "scoreboard-super" : undefined}>
        <abbr title={sides[line.side]}>{shortName(sides[line.side])}</abbr>
        <strong class="figure">{`${line.runs}/${line.wickets}`}</strong>
        <span>{line.superOver ? "super over" : `${line.overs} ov`}</span>
      </li>
    ))}
  </ul>
);

/** Sides facing each other, in their own colours. */
export function Versus({ match, size = 56 }: { readonly match: Match; readonly size?: number }) {
  const [home, away] = match.sides;
  return (
    <div class="versus">
      <div class="versus-side">
        <Crest side={home} size={size} />
        <span class="versus-name">{home}</span>
      </div>
      <span class="versus-v" aria-label="versus">
        v
      </span>
      <div class="versus-side versus-away">
        <Crest side={away} size={size} />
        <span class="versus-name">{away}</span>
      </div>
    </div>
  );
}

/** Two glows in the sides' hues; set through the style object, which the policy allows. */
export const glowOf = (match: Match) => ({
  "--home": `hsl(${hueOf(match.sides[0])} 60% 45%)`,
  "--away": `hsl(${hueOf(match.sides[1])} 60% 45%)`,
});

export function MatchCard({ match, entryCount }: { readonly match: Match; readonly entryCount: number }) {
  const isUpcoming = match.state === "upcoming" && isBeforeDeadline(match, nowMs.value);
  return (
    <Link href={pathTo.match(match.id)} class="match-card" style={glowOf(match)} data-testid="match-card">
      <div class="match-card-head">
        <StateChip match={match} />
        <span class="match-card-format">{match.format}</span>
      </div>
      <Versus match={match} />
      <div class="match-card-foot">
        {isUpcoming ? (
          <>
            <span class="match-card-when">{timeText(match.startMs)}</span>
            <Countdown startMs={match.startMs} />
          </>
        ) : (
          <LiveScore match={match} />
        )}
      </div>
      {entryCount > 0 && (
        <p class="match-card-mine">{`You are in with ${entryCount === 1 ? "1 entry" : `${entryCount} entries`}`}</p>
      )}
    </Link>
  );
}

/** Follows the match only while its card is on the screen. */
function LiveScore({ match }: { readonly match: Match }) {
  const [ref, setRef] = useState<HTMLElement | null>(null);
  const [seen, setSeen] = useState(false);
  useEffect(() => {
    if (ref === null) return undefined;
    const observer = new IntersectionObserver((entries) => setSeen(entries.at(-1)!.isIntersecting));
    observer.observe(ref);
    return () => observer.disconnect();
  }, [ref]);
  const { view } = useMatch(seen ? match.id : null);
  return (
    <span ref={setRef} class="match-card-score">
      {view !== null && view.scoreboard.length > 0 ? (
        <Scoreboard sides={match.sides} lines={view.scoreboard} />
      ) : (
        <span>{STATE_WORDS[match.state]}</span>
      )}
    </span>
  );
}
