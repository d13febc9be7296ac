import type { Match } from "../../domain/match.ts";
import type { Player, Squad } from "../../domain/squad.ts";
import { useAsk } from "../state/ask.ts";
import { client } from "../state/node.ts";
import { countText, pointsText } from "../words.ts";
import type { ShownRow } from "./board.tsx";
import { Dialog } from "./dialog.tsx";
import { Field } from "./field.tsx";
import { Loading, Refused } from "./screen.tsx";

interface TeamDialogProps {
  readonly match: Match;
  readonly squad: Squad;
  readonly row: ShownRow;
  readonly onPlayer: (player: Player) => void;
  readonly onClose: () => void;
}

/** Anybody's eleven: after the deadline nothing is secret. */
export function TeamDialog({ match, squad, row, onPlayer, onClose }: TeamDialogProps) {
  const { value, refusal } = useAsk(() => client.teamBreakdown(match.id, row.entryId), [row.entryId, row.scoreQp]);
  const contributions = new Map(value?.players.map((player) => [player.playerId, player.contributionQp]));
  const led = (multiplier: "captain" | "vice_captain") =>
    value?.players.find((player) => player.multiplier === multiplier)?.playerId ?? null;
  return (
    <Dialog title={`${row.userName} · T${row.teamNo}`} onClose={onClose} wide>
      <p class="hint">{`Rank ${countText(row.rank)} with ${pointsText(row.scoreQp)} points`}</p>
      {value === undefined && refusal === null && <Loading what="the team" />}
      {value === undefined && refusal !== null && <Refused refusal={refusal} />}
      {value !== undefined && (
        <Field
          match={match}
          players={squad.players.filter(({ id }) => contributions.has(id))}
          captain={led("captain")}
          viceCaptain={led("vice_captain")}
          note={({ id }) => pointsText(contributions.get(id)!)}
          onPick={onPlayer}
          label={`The eleven of ${row.userName}`}
        />
      )}
    </Dialog>
  );
}
