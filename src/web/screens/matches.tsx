import { useEffect } from "preact/hooks";
import type { Match, MatchState } from "../../domain/match.ts";
import { DemoButtons } from "../parts/demo-buttons.tsx";
import { MatchCard } from "../parts/match-card.tsx";
import { Link } from "../parts/link.tsx";
import { Loading, Nothing, Refused, Title } from "../parts/screen.tsx";
import { useAsk } from "../state/ask.ts";
import { client, sandbox, session } from "../state/node.ts";
import { useMyEntries } from "../state/my-entries.ts";
import { loginUrl } from "../state/router.ts";

/** New matches are not pushed; in a sandbox the next one is always about to open. */
const REFRESH_MS = 20_000;
const SANDBOX_REFRESH_MS = 2_000;

const GROUPS: readonly { readonly title: string; readonly states: readonly MatchState[] }[] = [
  { title: "Live", states: ["live", "locked", "review", "settled"] },
  { title: "Upcoming", states: ["upcoming"] },
  { title: "Finished", states: ["released", "abandoned"] },
];

export function MatchesScreen() {
  const { value: matches, refusal, reload } = useAsk(() => client.matches(), []);
  const waits = sandbox.value && matches?.every(({ state }) => state !== "upcoming") === true;
  useEffect(() => {
    const timer = setInterval(() => document.hidden || reload(), sandbox.value ? SANDBOX_REFRESH_MS : REFRESH_MS);
    return () => clearInterval(timer);
  }, [sandbox.value]);
  const entries = useMyEntries(matches);
  return (
    <div class="wide">
      {session.value === null ? <Hero /> : <Title title="Matches" />}
      {refusal !== null && matches === undefined && <Refused refusal={refusal} onRetry={reload} />}
      {matches === undefined && refusal === null && <Loading what="matches" />}
      {matches?.length === 0 && !waits && <Nothing title="No matches yet. Come back soon." />}
      {waits && (
        <p class="notice" role="status">
          The next match opens in a moment…
        </p>
      )}
      {matches !== undefined &&
        GROUPS.map(({ title, states }) => {
          const group = ordered(
            matches.filter(({ state }) => states.includes(state)),
            title,
          );
          if (group.length === 0) return null;
          return (
            <section key={title} class="group" aria-label={title}>
              <h2 class="group-title">{title}</h2>
              <ul class="match-grid">
                {group.map((match) => (
                  <li key={match.id}>
                    <MatchCard match={match} entryCount={entries.get(match.id)?.length ?? 0} />
                  </li>
                ))}
              </ul>
            </section>
          );
        })}
    </div>
  );
}

/** Soonest first; what is over, latest first. */
const ordered = (matches: readonly Match[], title: string): Match[] =>
  matches.toSorted((a, b) => (title === "Finished" ? b.startMs - a.startMs : a.startMs - b.startMs));

function Hero() {
  return (
    <section class="hero" aria-label="Welcome">
      <div class="hero-words">
        <p class="hero-kicker">Fantasy cricket, open source</p>
        <Title title="Powerplay">
          Every ball
          <br />
          moves your rank.
        </Title>
        <p class="hero-text">
          Pick eleven under the cap. Captain the one who wins it. Watch your exact rank, your points and your prize
          change with each delivery.
        </p>
        {sandbox.value ? (
          <DemoButtons />
        ) : (
          <Link href={loginUrl()} class="button button-hero">
            Log in to play
          </Link>
        )}
      </div>
      <HeroArt />
    </section>
  );
}

/** A climb: what the product does, drawn once. */
const HeroArt = () => (
  <div class="hero-art" aria-hidden="true">
    <svg viewBox="0 0 420 300" focusable="false">
      <ellipse cx="210" cy="190" rx="200" ry="96" class="art-ground" />
      <ellipse cx="210" cy="190" rx="118" ry="54" class="art-ring" />
      <rect x="196" y="150" width="28" height="80" rx="4" class="art-pitch" />
      <path d="M40 236 C 90 226 110 214 150 200 S 210 150 250 132 S 330 70 380 52" class="art-climb" />
      <circle cx="380" cy="52" r="11" class="art-ball" />
      <path d="M373 46c5 3 8 8 9 14" class="art-seam" />
    </svg>
    <div class="art-card art-card-1">
      <span>Rank</span>
      <b class="figure">#3</b>
      <i>▲ 41</i>
    </div>
    <div class="art-card art-card-2">
      <span>SIX · captain</span>
      <b class="figure">+24</b>
    </div>
  </div>
);
