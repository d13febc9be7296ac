import type { Builder, Offset } from "flatbuffers";
import type { Contest } from "../../domain/contest.ts";
import type { ContestId, MatchId } from "../../domain/ids.ts";
import type { Match } from "../../domain/match.ts";
import type { Squad as SquadFacts } from "../../domain/squad.ts";
import type { Gateway, WriteFollowed } from "../../realtime/gateway/gateway.ts";
import type { StreamPosition } from "../../realtime/gateway/match-hall.ts";
import type { Session } from "../../realtime/gateway/session.ts";
import type { Letter } from "../front-desk.ts";
import type { Asked, Route, TypedRoute } from "../route.ts";
import { adminRoutes } from "../routes/admin.ts";
import { contestRoutes } from "../routes/contests.ts";
import { sandboxRoutes } from "../routes/sandbox.ts";
import { leaderboardRoutes } from "../routes/leaderboards.ts";
import { matchRoutes } from "../routes/matches.ts";
import { pointsRoutes } from "../routes/points.ts";
import { sessionRoutes } from "../routes/sessions.ts";
import { teamRoutes } from "../routes/teams.ts";
import { walletRoutes } from "../routes/wallet.ts";
import {
  writeBalance,
  writeBoardPage,
  writeCaller,
  writeCommentary,
  writeCommitment,
  writeDeposit,
  writeDone,
  writeEntered,
  writeEntries,
  writeInclusionProof,
  writeContests,
  writeMatches,
  writeOneContest,
  writeOneMatch,
  writePlayerBreakdown,
  writeRankHistory,
  writeReleases,
  writeSession,
  writeSquad,
  writeTeamBreakdown,
  writeTeams,
  writeTeamSaved,
  writeWalletLines,
  writeWelcome,
  writeWithdrawal,
} from "./answers.ts";
import type { ClientOut } from "./generated/powerplay/wire/client-out.ts";
import {
  Amount,
  Announced,
  Call,
  ContestTerms,
  Credentials,
  Follow,
  HistoryPage,
  Invite,
  Join,
  LastOf,
  MatchTerms,
  Message,
  Named,
  Nothing,
  Of,
  OfEntry,
  OfPlayer,
  OfTeam,
  PageOf,
  type Player,
  PlayersOf,
  SaveTeam,
  SquadOf,
  Token,
} from "./generated/wire_generated.ts";
import { socketRoutes } from "./own-routes.ts";
import { textsOf, textOf } from "./read.ts";

/** What reading a call may need of the node. */
export interface CallContext {
  /** null: no such match, or no squad yet. */
  readonly squadOf: (match: MatchId) => Promise<SquadFacts | null>;
}

/** A member of the union `Call`: the route that it is, how its table becomes a letter, and how the answer is written. */
export interface WireCall {
  readonly route: Route;
  readonly letter: (frame: ClientOut, context: CallContext) => Letter | Promise<Letter>;
  readonly message: Message;
  readonly write: (builder: Builder, json: never) => Offset;
  /** Where the answer changes who is at the other end: their access token. */
  readonly signsIn?: (json: never, frame: ClientOut) => string;
  /** Where the answer begins a stream: what lets the session follow, and gives what writes the answer. */
  readonly follow?: (
    gateway: Gateway,
    session: Session,
    json: never,
    frame: ClientOut,
    answer: (write: WriteFollowed) => void,
  ) => Promise<void> | void;
  readonly unfollow?: (gateway: Gateway, session: Session, frame: ClientOut) => void;
}

interface Readable {
  __init(at: number, buffer: never): unknown;
}

type Reading<S extends object> = Asked<S> & { readonly idempotencyKey?: string };

const NO_BYTES = new Uint8Array(0);
const NO_HEADERS = { get: () => null };

const letterOf = ({ idempotencyKey, ...asked }: Partial<Letter> & { readonly idempotencyKey?: string }): Letter => ({
  ...asked,
  // What a header may not hold, a field of a frame may; the route bounds its length either way.
  headers: idempotencyKey ? { get: (name) => (name === "idempotency-key" ? idempotencyKey : null) } : NO_HEADERS,
  rawBody: NO_BYTES,
});

/** Ties a table to a route by the route's own types: what is read must be what its schemas expect. */
function call<Table extends Readable, S extends object, T>(
  route: TypedRoute<S, T>,
  table: new () => Table,
  read: (table: Table, context: CallContext) => Reading<S> | Promise<Reading<S>>,
  message: Message,
  write: (builder: Builder, json: T) => Offset,
  signsIn?: (json: T, frame: ClientOut) => string,
): WireCall {
  return {
    route,
    letter(frame, context) {
      const reading = read(frame.call(new table()) as Table, context);
      if (reading instanceof Promise) {
        return reading.then(letterOf);
      }
      return letterOf(reading);
    },
    message,
    write,
    ...(signsIn === undefined ? {} : { signsIn }),
  };
}

const accessToken = (session: { readonly accessToken: string }) => session.accessToken;
const nothing = () => ({});
const matchParam = (of: { id(): number }) => ({ params: { match: String(of.id()) } });
const contestParam = (of: { id(): number }) => ({ params: { contest: String(of.id()) } });
const credentials = (table: Credentials) => ({
  body: { name: textOf(table.name()), password: textOf(table.password()) },
});
const amount = (table: Amount) => ({
  body: { amountPaise: table.paise() },
  idempotencyKey: textOf(table.idempotencyKey()),
});
const ofEntry = (table: OfEntry) => ({ match: String(table.id()), entry: String(table.entryId()) });
const onMatch = <T>(
  route: TypedRoute<(typeof adminRoutes.lock extends TypedRoute<infer S, unknown> ? S : never) & object, T>,
  write: (builder: Builder, json: T) => Offset,
  message: Message,
) => call(route, Of, (of) => ({ ...matchParam(of), body: {} }), message, write);

async function saveTeam(table: SaveTeam, { squadOf }: CallContext) {
  const squad = await squadOf(table.matchId() as MatchId);
  // Whether the match or only its squad is missing is for the route to say; it looks before it looks at the players.
  const idOf = (poolIndex: number) => squad?.players[poolIndex]?.id ?? `#${poolIndex}`;
  const players = Array.from(table.rosterArray() ?? [], idOf);
  const [captain = "", viceCaptain = ""] = players;
  return { body: { matchId: table.matchId(), teamNo: table.teamNo(), players, captain, viceCaptain } };
}

const ANNOUNCED = { [Announced.Unknown]: null, [Announced.Playing]: true, [Announced.NotPlaying]: false };

const playerFacts = (player: Player) => ({
  id: textOf(player.id()),
  name: textOf(player.name()),
  side: player.side() as 0 | 1,
  role: textOf(player.role()) as "WK",
  creditsTenths: player.creditsTenths(),
  announced: ANNOUNCED[player.announced()] ?? null,
});

const matchTerms = (table: MatchTerms) => ({
  body: {
    name: textOf(table.name()),
    sides: [textOf(table.side0()), textOf(table.side1())] as [string, string],
    format: textOf(table.format()) as "T20",
    startMs: table.startMs(),
    scoringRules: textOf(table.scoringRules()),
    rosterRules: textOf(table.rosterRules()),
  },
});

function contestTerms(table: ContestTerms) {
  const shares = table.prizesAreShares();
  const prizes = Array.from({ length: table.prizesLength() }, (_, index) => {
    const band = table.prizes(index)!;
    const ranks = { fromRank: band.fromRank(), toRank: band.toRank() };
    return shares ? { ...ranks, shareBps: band.value() } : { ...ranks, amountPaise: band.value() };
  });
  return {
    body: {
      matchId: table.matchId(),
      kind: textOf(table.kind()) as "free",
      name: textOf(table.name()),
      entryFeePaise: table.entryFeePaise(),
      entriesMax: table.entriesMax(),
      entriesPerUserMax: table.entriesPerUserMax(),
      prizePoolPaise: table.prizePoolPaise(),
      prizes,
      guaranteed: table.guaranteed(),
      inviteCode: table.inviteCode(),
    },
  };
}

function seenOf(frame: ClientOut): StreamPosition {
  const table = frame.call(new Follow()) as Follow;
  return { epoch: table.epoch(), offset: table.offset() };
}
const ofTable = (frame: ClientOut): Of => frame.call(new Of()) as Of;
const unfollow = (leave: NonNullable<WireCall["unfollow"]>): WireCall => ({
  ...call(socketRoutes.unfollow, Of, nothing, Message.Done, writeDone),
  unfollow: leave,
});

/** The whole socket surface. */
export const CALLS: Readonly<Partial<Record<Call, WireCall>>> = {
  [Call.Authenticate]: call(
    socketRoutes.authenticate,
    Token,
    (table) => ({ body: { token: textOf(table.token()) } }),
    Message.Session,
    writeCaller,
    (_json, frame) => textOf((frame.call(new Token()) as Token).token()),
  ),
  [Call.Refresh]: call(
    sessionRoutes.refresh,
    Token,
    (table) => ({ body: { refreshToken: textOf(table.token()) } }),
    Message.Session,
    writeSession,
    accessToken,
  ),
  [Call.Register]: call(sessionRoutes.register, Credentials, credentials, Message.Session, writeSession, accessToken),
  [Call.LogIn]: call(sessionRoutes.logIn, Credentials, credentials, Message.Session, writeSession, accessToken),
  [Call.ListMatches]: call(matchRoutes.list, Nothing, nothing, Message.Matches, writeMatches),
  [Call.GetMatch]: call(matchRoutes.get, Of, matchParam, Message.Matches, writeOneMatch),
  [Call.GetSquad]: call(matchRoutes.squad, Of, matchParam, Message.Squad, writeSquad),
  [Call.ListContests]: call(matchRoutes.contests, Of, matchParam, Message.Contests, writeContests),
  [Call.SaveTeam]: call(teamRoutes.save, SaveTeam, saveTeam, Message.TeamSaved, writeTeamSaved),
  [Call.ListTeams]: call(teamRoutes.list, Of, matchParam, Message.Teams, (builder, { teams }) =>
    writeTeams(builder, teams),
  ),
  [Call.ListTeamVersions]: call(
    teamRoutes.versions,
    OfTeam,
    (table) => ({ params: { match: String(table.matchId()), teamNo: String(table.teamNo()) } }),
    Message.Teams,
    (builder, { versions }) => writeTeams(builder, versions),
  ),
  [Call.Join]: call(
    contestRoutes.join,
    Join,
    (table) => {
      const inviteCode = textOf(table.inviteCode());
      return {
        params: { contest: String(table.contestId()) },
        body: { teamNo: table.teamNo(), ...(inviteCode === "" ? {} : { inviteCode }) },
        idempotencyKey: textOf(table.idempotencyKey()),
      };
    },
    Message.Entered,
    writeEntered,
  ),
  [Call.ListEntries]: call(contestRoutes.entries, Of, matchParam, Message.Entries, writeEntries),
  [Call.GetBalance]: call(walletRoutes.balance, Nothing, nothing, Message.Balance, writeBalance),
  [Call.ListWalletLines]: call(
    walletRoutes.history,
    HistoryPage,
    (table) => ({
      query: {
        ...(table.beforeSeq() === 0 ? {} : { beforeSeq: String(table.beforeSeq()) }),
        ...(table.limit() === 0 ? {} : { limit: String(table.limit()) }),
      },
    }),
    Message.WalletLines,
    writeWalletLines,
  ),
  [Call.Deposit]: call(walletRoutes.deposit, Amount, amount, Message.Deposit, writeDeposit),
  [Call.GetDeposit]: call(
    walletRoutes.depositOf,
    Named,
    (table) => ({ params: { order: textOf(table.name()) } }),
    Message.Deposit,
    writeDeposit,
  ),
  [Call.Withdraw]: call(walletRoutes.withdraw, Amount, amount, Message.Withdrawal, writeWithdrawal),
  [Call.GetWithdrawal]: call(
    walletRoutes.withdrawalOf,
    Named,
    (table) => ({ params: { withdrawal: textOf(table.name()) } }),
    Message.Withdrawal,
    writeWithdrawal,
  ),
  [Call.GetPage]: call(
    leaderboardRoutes.page,
    PageOf,
    (table) => ({
      params: { contest: String(table.contestId()) },
      query:
        table.fromRank() === 0
          ? { top: String(table.count()) }
          : { fromRank: String(table.fromRank()), count: String(table.count()) },
    }),
    Message.BoardPage,
    writeBoardPage,
  ),
  [Call.GetMine]: call(leaderboardRoutes.mine, Of, contestParam, Message.BoardPage, writeBoardPage),
  [Call.GetNeighbours]: call(
    leaderboardRoutes.neighbours,
    OfEntry,
    (table) => ({
      ...contestParam(table),
      query: { entryId: String(table.entryId()), radius: String(table.radius()) },
    }),
    Message.BoardPage,
    writeBoardPage,
  ),
  [Call.GetRankHistory]: call(
    leaderboardRoutes.rankHistory,
    OfEntry,
    (table) => ({ ...contestParam(table), query: { entryId: String(table.entryId()) } }),
    Message.RankHistory,
    writeRankHistory,
  ),
  [Call.GetTeamBreakdown]: call(
    pointsRoutes.team,
    OfEntry,
    (table) => ({ params: ofEntry(table) }),
    Message.TeamBreakdown,
    writeTeamBreakdown,
  ),
  [Call.GetPlayerBreakdown]: call(
    pointsRoutes.player,
    OfPlayer,
    (table) => ({ params: { match: String(table.matchId()), player: textOf(table.playerId()) as never } }),
    Message.PlayerBreakdown,
    writePlayerBreakdown,
  ),
  [Call.GetCommentary]: call(
    pointsRoutes.commentary,
    LastOf,
    (table) => ({
      params: { match: String(table.matchId()) },
      query: table.count() === 0 ? {} : { count: String(table.count()) },
    }),
    Message.Commentary,
    writeCommentary,
  ),
  [Call.GetCommitment]: call(pointsRoutes.commitment, Of, matchParam, Message.Commitment, writeCommitment),
  [Call.GetInclusionProof]: call(
    pointsRoutes.proof,
    OfEntry,
    (table) => ({ params: ofEntry(table) }),
    Message.InclusionProof,
    writeInclusionProof,
  ),
  [Call.FollowContest]: {
    ...call(socketRoutes.followContest, Follow, contestParam, Message.ContestFollowed, writeDone),
    follow: (gateway, session, { contest, match }: { contest: Contest; match: Match }, frame, answer) =>
      gateway.followContest(session, contest, match, seenOf(frame), answer),
  },
  [Call.UnfollowContest]: unfollow((gateway, session, frame) =>
    gateway.unfollowContest(session, ofTable(frame).id() as ContestId),
  ),
  [Call.FollowMatch]: {
    ...call(socketRoutes.followMatch, Follow, matchParam, Message.MatchFollowed, writeDone),
    follow: (gateway, session, match: Match, frame, answer) =>
      gateway.followMatch(session, match, seenOf(frame), answer),
  },
  [Call.UnfollowMatch]: unfollow((gateway, session, frame) =>
    gateway.unfollowMatch(session, ofTable(frame).id() as MatchId),
  ),
  [Call.CreateMatch]: call(adminRoutes.createMatch, MatchTerms, matchTerms, Message.Matches, writeOneMatch),
  [Call.PutSquad]: call(
    adminRoutes.putSquad,
    SquadOf,
    (table) => ({
      params: { match: String(table.matchId()) },
      body: {
        players: Array.from({ length: table.playersLength() }, (_, index) => playerFacts(table.players(index)!)),
      },
    }),
    Message.Squad,
    writeSquad,
  ),
  [Call.Announce]: call(
    adminRoutes.announce,
    PlayersOf,
    (table) => ({
      params: { match: String(table.matchId()) },
      body: { players: textsOf(table.playersLength(), (index) => table.players(index)) as never },
    }),
    Message.Squad,
    writeSquad,
  ),
  [Call.CreateContest]: call(adminRoutes.createContest, ContestTerms, contestTerms, Message.Contests, writeOneContest),
  [Call.CancelContest]: call(
    adminRoutes.cancelContest,
    Of,
    (of) => ({ ...contestParam(of), body: {} }),
    Message.Contests,
    writeOneContest,
  ),
  [Call.LockMatch]: onMatch(adminRoutes.lock, writeOneMatch, Message.Matches),
  [Call.AbandonMatch]: onMatch(adminRoutes.abandon, writeOneMatch, Message.Matches),
  [Call.EndMatch]: onMatch(adminRoutes.end, writeOneMatch, Message.Matches),
  [Call.ApproveResult]: onMatch(adminRoutes.approve, writeOneMatch, Message.Matches),
  [Call.ReleasePrizes]: onMatch(adminRoutes.release, writeReleases, Message.Releases),
  [Call.Ping]: call(socketRoutes.ping, Nothing, nothing, Message.Welcome, writeWelcome),
  [Call.FindInvited]: call(
    matchRoutes.invited,
    Invite,
    (table) => ({
      params: { match: String(table.matchId()) },
      body: { inviteCode: textOf(table.inviteCode()) },
    }),
    Message.Contests,
    writeOneContest,
  ),
  [Call.OpenGuest]: call(
    sandboxRoutes.openGuest,
    Named,
    (table) => ({ body: { role: textOf(table.name()) as "user" } }),
    Message.Session,
    writeSession,
    accessToken,
  ),
  [Call.PayInSandbox]: call(
    sandboxRoutes.pay,
    Named,
    (table) => ({ params: { order: textOf(table.name()) }, body: {} }),
    Message.Deposit,
    writeDeposit,
  ),
};
