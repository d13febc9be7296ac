import type { ComponentChildren } from "preact";
import type { PlayerId } from "../../domain/ids.ts";
import type { Match } from "../../domain/match.ts";
import { type Player, ROLES } from "../../domain/squad.ts";
import { ROLE_WORDS, surname } from "../words.ts";
import { sideColour } from "./crest.tsx";

interface FieldProps {
  readonly match: Pick<Match, "sides">;
  readonly players: readonly Player[];
  readonly captain: PlayerId | null;
  readonly viceCaptain: PlayerId | null;
  /** Under the name: credits, or points. */
  readonly note: (player: Player) => ComponentChildren;
  readonly onPick?: (player: Player) => void;
  readonly label: string;
}

/** More stand in two lines. */
const ROW_MAX = 5;

/** The eleven on the ground, by role. */
export const Field = ({ match, players, captain, viceCaptain, note, onPick, label }: FieldProps) => (
  <section class="field" aria-label={label}>
    <div class="field-pitch" aria-hidden="true" />
    {ROLES.map((role) => {
      const row = players.filter((player) => player.role === role);
      return (
        row.length > 0 && (
          <ul
            key={role}
            class={row.length > ROW_MAX ? "field-row field-row-long" : "field-row"}
            aria-label={ROLE_WORDS[role]}
          >
            {row.map((player) => {
              const lead = player.id === captain ? "C" : player.id === viceCaptain ? "VC" : null;
              const token = <Token match={match} player={player} lead={lead} note={note(player)} />;
              return (
                <li key={player.id}>
                  {onPick ? (
                    <button type="button" class="token" onClick={() => onPick(player)}>
                      {token}
                    </button>
                  ) : (
                    <div class="token">{token}</div>
                  )}
                </li>
              );
            })}
          </ul>
        )
      );
    })}
  </section>
);

interface TokenProps {
  readonly match: Pick<Match, "sides">;
  readonly player: Player;
  readonly lead: "C" | "VC" | null;
  readonly note: ComponentChildren;
}

const Token = ({ match, player, lead, note }: TokenProps) => (
  <>
    <span class="token-shirt">
      <Shirt colour={sideColour(match.sides[player.side])} />
      {lead !== null && (
        <b class={lead === "C" ? "lead token-lead" : "lead lead-vice token-lead"}>
          {lead}
          <span class="sr-only">{lead === "C" ? " captain" : " vice-captain"}</span>
        </b>
      )}
    </span>
    <span class="token-name">{surname(player.name)}</span>
    <span class="token-note figure">{note}</span>
  </>
);

const Shirt = ({ colour }: { readonly colour: string }) => (
  <svg width="40" height="36" viewBox="0 0 40 36" aria-hidden="true" focusable="false">
    <path
      d="M13 2 3 7.500l3 9 5-2V34h18V14.500l5 2 3-9L27 2c-1.500 3-4 4.500-7 4.500S14.500 5 13 2Z"
      fill={colour}
      stroke="#fff"
      stroke-opacity=".55"
      stroke-width="1.500"
      stroke-linejoin="round"
    />
  </svg>
);
