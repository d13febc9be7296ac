import type { TeamInfo } from "../../client/index.ts";
import { TEAMS_PER_USER_MAX } from "../../domain/contest.ts";
import type { Match } from "../../domain/match.ts";
import type { Squad } from "../../domain/squad.ts";
import { ROLES } from "../../domain/squad.ts";
import { pathTo } from "../paths.ts";
import { session } from "../state/node.ts";
import { loginUrl } from "../state/router.ts";
import { shortName, surname } from "../words.ts";
import { Icon } from "./icon.tsx";
import { Link } from "./link.tsx";

interface TeamListProps {
  readonly match: Match;
  readonly squad: Squad | undefined;
  readonly teams: readonly TeamInfo[];
  readonly isOpen: boolean;
}

export function TeamList({ match, squad, teams, isOpen }: TeamListProps) {
  const next = Math.max(0, ...teams.map(({ teamNo }) => teamNo)) + 1;
  const mayAdd = isOpen && squad !== undefined && next <= TEAMS_PER_USER_MAX;
  const addUrl = pathTo.team(match.id, next);
  return (
    <section class="card teams" aria-label="My teams">
      <h2 class="group-title">My teams</h2>
      {teams.length === 0 && (
        <p class="hint">
          {isOpen
            ? "Pick eleven players, a captain for double points, a vice-captain for half as much again."
            : "You had no team in this match."}
        </p>
      )}
      <ul class="team-cards">
        {teams
          .toSorted((a, b) => a.teamNo - b.teamNo)
          .map((team) => (
            <li key={team.teamNo}>
              <TeamCard match={match} squad={squad} team={team} isOpen={isOpen} />
            </li>
          ))}
      </ul>
      {mayAdd && (
        <Link class="button button-wide" href={session.value === null ? loginUrl() : addUrl}>
          <Icon name="plus" /> {teams.length === 0 ? "Make your first team" : `Make team T${next}`}
        </Link>
      )}
    </section>
  );
}

function TeamCard({ match, squad, team, isOpen }: Omit<TeamListProps, "teams"> & { readonly team: TeamInfo }) {
  const players = team.players.flatMap((id) => squad?.players.find((player) => player.id === id) ?? []);
  const nameOf = (id: string) => surname(players.find((player) => player.id === id)?.name ?? "…");
  const inner = (
    <>
      <span class="team-no figure">{`T${team.teamNo}`}</span>
      <span class="team-leads">
        <span>
          <b class="lead">C</b> {nameOf(team.captain)}
        </span>
        <span>
          <b class="lead lead-vice">VC</b> {nameOf(team.viceCaptain)}
        </span>
      </span>
      <span class="team-split">
        {match.sides.map((side, index) => (
          <span key={index}>{`${shortName(side)} ${players.filter((player) => player.side === index).length}`}</span>
        ))}
        {ROLES.map((role) => (
          <span key={role}>{`${role} ${players.filter((player) => player.role === role).length}`}</span>
        ))}
      </span>
    </>
  );
  return isOpen ? (
    <Link class="team-card" href={pathTo.team(match.id, team.teamNo)} aria-label={`Edit team T${team.teamNo}`}>
      {inner}
    </Link>
  ) : (
    <div class="team-card">{inner}</div>
  );
}
