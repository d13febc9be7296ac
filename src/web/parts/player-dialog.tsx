import type { MatchId } from "../../domain/ids.ts";
import type { PointsQp } from "../../domain/points.ts";
import { RULE_KINDS, type RuleKind } from "../../domain/scoring/rules.ts";
import type { Match } from "../../domain/match.ts";
import type { Player } from "../../domain/squad.ts";
import { useAsk } from "../state/ask.ts";
import { client } from "../state/node.ts";
import { creditsText, plural, pointsText, RULE_WORDS, signedPoints } from "../words.ts";
import { Dialog } from "./dialog.tsx";
import { Loading, Refused } from "./screen.tsx";

interface PlayerDialogProps {
  readonly match: Match;
  readonly player: Player;
  /** Asked again when it changes. */
  readonly offset: number;
  readonly onClose: () => void;
}

/** Where a player's points come from, rule by rule. */
export function PlayerDialog({ match, player, offset, onClose }: PlayerDialogProps) {
  const { value, refusal } = useAsk(() => client.playerBreakdown(match.id as MatchId, player.id), [player.id]);
  const again = useAsk(() => client.playerBreakdown(match.id as MatchId, player.id), [offset]);
  const shown = again.value ?? value;
  const rules = Map.groupBy(shown?.reasons ?? [], ({ rule }) => rule);
  const ordered = RULE_KINDS.filter((kind) => rules.has(kind));
  return (
    <Dialog title={player.name} onClose={onClose}>
      <p class="hint">{`${match.sides[player.side]} · ${player.role} · ${creditsText(player.creditsTenths)} credits`}</p>
      {shown === undefined && refusal === null && <Loading what="points" />}
      {shown === undefined && refusal !== null && <Refused refusal={refusal} />}
      {shown !== undefined && (
        <table class="breakdown">
          <caption class="sr-only">Points by rule</caption>
          <thead>
            <tr>
              <th scope="col">For</th>
              <th scope="col">How often</th>
              <th scope="col">Points</th>
            </tr>
          </thead>
          <tbody>
            {ordered.map((kind: RuleKind) => {
              const lines = rules.get(kind)!;
              return (
                <tr key={kind}>
                  <th scope="row">
                    {RULE_WORDS[kind]}
                    {lines.some(({ provisional }) => provisional) && match.state === "live" && <em> so far</em>}
                  </th>
                  <td>{plural(lines.length, "time")}</td>
                  <td class="figure">{signedPoints(lines.reduce<PointsQp>((sum, line) => sum + line.pointsQp, 0))}</td>
                </tr>
              );
            })}
          </tbody>
          <tfoot>
            <tr>
              <th scope="row" colSpan={2}>
                Total
              </th>
              <td class="figure">{pointsText(shown.pointsQp)}</td>
            </tr>
          </tfoot>
        </table>
      )}
    </Dialog>
  );
}
