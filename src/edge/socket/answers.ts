import type { Builder, Offset } from "flatbuffers";
import type { Contest as ContestFacts } from "../../domain/contest.ts";
import type { Match as MatchFacts } from "../../domain/match.ts";
import { QP_PER_POINT } from "../../domain/points.ts";
import type { Player as PlayerFacts, Squad as SquadFacts } from "../../domain/squad.ts";
import type { PrizeRelease } from "../game.ts";
import type { Problem } from "../problem.ts";
import { writeContestTerms } from "./contest-terms.ts";
import type { socketRoutes } from "./own-routes.ts";
import type { contestRoutes } from "../routes/contests.ts";
import type { leaderboardRoutes } from "../routes/leaderboards.ts";
import type { matchRoutes } from "../routes/matches.ts";
import type { pointsRoutes } from "../routes/points.ts";
import type { sessionRoutes } from "../routes/sessions.ts";
import type { teamRoutes } from "../routes/teams.ts";
import type { walletRoutes } from "../routes/wallet.ts";
import { structVector } from "./frame-writer.ts";
import {
  Announced,
  Balance,
  BoardPage,
  BoardRow,
  Commentary,
  CommentaryLine,
  Commitment,
  Contest,
  Contests,
  Entered,
  Entries,
  Entry,
  FieldError,
  InclusionProof,
  Match,
  Matches,
  MatchTerms,
  Multiplier,
  Nothing,
  Payment,
  Player,
  PlayerBreakdown,
  RankHistory,
  RankSample,
  ReasonLine,
  Refused,
  Release,
  Releases,
  SliceRoot,
  Retry,
  Session,
  Squad,
  Team,
  TeamBreakdown,
  TeamPlayer,
  Teams,
  TeamSaved,
  WalletLine,
  WalletLines,
  Welcome,
} from "./generated/wire_generated.ts";

/** What a route answers, written as the wire's tables. Each function writes one table and returns its place. */
type JsonOf<Route extends { readonly types?: { readonly json: unknown } }> = NonNullable<Route["types"]>["json"];

const qp = (points: number): number => points * QP_PER_POINT;

export const writeWelcome = (builder: Builder, { nowMs, sandbox }: JsonOf<typeof socketRoutes.ping>): Offset =>
  Welcome.createWelcome(builder, nowMs, sandbox);

export const writeDone = (builder: Builder): Offset => Nothing.createNothing(builder);

const RETRY_BY_STATUS: Readonly<Record<number, Retry>> = {
  401: Retry.AfterAuthentication,
  429: Retry.Later,
  503: Retry.Later,
};

export function writeRefused(builder: Builder, problem: Problem): Offset {
  const { code, detail, status, retryAfterMs } = problem;
  const errors = problem.errors.map((error) =>
    FieldError.createFieldError(
      builder,
      builder.createSharedString(error.field),
      builder.createSharedString(error.code ?? ""),
      builder.createString(error.message),
    ),
  );
  // A wrong password stays wrong.
  const retry = code === "bad_credentials" ? Retry.No : (RETRY_BY_STATUS[status] ?? Retry.No);
  return Refused.createRefused(
    builder,
    builder.createString(code),
    builder.createString(detail),
    retry,
    Math.ceil(retryAfterMs ?? 0),
    errors.length === 0 ? 0 : Refused.createErrorsVector(builder, errors),
  );
}

export function writeSession(builder: Builder, session: JsonOf<typeof sessionRoutes.logIn>): Offset {
  return Session.createSession(
    builder,
    session.userId,
    builder.createString(session.role),
    builder.createString(session.accessToken),
    session.accessExpiresAtMs,
    builder.createString(session.refreshToken),
    session.refreshExpiresAtMs,
    builder.createString(session.userName),
  );
}

export function writeCaller(builder: Builder, caller: { readonly userId: number; readonly role: string }): Offset {
  return Session.createSession(builder, caller.userId, builder.createString(caller.role), 0, 0, 0, 0, 0);
}

export function writeMatch(builder: Builder, match: MatchFacts): Offset {
  const terms = MatchTerms.createMatchTerms(
    builder,
    builder.createString(match.name),
    builder.createSharedString(match.sides[0]),
    builder.createSharedString(match.sides[1]),
    builder.createSharedString(match.format),
    match.startMs,
    builder.createSharedString(match.scoringRules),
    builder.createSharedString(match.rosterRules),
  );
  const state = builder.createSharedString(match.state);
  Match.startMatch(builder);
  Match.addId(builder, match.id);
  Match.addState(builder, state);
  Match.addTerms(builder, terms);
  return Match.endMatch(builder);
}

export function writeMatches(builder: Builder, { matches }: JsonOf<typeof matchRoutes.list>): Offset {
  const offsets = matches.map((match) => writeMatch(builder, match));
  return Matches.createMatches(builder, Matches.createMatchesVector(builder, offsets));
}

export const writeOneMatch = (builder: Builder, match: MatchFacts): Offset =>
  writeMatches(builder, { matches: [match] });

const announcedOf = (announced: PlayerFacts["announced"]): Announced =>
  announced === null ? Announced.Unknown : announced ? Announced.Playing : Announced.NotPlaying;

export function writeSquad(builder: Builder, { players }: SquadFacts): Offset {
  const offsets = players.map((player) =>
    Player.createPlayer(
      builder,
      builder.createString(player.id),
      builder.createString(player.name),
      builder.createSharedString(player.role),
      player.side,
      player.creditsTenths,
      announcedOf(player.announced),
    ),
  );
  return Squad.createSquad(builder, Squad.createPlayersVector(builder, offsets));
}

export function writeContest(builder: Builder, contest: Omit<ContestFacts, "inviteCode">): Offset {
  const terms = writeContestTerms(builder, contest, 0);
  const state = builder.createSharedString(contest.state);
  Contest.startContest(builder);
  Contest.addId(builder, contest.id);
  Contest.addState(builder, state);
  Contest.addSeatsTaken(builder, contest.seatsTaken);
  Contest.addTerms(builder, terms);
  return Contest.endContest(builder);
}

export function writeContests(builder: Builder, { contests }: JsonOf<typeof matchRoutes.contests>): Offset {
  const offsets = contests.map((contest) => writeContest(builder, contest));
  return Contests.createContests(builder, Contests.createContestsVector(builder, offsets));
}

export const writeOneContest = (builder: Builder, contest: JsonOf<typeof matchRoutes.invited>): Offset =>
  writeContests(builder, { contests: [contest] });

export function writeTeamSaved(builder: Builder, team: JsonOf<typeof teamRoutes.save>): Offset {
  return TeamSaved.createTeamSaved(builder, team.matchId, team.teamNo, team.version, team.savedAtMs);
}

export function writeTeams(builder: Builder, teams: JsonOf<typeof teamRoutes.list>["teams"]): Offset {
  const offsets = teams.map(({ matchId, teamNo, version, savedAtMs, players }) => {
    const ids = players.map((player) => builder.createSharedString(player));
    return Team.createTeam(builder, matchId, teamNo, version, savedAtMs, Team.createPlayersVector(builder, ids));
  });
  return Teams.createTeams(builder, Teams.createTeamsVector(builder, offsets));
}

type EntryFacts = JsonOf<typeof contestRoutes.entries>["entries"][number];

const writeEntry = (builder: Builder, entry: EntryFacts): Offset =>
  Entry.createEntry(builder, entry.contestId, entry.matchId, entry.entryId, entry.feePaise, entry.joinedAtMs);

export function writeEntered(builder: Builder, entered: JsonOf<typeof contestRoutes.join>): Offset {
  Entered.startEntered(builder);
  Entered.addEntry(builder, writeEntry(builder, entered));
  Entered.addReplayed(builder, entered.replayed);
  return Entered.endEntered(builder);
}

export function writeEntries(builder: Builder, { entries }: JsonOf<typeof contestRoutes.entries>): Offset {
  const vector = structVector(builder, Entries.startEntriesVector, entries, (entry) => writeEntry(builder, entry));
  return Entries.createEntries(builder, vector);
}

export const writeBalance = (builder: Builder, { balancePaise }: JsonOf<typeof walletRoutes.balance>): Offset =>
  Balance.createBalance(builder, balancePaise);

export function writeWalletLines(builder: Builder, { lines }: JsonOf<typeof walletRoutes.history>): Offset {
  const offsets = lines.map((line) =>
    WalletLine.createWalletLine(
      builder,
      line.seq,
      builder.createString(line.txnId),
      builder.createSharedString(line.kind),
      builder.createSharedString(line.ref),
      line.atMs,
      line.amountPaise,
      line.balanceAfterPaise,
    ),
  );
  return WalletLines.createWalletLines(builder, WalletLines.createLinesVector(builder, offsets));
}

interface PaymentFacts {
  readonly userId: number;
  readonly amountPaise: number;
  readonly state: string;
  readonly createdAtMs: number;
}

const writePayment = (
  builder: Builder,
  payment: PaymentFacts,
  id: string,
  providerId: string | null,
  paymentId: string | null,
): Offset =>
  Payment.createPayment(
    builder,
    builder.createString(id),
    payment.userId,
    payment.amountPaise,
    builder.createString(payment.state),
    payment.createdAtMs,
    providerId === null ? 0 : builder.createString(providerId),
    paymentId === null ? 0 : builder.createString(paymentId),
  );

export const writeDeposit = (builder: Builder, deposit: JsonOf<typeof walletRoutes.deposit>): Offset =>
  writePayment(builder, deposit, deposit.orderId, deposit.providerOrderId, deposit.paymentId);

export const writeWithdrawal = (builder: Builder, withdrawal: JsonOf<typeof walletRoutes.withdraw>): Offset =>
  writePayment(builder, withdrawal, withdrawal.withdrawalId, withdrawal.providerPayoutId, null);

export function writeBoardPage(builder: Builder, page: JsonOf<typeof leaderboardRoutes.page>): Offset {
  const offsets = page.rows.map((row) =>
    BoardRow.createBoardRow(
      builder,
      row.rank,
      row.entryId,
      builder.createSharedString(row.userName),
      qp(row.points),
      row.prizePaise,
    ),
  );
  const rows = BoardPage.createRowsVector(builder, offsets);
  return BoardPage.createBoardPage(builder, page.contestId, page.pointsVersion, page.entryCount, rows);
}

export function writeRankHistory(builder: Builder, { samples }: JsonOf<typeof leaderboardRoutes.rankHistory>): Offset {
  const vector = structVector(builder, RankHistory.startSamplesVector, samples, ({ atMs, rank, points }) =>
    RankSample.createRankSample(builder, atMs, rank, qp(points)),
  );
  return RankHistory.createRankHistory(builder, vector);
}

const MULTIPLIERS = {
  none: Multiplier.None,
  captain: Multiplier.Captain,
  vice_captain: Multiplier.ViceCaptain,
} as const;

export function writeTeamBreakdown(builder: Builder, team: JsonOf<typeof pointsRoutes.team>): Offset {
  const offsets = team.players.map(({ playerId, multiplier, points, contribution }) =>
    TeamPlayer.createTeamPlayer(
      builder,
      builder.createString(playerId),
      MULTIPLIERS[multiplier],
      qp(points),
      qp(contribution),
    ),
  );
  const players = TeamBreakdown.createPlayersVector(builder, offsets);
  return TeamBreakdown.createTeamBreakdown(builder, team.entryId, qp(team.points), team.pointsVersion, players);
}

type ReasonFacts = JsonOf<typeof pointsRoutes.player>["reasons"][number];

const writeReasonLine = (builder: Builder, reason: ReasonFacts): Offset =>
  ReasonLine.createReasonLine(
    builder,
    builder.createSharedString(reason.playerId),
    builder.createSharedString(reason.eventId),
    builder.createSharedString(reason.rule),
    qp(reason.points),
    reason.provisional,
  );

export function writePlayerBreakdown(builder: Builder, player: JsonOf<typeof pointsRoutes.player>): Offset {
  const id = builder.createSharedString(player.playerId);
  const offsets = player.reasons.map((reason) => writeReasonLine(builder, reason));
  const reasons = PlayerBreakdown.createReasonsVector(builder, offsets);
  return PlayerBreakdown.createPlayerBreakdown(builder, id, qp(player.points), reasons);
}

export function writeCommentary(builder: Builder, { lines }: JsonOf<typeof pointsRoutes.commentary>): Offset {
  const offsets = lines.map(({ eventId, atMs, text, reasons }) => {
    const reasonOffsets = reasons.map((reason) => writeReasonLine(builder, reason));
    return CommentaryLine.createCommentaryLine(
      builder,
      builder.createSharedString(eventId),
      atMs,
      builder.createString(text),
      CommentaryLine.createReasonsVector(builder, reasonOffsets),
    );
  });
  return Commentary.createCommentary(builder, Commentary.createLinesVector(builder, offsets));
}

export const writeCommitment = (builder: Builder, root: JsonOf<typeof pointsRoutes.commitment>): Offset =>
  Commitment.createCommitment(builder, builder.createString(root.rootHex), root.leafCount);

export function writeInclusionProof(builder: Builder, proof: JsonOf<typeof pointsRoutes.proof>): Offset {
  const siblings = proof.siblingsHex.map((sibling) => builder.createString(sibling));
  const slices = proof.slices.map(({ rootHex, teamCount }) =>
    SliceRoot.createSliceRoot(builder, builder.createString(rootHex), teamCount),
  );
  return InclusionProof.createInclusionProof(
    builder,
    proof.entryId,
    builder.createString(proof.rosterHex),
    proof.leafIndex,
    proof.leafCount,
    InclusionProof.createSiblingsHexVector(builder, siblings),
    builder.createString(proof.rootHex),
    proof.slice,
    InclusionProof.createSlicesVector(builder, slices),
  );
}

export function writeReleases(builder: Builder, { contests }: PrizeRelease): Offset {
  const offsets = contests.map(({ contestId, outcome, entryCount, paidPaise }) => {
    const name = builder.createSharedString(outcome);
    return Release.createRelease(builder, contestId, name, entryCount, paidPaise);
  });
  return Releases.createReleases(builder, Releases.createContestsVector(builder, offsets));
}
