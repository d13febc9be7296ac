import { useState } from "preact/hooks";
import type { ContestInfo } from "../../client/index.ts";
import { checkContestTerms, CONTEST_KINDS, type ContestKind, type ContestTerms } from "../../domain/contest.ts";
import { isBeforeDeadline, type Match } from "../../domain/match.ts";
import { formatPaise, paise, rupees } from "../../domain/money.ts";
import { useAsk } from "../state/ask.ts";
import { nowMs } from "../state/clock.ts";
import { client } from "../state/node.ts";
import { toast } from "../state/toasts.ts";
import { amountOf, prizeLines } from "../text-lines.ts";
import { countText, KIND_WORDS } from "../words.ts";
import { Dialog } from "./dialog.tsx";
import { Loading } from "./screen.tsx";

export function AdminContests({ match }: { readonly match: Match }) {
  const { value: contests, reload } = useAsk(() => client.contests(match.id), [match.id, match.state]);
  const [asked, setAsked] = useState<ContestInfo | null>(null);
  const isOpen = match.state === "upcoming" && isBeforeDeadline(match, nowMs.value);
  const cancel = async (contest: ContestInfo) => {
    setAsked(null);
    const answer = await client.admin.cancelContest(contest.id);
    if (answer.ok) toast(`${contest.name} is cancelled; every fee is back.`);
    else toast(answer.refusal.message, "bad");
    reload();
  };
  return (
    <section class="card" aria-label="Contests">
      <h2 class="group-title">Contests</h2>
      {contests === undefined && <Loading what="contests" />}
      {contests?.length === 0 && <p class="hint">None yet; private ones are not listed.</p>}
      <ul class="admin-list admin-contests">
        {contests?.map((contest) => (
          <li key={contest.id} class="admin-step">
            <span>
              <strong>{contest.name}</strong>
              <span class="hint">
                {`${KIND_WORDS[contest.kind]} · ${contest.state} · ${countText(contest.seatsTaken)}/${countText(contest.entriesMax)} · ${formatPaise(contest.prizePoolPaise)}`}
              </span>
            </span>
            <button
              type="button"
              class="button button-small button-bad"
              disabled={contest.state !== "open"}
              aria-label={`Cancel ${contest.name}`}
              onClick={() => setAsked(contest)}
            >
              Cancel
            </button>
          </li>
        ))}
      </ul>
      {isOpen && <NewContest match={match} onCreated={reload} />}
      {asked !== null && (
        <Dialog title={`Cancel ${asked.name}?`} onClose={() => setAsked(null)}>
          <div class="form">
            <p>Every entry fee goes back. This can't be undone.</p>
            <button type="button" class="button button-bad" onClick={() => void cancel(asked)}>
              Cancel the contest
            </button>
          </div>
        </Dialog>
      )}
    </section>
  );
}

/** What each kind usually looks like: where an administrator begins. */
const USUAL: Readonly<Record<ContestKind, Draft>> = {
  free: { name: "Practice", fee: "0", seats: "1000", each: "1", prizes: "1 = 100", guaranteed: true },
  paid: {
    name: "Hundred Club",
    fee: "25",
    seats: "100",
    each: "1",
    prizes: "1 = 1000\n2-3 = 300\n4-10 = 90",
    guaranteed: false,
  },
  mega: {
    name: "Mega Contest",
    fee: "49",
    seats: "10000",
    each: "3",
    prizes: "1 = 50000\n2-3 = 10000\n4-100 = 500",
    guaranteed: true,
  },
  head_to_head: { name: "Duel", fee: "100", seats: "2", each: "1", prizes: "1 = 180", guaranteed: false },
  private: { name: "Friends", fee: "10", seats: "10", each: "1", prizes: "1 = 70\n2 = 30", guaranteed: true },
};

interface Draft {
  readonly name: string;
  readonly fee: string;
  readonly seats: string;
  readonly each: string;
  readonly prizes: string;
  readonly guaranteed: boolean;
}

interface NewContestProps {
  readonly match: Match;
  readonly onCreated: () => void;
}

function NewContest({ match, onCreated }: NewContestProps) {
  const [kind, setKind] = useState<ContestKind>("mega");
  const [draft, setDraft] = useState(USUAL.mega);
  const [pool, setPool] = useState("");
  const [code, setCode] = useState("");
  const [fault, setFault] = useState<string | null>(null);
  const change = (part: Partial<Draft>) => setDraft({ ...draft, ...part });
  const bands = prizeLines(draft.prizes);
  const summed = bands.ok ? amountOf(bands.items) : null;

  const create = async (event: Event) => {
    event.preventDefault();
    if (!bands.ok) return setFault(bands.fault);
    const terms: ContestTerms = {
      matchId: match.id,
      kind,
      name: draft.name,
      entryFeePaise: rupees(Number(draft.fee)),
      entriesMax: Number(draft.seats),
      entriesPerUserMax: Number(draft.each),
      prizePoolPaise: summed ?? rupees(Number(pool)),
      prizes: bands.items,
      guaranteed: draft.guaranteed,
      inviteCode: kind === "private" ? code : null,
    };
    const faults = checkContestTerms(terms);
    if (faults.length > 0) return setFault(faults.map(({ field, message }) => `${field}: ${message}`).join("; "));
    const answer = await client.admin.createContest(terms);
    setFault(answer.ok ? null : answer.refusal.message);
    if (answer.ok) {
      toast(`${draft.name} is open.`);
      onCreated();
    }
    return undefined;
  };
  return (
    <form class="form new-contest" onSubmit={create} aria-label="New contest">
      <h3 class="group-title">New contest</h3>
      <div class="form-pair">
        <label>
          Kind
          <select
            value={kind}
            onChange={(event) => {
              const chosen = event.currentTarget.value as ContestKind;
              setKind(chosen);
              setDraft(USUAL[chosen]);
            }}
          >
            {CONTEST_KINDS.map((name) => (
              <option key={name} value={name}>
                {KIND_WORDS[name]}
              </option>
            ))}
          </select>
        </label>
        <label>
          Name
          <input
            name="name"
            required
            maxLength={120}
            value={draft.name}
            onInput={(event) => change({ name: event.currentTarget.value })}
          />
        </label>
        <label>
          Entry fee in ₹
          <input
            name="fee"
            type="number"
            min="0"
            step="0.01"
            required
            value={draft.fee}
            onInput={(event) => change({ fee: event.currentTarget.value })}
          />
        </label>
        <label>
          Seats
          <input
            name="seats"
            type="number"
            min="2"
            required
            value={draft.seats}
            onInput={(event) => change({ seats: event.currentTarget.value })}
          />
        </label>
        <label>
          Teams each
          <input
            name="each"
            type="number"
            min="1"
            required
            value={draft.each}
            onInput={(event) => change({ each: event.currentTarget.value })}
          />
        </label>
        {kind === "private" && (
          <label>
            Invite code
            <input
              name="code"
              required
              maxLength={64}
              value={code}
              onInput={(event) => setCode(event.currentTarget.value)}
            />
          </label>
        )}
        {bands.ok && summed === null && (
          <label>
            Prize pool in ₹
            <input
              name="pool"
              type="number"
              min="0"
              step="0.01"
              required
              value={pool}
              onInput={(event) => setPool(event.currentTarget.value)}
            />
          </label>
        )}
      </div>
      <label>
        Prizes, a line each: ranks = ₹ or %
        <textarea
          name="prizes"
          rows={4}
          spellcheck={false}
          value={draft.prizes}
          onInput={(event) => change({ prizes: event.currentTarget.value })}
        />
      </label>
      {summed !== null && <p class="hint">{`Prize pool ${formatPaise(paise(summed))}`}</p>}
      <label class="check">
        <input
          type="checkbox"
          checked={draft.guaranteed}
          onChange={(event) => change({ guaranteed: event.currentTarget.checked })}
        />
        Guaranteed, however few join
      </label>
      {fault !== null && (
        <p class="fault" role="alert">
          {fault}
        </p>
      )}
      <button class="button">Open the contest</button>
    </form>
  );
}
