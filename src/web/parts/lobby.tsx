import { useEffect } from "preact/hooks";
import type { ContestView } from "../../client/index.ts";
import { teamOfEntry } from "../../domain/ids.ts";
import type { Match } from "../../domain/match.ts";
import { formatPaise } from "../../domain/money.ts";
import { spotsLeft } from "../contest-filter.ts";
import { pathTo } from "../paths.ts";
import { useAsk } from "../state/ask.ts";
import type { MyMatch } from "../state/my-match.ts";
import { client } from "../state/node.ts";
import { toast } from "../state/toasts.ts";
import { feeText, Spots } from "./contest-card.tsx";
import { Icon } from "./icon.tsx";
import { Link } from "./link.tsx";
import { PrizeTableView } from "./prize-table.tsx";

const REFRESH_MS = 3_000;

interface LobbyProps {
  readonly view: ContestView;
  readonly match: Match;
  readonly mine: MyMatch;
  readonly onJoin: () => void;
}

/** A contest that still takes entries. */
export function Lobby({ view, match, mine, onJoin }: LobbyProps) {
  // Seats are not pushed; the list has them. A private contest is in no list and shows what it was when it was opened.
  const listed = useAsk(() => client.contests(match.id), [match.id]);
  useEffect(() => {
    const timer = setInterval(() => document.hidden || listed.reload(), REFRESH_MS);
    return () => clearInterval(timer);
  }, []);
  const contest = listed.value?.find(({ id }) => id === view.contest.id) ?? view.contest;
  const own = mine.entries?.filter((entry) => entry.contestId === contest.id) ?? [];
  const left = spotsLeft(contest);
  const mayJoin = left > 0 && own.length < contest.entriesPerUserMax;
  return (
    <div class="lobby">
      <section class="card lobby-main" aria-label="The contest">
        <p class="pool pool-large">
          <span class="label">Prize pool</span>
          <strong class="figure">{formatPaise(contest.prizePoolPaise)}</strong>
        </p>
        <Spots contest={contest} />
        {own.length > 0 && (
          <ul class="own-entries" aria-label="Your entries">
            {own.map((entry) => (
              <li key={entry.entryId}>
                <Icon name="check" size={18} />
                <span data-testid="joined">{`You are in with T${teamOfEntry(entry.entryId)}`}</span>
                <Link href={pathTo.team(match.id, teamOfEntry(entry.entryId))}>Edit team</Link>
              </li>
            ))}
          </ul>
        )}
        <div class="lobby-buttons">
          <button type="button" class="button button-hero" disabled={!mayJoin} onClick={onJoin}>
            {left === 0
              ? "Full"
              : own.length > 0
                ? mayJoin
                  ? "Join with another team"
                  : "You are in"
                : `Join · ${feeText(contest)}`}
          </button>
          <button type="button" class="button button-quiet" onClick={() => void share(contest.name)}>
            <Icon name="share" /> Invite friends
          </button>
        </div>
        <p class="hint">
          {contest.guaranteed
            ? "Guaranteed: every prize is paid however few join."
            : "Played only if it fills; otherwise every fee comes back."}
          {` Up to ${contest.entriesPerUserMax} ${contest.entriesPerUserMax === 1 ? "team" : "teams"} each.`}
        </p>
      </section>
      <section class="card" aria-label="Prizes">
        <h2 class="group-title">Prizes</h2>
        <PrizeTableView contest={contest} />
      </section>
    </div>
  );
}

async function share(name: string): Promise<void> {
  const url = location.origin + location.pathname;
  try {
    if (navigator.share) await navigator.share({ title: `${name} · Powerplay`, url });
    else {
      await navigator.clipboard.writeText(url);
      toast("The link is copied.");
    }
  } catch {
    // The user closed the sheet, or the page may not write: the address bar has the same link.
  }
}
