import type { Match } from "../../domain/match.ts";
import type { Player } from "../../domain/squad.ts";
import type { TeamDraft } from "../team-draft.ts";
import { creditsText, shortName } from "../words.ts";
import { sideColour } from "./crest.tsx";
import { Icon } from "./icon.tsx";

interface PlayerRowProps {
  readonly match: Match;
  readonly player: Player;
  readonly draft: TeamDraft;
  /** Why he can't come in; null when he can. */
  readonly obstacle: string | null;
  readonly onToggle: () => void;
  readonly onLead: (lead: "captain" | "viceCaptain") => void;
}

const ANNOUNCED = {
  true: { class: "announced-yes", text: "Playing" },
  false: { class: "announced-no", text: "Not playing" },
  null: { class: "announced-unknown", text: "Not announced" },
} as const;

export function PlayerRow({ match, player, draft, obstacle, onToggle, onLead }: PlayerRowProps) {
  const isIn = draft.players.includes(player.id);
  const announced = ANNOUNCED[`${player.announced}`];
  return (
    <li class={isIn ? "player player-in" : "player"}>
      <button
        type="button"
        class="player-pick"
        aria-pressed={isIn}
        aria-disabled={!isIn && obstacle !== null}
        title={isIn ? undefined : (obstacle ?? undefined)}
        onClick={() => (isIn || obstacle === null) && onToggle()}
      >
        <span class="player-dot" style={{ background: sideColour(match.sides[player.side]) }} aria-hidden="true">
          {shortName(match.sides[player.side])}
        </span>
        <span class="player-words">
          <span class="player-name">{player.name}</span>
          <span class={`player-announced ${announced.class}`}>{announced.text}</span>
        </span>
        <span class="player-credits figure">
          {creditsText(player.creditsTenths)}
          <span class="sr-only"> credits</span>
        </span>
        <span class="player-mark" aria-hidden="true">
          <Icon name={isIn ? "check" : "plus"} size={18} />
        </span>
      </button>
      {isIn && (
        <span class="player-leads" role="group" aria-label={`${player.name} leads`}>
          <button
            type="button"
            class="lead-button"
            aria-pressed={draft.captain === player.id}
            aria-label={`C, captain: ${player.name}`}
            onClick={() => onLead("captain")}
          >
            C
          </button>
          <button
            type="button"
            class="lead-button lead-button-vice"
            aria-pressed={draft.viceCaptain === player.id}
            aria-label={`VC, vice-captain: ${player.name}`}
            onClick={() => onLead("viceCaptain")}
          >
            VC
          </button>
        </span>
      )}
    </li>
  );
}
