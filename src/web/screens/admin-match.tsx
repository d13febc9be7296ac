import { useState } from "preact/hooks";
import type { Answer, MatchView } from "../../client/index.ts";
import { matchId } from "../../domain/ids.ts";
import { canMove, isBeforeDeadline } from "../../domain/match.ts";
import { AdminContests } from "../parts/admin-contests.tsx";
import { AdminOnly } from "../parts/admin-only.tsx";
import { Commentary } from "../parts/commentary.tsx";
import { Dialog } from "../parts/dialog.tsx";
import { Link } from "../parts/link.tsx";
import { MatchHead } from "../parts/match-head.tsx";
import { Loading, Refused } from "../parts/screen.tsx";
import type { ScreenProps } from "../shell.tsx";
import { useAsk } from "../state/ask.ts";
import { nowMs } from "../state/clock.ts";
import { useMatch } from "../state/follow.ts";
import { client } from "../state/node.ts";
import { toast } from "../state/toasts.ts";
import { countText, plural, timeText } from "../words.ts";

export function AdminMatchScreen({ params }: ScreenProps) {
  const { view, refusal } = useMatch(matchId(params["match"]!));
  return (
    <AdminOnly>
      {refusal !== null && view === null && <Refused refusal={refusal} />}
      {view === null && refusal === null && <Loading what="the match" />}
      {view !== null && <AdminMatch view={view} />}
    </AdminOnly>
  );
}

function AdminMatch({ view }: { readonly view: MatchView }) {
  const { match, balls, offset } = view;
  const { value: squad } = useAsk(() => client.squad(match.id), [match.id]);
  return (
    <div class="wide">
      <p class="contest-bar">
        <Link href="/admin" class="back">
          ‹ Administration
        </Link>
      </p>
      <MatchHead view={view} />
      <div class="admin-columns">
        <div class="admin-stack">
          <Steps view={view} />
          <section class="card" aria-label="Feed">
            <h2 class="group-title">Feed</h2>
            <dl class="feed-facts">
              <div>
                <dt>State</dt>
                <dd data-testid="feed-state">{match.state}</dd>
              </div>
              <div>
                <dt>Events shown</dt>
                <dd class="figure" data-testid="feed-count">
                  {countText(balls.length)}
                </dd>
              </div>
              <div>
                <dt>Last position</dt>
                <dd class="figure">{countText(offset)}</dd>
              </div>
              <div>
                <dt>Last event</dt>
                <dd>{balls.length === 0 ? "–" : timeText(balls.at(-1)!.atMs)}</dd>
              </div>
              <div>
                <dt>Squad</dt>
                <dd>{squad === undefined ? "…" : plural(squad.players.length, "player")}</dd>
              </div>
            </dl>
            <Commentary balls={balls} squad={squad} own={null} />
          </section>
        </div>
        <AdminContests match={match} />
      </div>
    </div>
  );
}

interface Step {
  readonly label: string;
  readonly hint: string;
  readonly mayNow: boolean;
  readonly run: () => Promise<Answer<unknown>>;
  /** Asked before it is done, for it can't be undone. */
  readonly warning?: string;
}

/** What an administrator does to a match, in the order of its life. */
function Steps({ view: { match } }: { readonly view: MatchView }) {
  const [busy, setBusy] = useState(false);
  const [asked, setAsked] = useState<Step | null>(null);
  const [paid, setPaid] = useState<string | null>(null);
  const { admin } = client;
  const release = async () => {
    const answer = await admin.release(match.id);
    if (answer.ok) {
      const { contests } = answer.value;
      const settled = contests.filter(({ outcome }) => outcome === "settled").length;
      setPaid(`${plural(settled, "contest")} paid, ${contests.length - settled} refunded.`);
    }
    return answer;
  };
  const steps: readonly Step[] = [
    {
      label: "Lock teams",
      hint: "After the deadline; the node does it by itself too.",
      mayNow: match.state === "upcoming" && !isBeforeDeadline(match, nowMs.value),
      run: () => admin.lock(match.id),
    },
    {
      label: "End the match",
      hint: "Where the feed never says that it is over.",
      mayNow: match.state === "live",
      run: () => admin.end(match.id),
      warning: "The match goes to review; balls that come later count as corrections.",
    },
    {
      label: "Approve the result",
      hint: "A correction that still comes re-opens the review.",
      mayNow: match.state === "review",
      run: () => admin.approve(match.id),
    },
    {
      label: "Release the prizes",
      hint: "Corrections end here. Pays or refunds every contest; again does nothing.",
      mayNow: match.state === "settled" || match.state === "released",
      run: release,
    },
    {
      label: "Abandon the match",
      hint: "Every entry fee goes back.",
      mayNow: canMove(match.state, "abandoned"),
      run: () => admin.abandon(match.id),
      warning: "The match ends without a result and every entry fee goes back. This can't be undone.",
    },
  ];
  const run = async (step: Step) => {
    setAsked(null);
    setBusy(true);
    const answer = await step.run();
    setBusy(false);
    if (answer.ok) toast(`${step.label}: done.`);
    else toast(answer.refusal.message, "bad");
  };
  return (
    <section class="card" aria-label="Steps">
      <h2 class="group-title">Steps</h2>
      <ul class="admin-list">
        {steps.map((step) => (
          <li key={step.label} class="admin-step">
            <span>
              <strong>{step.label}</strong>
              <span class="hint">{step.hint}</span>
            </span>
            <button
              type="button"
              class={step.label.startsWith("Abandon") ? "button button-small button-bad" : "button button-small"}
              disabled={busy || !step.mayNow}
              aria-label={step.label}
              onClick={() => (step.warning === undefined ? void run(step) : setAsked(step))}
            >
              {step.label.split(" ")[0]}
            </button>
          </li>
        ))}
      </ul>
      {paid !== null && <p class="good">{paid}</p>}
      {asked !== null && (
        <Dialog title={`${asked.label}?`} onClose={() => setAsked(null)}>
          <div class="form">
            <p>{asked.warning}</p>
            <button type="button" class="button button-bad" onClick={() => void run(asked)}>
              {asked.label}
            </button>
          </div>
        </Dialog>
      )}
    </section>
  );
}
