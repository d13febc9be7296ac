import { useState } from "preact/hooks";
import type { ContestInfo, EntryInfo, TeamInfo } from "../../client/index.ts";
import { teamOfEntry } from "../../domain/ids.ts";
import { formatPaise, type Paise, paise, rupees } from "../../domain/money.ts";
import type { Squad } from "../../domain/squad.ts";
import { pathTo } from "../paths.ts";
import { balance, client, refreshBalance, sandbox } from "../state/node.ts";
import { addSandboxMoney } from "../state/sandbox-money.ts";
import { goTo } from "../state/router.ts";
import { toast } from "../state/toasts.ts";
import { surname } from "../words.ts";
import { feeText } from "./contest-card.tsx";
import { Dialog } from "./dialog.tsx";
import { Icon } from "./icon.tsx";

interface JoinDialogProps {
  readonly contest: ContestInfo;
  readonly teams: readonly TeamInfo[];
  readonly squad: Squad;
  readonly entries: readonly EntryInfo[];
  readonly inviteCode: string;
  readonly onClose: () => void;
  readonly onJoined: () => void;
}

export function JoinDialog({ contest, teams, squad, entries, inviteCode, onClose, onJoined }: JoinDialogProps) {
  const joined = new Set(
    entries.filter(({ contestId }) => contestId === contest.id).map((entry) => teamOfEntry(entry.entryId)),
  );
  const free = teams.filter(({ teamNo }) => !joined.has(teamNo));
  const [teamNo, setTeamNo] = useState<number | null>(free[0]?.teamNo ?? null);
  const [code, setCode] = useState(inviteCode);
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState<string | null>(null);
  const missing = Math.max(0, contest.entryFeePaise - (balance.value ?? 0)) as Paise;
  const nextTeam = pathTo.team(contest.matchId, Math.max(0, ...teams.map((team) => team.teamNo)) + 1);

  const join = async (event: Event) => {
    event.preventDefault();
    if (teamNo === null) return;
    setBusy(true);
    const answer = await client.join(contest.id, teamNo, contest.kind === "private" ? { inviteCode: code.trim() } : {});
    setBusy(false);
    void refreshBalance();
    if (!answer.ok) {
      setFault(answer.refusal.message);
      return;
    }
    toast(`You are in ${contest.name} with T${teamNo}.`);
    onJoined();
  };
  const nameOf = (id: string) => surname(squad.players.find((player) => player.id === id)?.name ?? id);

  return (
    <Dialog title={`Join ${contest.name}`} onClose={onClose}>
      {free.length === 0 ? (
        <div class="form">
          <p>{teams.length === 0 ? "First pick your eleven for this match." : "All your teams are in already."}</p>
          <button
            type="button"
            class="button button-wide"
            onClick={() =>
              goTo(`${nextTeam}?join=${contest.id}${code === "" ? "" : `&code=${encodeURIComponent(code)}`}`)
            }
          >
            <Icon name="plus" /> Make a team
          </button>
        </div>
      ) : (
        <form class="form" onSubmit={join}>
          <fieldset class="team-choice">
            <legend>With which team?</legend>
            {teams.map((team) => (
              <label key={team.teamNo} class="team-option">
                <input
                  type="radio"
                  name="team"
                  checked={teamNo === team.teamNo}
                  disabled={joined.has(team.teamNo)}
                  onChange={() => setTeamNo(team.teamNo)}
                />
                <span class="team-option-no figure">{`T${team.teamNo}`}</span>
                <span>
                  {joined.has(team.teamNo)
                    ? "already in"
                    : `${nameOf(team.captain)} (C), ${nameOf(team.viceCaptain)} (VC)`}
                </span>
              </label>
            ))}
          </fieldset>
          {contest.kind === "private" && (
            <label>
              Invite code
              <input name="code" required value={code} onInput={(event) => setCode(event.currentTarget.value)} />
            </label>
          )}
          <dl class="bill">
            <div>
              <dt>Entry fee</dt>
              <dd class="figure">{feeText(contest)}</dd>
            </div>
            <div>
              <dt>In your wallet</dt>
              <dd class="figure">{balance.value === null ? "…" : formatPaise(balance.value)}</dd>
            </div>
          </dl>
          {fault !== null && (
            <p class="fault" role="alert">
              {fault}
            </p>
          )}
          {missing > 0 ? <TopUp missing={missing} /> : null}
          <button class="button button-wide" disabled={busy || teamNo === null || missing > 0}>
            {busy ? "One moment…" : contest.entryFeePaise === 0 ? "Join for free" : `Pay ${feeText(contest)} and join`}
          </button>
        </form>
      )}
    </Dialog>
  );
}

const STEP_PAISE = rupees(100);

function TopUp({ missing }: { readonly missing: Paise }) {
  const [busy, setBusy] = useState(false);
  const amount = paise(Math.ceil(missing / STEP_PAISE) * STEP_PAISE);
  if (!sandbox.value) {
    return <p class="fault">{`You are ${formatPaise(missing)} short. Add money in your wallet first.`}</p>;
  }
  const add = async () => {
    setBusy(true);
    const fault = await addSandboxMoney(amount);
    setBusy(false);
    if (fault !== null) toast(fault, "bad");
  };
  return (
    <div class="notice">
      <p>{`You are ${formatPaise(missing)} short.`}</p>
      <button type="button" class="button button-quiet" disabled={busy} onClick={add}>
        {busy ? "On its way…" : `Add ${formatPaise(amount)} of play money`}
      </button>
    </div>
  );
}
