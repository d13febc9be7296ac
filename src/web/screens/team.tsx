import { useEffect, useMemo, useState } from "preact/hooks";
import type { MatchView, TeamInfo } from "../../client/index.ts";
import { RandomRosters } from "../../demo/random-roster.ts";
import { TEAMS_PER_USER_MAX } from "../../domain/contest.ts";
import { matchId } from "../../domain/ids.ts";
import { isBeforeDeadline } from "../../domain/match.ts";
import type { Random } from "../../domain/random.ts";
import { seededRandom } from "../../domain/random.ts";
import { ROSTER_RULES } from "../../domain/roster.ts";
import { type Role, ROLES, type Squad } from "../../domain/squad.ts";
import { Field } from "../parts/field.tsx";
import { Countdown } from "../parts/match-card.tsx";
import { Link } from "../parts/link.tsx";
import { PlayerRow } from "../parts/player-row.tsx";
import { QuotaBar } from "../parts/quota-bar.tsx";
import { Loading, NotFound, Nothing, Refused, Title } from "../parts/screen.tsx";
import { pathTo } from "../paths.ts";
import type { ScreenProps } from "../shell.tsx";
import { nowMs } from "../state/clock.ts";
import { useMatch } from "../state/follow.ts";
import { useMyMatch } from "../state/my-match.ts";
import { client, session } from "../state/node.ts";
import { goTo, loginUrl, query } from "../state/router.ts";
import { toast } from "../state/toasts.ts";
import { DraftRules, EMPTY_DRAFT, led, rosterOf, type TeamDraft, toggled } from "../team-draft.ts";
import { creditsText, ROLE_WORDS } from "../words.ts";

export function TeamScreen({ params }: ScreenProps) {
  const id = matchId(params["match"]!);
  const teamNo = params["team"]!;
  const { view, refusal } = useMatch(id);
  const { squad, teams } = useMyMatch(id);
  const isNobody = session.value === null;
  useEffect(() => {
    if (isNobody) goTo(loginUrl(), { replace: true });
  }, [isNobody]);
  if (teamNo < 1 || teamNo > TEAMS_PER_USER_MAX) return <NotFound />;
  if (refusal !== null && view === null) return <Refused refusal={refusal} />;
  if (view === null || squad === undefined || teams === undefined || isNobody) return <Loading what="the squads" />;
  return (
    <Builder view={view} squad={squad} teamNo={teamNo} saved={teams.find((team) => team.teamNo === teamNo) ?? null} />
  );
}

interface BuilderProps {
  readonly view: MatchView;
  readonly squad: Squad;
  readonly teamNo: number;
  readonly saved: TeamInfo | null;
}

const freshRandom = (): Random => seededRandom(crypto.getRandomValues(new Uint32Array(1))[0]!);

function Builder({ view: { match }, squad, teamNo, saved }: BuilderProps) {
  const rules = ROSTER_RULES[match.rosterRules]!;
  const judge = useMemo(() => new DraftRules(squad, rules), [squad, rules]);
  const [draft, setDraft] = useState<TeamDraft>(saved ?? EMPTY_DRAFT);
  const [role, setRole] = useState<Role>("WK");
  const [busy, setBusy] = useState(false);
  const [tried, setTried] = useState(false);
  const tally = judge.tally(draft);
  const faults = judge.faults(draft);
  const isOpen = match.state === "upcoming" && isBeforeDeadline(match, nowMs.value);
  const dearestFirst = squad.players
    .filter((player) => player.role === role)
    .toSorted(
      (a, b) => Number(b.announced !== false) - Number(a.announced !== false) || b.creditsTenths - a.creditsTenths,
    );

  const fill = () => {
    const filled = new RandomRosters(squad, rules).complete(draft.players, freshRandom());
    if (filled === null) toast("With these players no legal team was found; take one out.", "bad");
    else setDraft(keepLeads(filled, draft));
  };
  const save = async (event: Event) => {
    event.preventDefault();
    setTried(true);
    if (faults.length > 0) return;
    setBusy(true);
    const answer = await client.saveTeam(match.id, teamNo, rosterOf(draft));
    setBusy(false);
    if (!answer.ok) {
      toast(answer.refusal.message, "bad");
      return;
    }
    toast(`Team T${teamNo} is saved.`);
    goTo(nextUrl(match.id));
  };

  if (!isOpen) {
    return (
      <div class="narrow">
        <Title title="Teams are locked" />
        <Nothing title="The deadline has passed: nobody's team changes any more.">
          <Link class="button" href={pathTo.match(match.id)}>
            To the match
          </Link>
        </Nothing>
      </div>
    );
  }
  return (
    <form class="wide builder" onSubmit={save}>
      <header class="builder-head">
        <Title title={`Team T${teamNo}`}>{`Team T${teamNo}`}</Title>
        <Countdown startMs={match.startMs} />
      </header>
      <QuotaBar match={match} rules={rules} tally={tally} />
      <div class="builder-columns">
        <section class="builder-pool" aria-label="Players to pick from">
          <div class="pills" role="group" aria-label="Role">
            {ROLES.map((name) => (
              <button key={name} type="button" aria-pressed={role === name} onClick={() => setRole(name)}>
                <abbr title={ROLE_WORDS[name]}>{name}</abbr> <span class="pill-count">{tally.perRole[name]}</span>
              </button>
            ))}
          </div>
          <h2 class="group-title">{ROLE_WORDS[role]}</h2>
          <ul class="players">
            {dearestFirst.map((player) => (
              <PlayerRow
                key={player.id}
                match={match}
                player={player}
                draft={draft}
                obstacle={judge.obstacle(draft, player)}
                onToggle={() => setDraft(toggled(draft, player.id))}
                onLead={(lead) => setDraft(led(draft, lead, player.id))}
              />
            ))}
          </ul>
        </section>
        <div class="builder-preview">
          <Field
            match={match}
            players={tally.players}
            captain={draft.captain}
            viceCaptain={draft.viceCaptain}
            note={(player) => creditsText(player.creditsTenths)}
            label="Your eleven"
          />
          {tally.players.length === 0 && <p class="hint">Your eleven appear here as you pick them.</p>}
        </div>
      </div>
      <div class="builder-foot">
        <div class="builder-faults" role="status">
          {(tried || draft.players.length === rules.playerCount) && faults.length > 0 && (
            <ul class="fault">
              {faults.map((fault) => (
                <li key={fault}>{fault}</li>
              ))}
            </ul>
          )}
          {faults.length === 0 && <p class="good">A legal team.</p>}
        </div>
        <div class="builder-buttons">
          <button type="button" class="button button-quiet" onClick={() => setDraft(EMPTY_DRAFT)}>
            Clear
          </button>
          <button type="button" class="button button-quiet" onClick={fill}>
            {draft.players.length === 0 ? "Pick for me" : "Complete for me"}
          </button>
          <button class="button" disabled={busy}>
            {busy ? "Saving…" : "Save team"}
          </button>
        </div>
      </div>
    </form>
  );
}

/** Whoever was named captain stays it. */
function keepLeads(
  filled: { players: TeamDraft["players"]; captain: TeamDraft["captain"]; viceCaptain: TeamDraft["viceCaptain"] },
  draft: TeamDraft,
): TeamDraft {
  const captain = draft.captain ?? filled.captain;
  const viceCaptain = draft.viceCaptain ?? filled.viceCaptain;
  const spare = filled.players.find((id) => id !== captain)!;
  return { players: filled.players, captain, viceCaptain: captain === viceCaptain ? spare : viceCaptain };
}

/** Back to the contest that asked for a team, where one did. */
function nextUrl(match: number): string {
  const contest = Number(query.peek().get("join"));
  if (!Number.isSafeInteger(contest) || contest < 1) return pathTo.match(match);
  const code = query.peek().get("code");
  return `${pathTo.contest(contest)}?join=1${code === null ? "" : `&code=${encodeURIComponent(code)}`}`;
}
