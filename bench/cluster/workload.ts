import { DEV_SECRETS } from "../../src/edge/secrets.ts";
import { RandomRosters } from "../../src/demo/random-roster.ts";
import { systemClock } from "../../src/domain/clock.ts";
import type { ContestId, MatchId, UserId } from "../../src/domain/ids.ts";
import { rupees } from "../../src/domain/money.ts";
import { seededRandom } from "../../src/domain/random.ts";
import { checkRoster, ROSTER_RULES, type Roster, type RosterDraft } from "../../src/domain/roster.ts";
import { Tokens } from "../../src/edge/auth.ts";
import { edgeLimits } from "../../src/edge/limits.ts";
import { adaptCricsheet } from "../../src/stream/cricsheet.ts";
import { generateMatch } from "../../src/stream/match-generator.ts";
import type { LoadRequest } from "../load.ts";

/** What every design has to do: the same users save the same teams, then join the same contests. */
export interface Plan {
  readonly userCount: number;
  /** Teams that each user saves, once each: those that warm everything up, then those that are measured. */
  readonly warmTeams: number;
  readonly teams: number;
  /** Beside two for everybody: one that warms up, then one that is measured. */
  readonly smallContests: number;
  /** How many of them each user joins. */
  readonly smallJoins: number;
}

/** Seats of each contest, those for everybody first. All of them fill. */
export const contestSizes = ({ smallContests, smallJoins, userCount }: Plan): number[] => [
  userCount,
  userCount,
  ...Array.from({ length: smallContests }, () => Math.ceil((userCount * smallJoins) / smallContests)),
];

export const FEE = rupees(10);
export const WALLET = rupees(1_000);
export const RULES = "modern";

const adapted = adaptCricsheet(generateMatch(1));
if (!adapted.ok) throw new Error("the generated match is broken");
export const { facts, squad } = adapted.match;

/** Tokens as a node with development secrets issues them. */
export const tokens = new Tokens(DEV_SECRETS.jwt, systemClock, edgeLimits);

export interface BenchUser {
  readonly id: UserId;
  readonly token: string;
}

/** What the design calls those things. */
export interface Stage {
  readonly matchId: MatchId;
  readonly contestIds: readonly ContestId[];
  readonly users: readonly BenchUser[];
}

export interface TeamSaved {
  readonly userId: UserId;
  readonly teamNo: number;
  readonly roster: Roster;
}

export interface Joined {
  readonly userId: UserId;
  readonly contestId: ContestId;
}

/** Requests and, by position, what their acknowledgement promises. */
export interface Load<Promised> {
  readonly requests: readonly LoadRequest[];
  readonly promised: readonly Promised[];
}

const DRAFTS = 200;
/** Eight users in a row are one of each slice, so that every node serves all slices, as behind a balancer. */
const homeOf = (userIndex: number): number => userIndex >> 3;
const rosters = new RandomRosters(squad, ROSTER_RULES[RULES]!);
const random = seededRandom(1);
const drafts: readonly { readonly draft: RosterDraft; readonly roster: Roster }[] = Array.from(
  { length: DRAFTS },
  () => {
    const draft = rosters.draw(random);
    const check = checkRoster(draft, squad, ROSTER_RULES[RULES]!);
    if (!check.ok) throw new Error("an illegal team was drawn");
    return { draft, roster: check.roster };
  },
);

/** One team of every user after the other. */
export function savesOf({ matchId, users }: Stage, firstTeam: number, teamCount: number): Load<TeamSaved> {
  const numbers = Array.from({ length: teamCount }, (_, index) => firstTeam + index);
  const all = numbers.flatMap((teamNo) =>
    users.map(({ id, token }, index) => {
      const { draft, roster } = drafts[(index * 7 + teamNo) % DRAFTS]!;
      const body = JSON.stringify({ matchId, teamNo, ...draft });
      return {
        request: { home: homeOf(index), path: "/v1/teams", token, body },
        promised: { userId: id, teamNo, roster },
      };
    }),
  );
  return { requests: all.map(({ request }) => request), promised: all.map(({ promised }) => promised) };
}

/** Every user joins the contest that warms up. */
export const warmJoinsOf = ({ contestIds, users }: Stage): Load<Joined> =>
  loadOf(users.map((user, index) => ({ user, index, contest: contestIds[0]! })));

/** Every user joins the great contest and `smallJoins` of the small; at each moment all contests are being joined. */
export function joinsOf({ contestIds, users }: Stage, { smallJoins }: Plan): Load<Joined> {
  const [, great, ...small] = contestIds;
  const rounds = Array.from({ length: smallJoins + 1 }, (_, round) =>
    users.map((user, index) => {
      const turn = (index + round) % (smallJoins + 1);
      return { user, index, contest: turn === 0 ? great! : small[(index + turn) % small.length]! };
    }),
  );
  return loadOf(rounds.flat());
}

function loadOf(
  joins: readonly { readonly user: BenchUser; readonly index: number; readonly contest: ContestId }[],
): Load<Joined> {
  const body = JSON.stringify({ teamNo: 1 });
  return {
    requests: joins.map(({ contest, index, user: { token } }) => ({
      home: homeOf(index),
      path: `/v1/contests/${contest}/join`,
      token,
      body,
    })),
    promised: joins.map(({ contest, user: { id } }) => ({ userId: id, contestId: contest })),
  };
}
