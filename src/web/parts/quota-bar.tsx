import type { Match } from "../../domain/match.ts";
import type { RosterRules } from "../../domain/roster.ts";
import { ROLES } from "../../domain/squad.ts";
import type { DraftTally } from "../team-draft.ts";
import { creditsText, ROLE_WORDS, shortName } from "../words.ts";

interface QuotaBarProps {
  readonly match: Match;
  readonly rules: RosterRules;
  readonly tally: DraftTally;
}

/** Everything that limits a team, as it stands. */
export function QuotaBar({ match, rules, tally }: QuotaBarProps) {
  const leftTenths = rules.creditsMaxTenths - tally.creditsTenths;
  const spent = Math.min(100, (100 * tally.creditsTenths) / rules.creditsMaxTenths);
  return (
    <section class="quota" aria-label="Your team so far">
      <div class="quota-main">
        <p class="quota-count">
          <strong class="figure" data-testid="picked">{`${tally.players.length}/${rules.playerCount}`}</strong> players
        </p>
        <div class="quota-credits">
          <p>
            <strong class="figure" data-testid="credits-left">
              {creditsText(leftTenths)}
            </strong>{" "}
            credits left
          </p>
          <div
            class="bar"
            role="meter"
            aria-label="Credits spent"
            aria-valuemin={0}
            aria-valuemax={rules.creditsMaxTenths / 10}
            aria-valuenow={tally.creditsTenths / 10}
          >
            <div class={leftTenths < 0 ? "bar-fill bar-over" : "bar-fill"} style={{ width: `${spent}%` }} />
          </div>
        </div>
      </div>
      <ul class="quota-list">
        {ROLES.map((role) => {
          const [min, max] = rules.perRole[role];
          const count = tally.perRole[role];
          const state = count < min ? "quota-short" : count > max ? "quota-over" : "quota-met";
          return (
            <li key={role} class={state}>
              <abbr title={ROLE_WORDS[role]}>{role}</abbr> <b class="figure">{count}</b>
              <span class="quota-range">{min === max ? `of ${min}` : `${min}–${max}`}</span>
            </li>
          );
        })}
        {match.sides.map((side, index) => (
          <li key={index} class={tally.perSide[index as 0 | 1] > rules.perSideMax ? "quota-over" : "quota-met"}>
            <abbr title={side}>{shortName(side)}</abbr> <b class="figure">{tally.perSide[index as 0 | 1]}</b>
            <span class="quota-range">{`max ${rules.perSideMax}`}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}
