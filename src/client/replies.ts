import type { Contest as ContestFacts } from "../domain/contest.ts";
import { type ContestId, type EntryId, type MatchId, type PlayerId, type TeamNo, type UserId } from "../domain/ids.ts";
import { teamOfEntry, userOfEntry } from "../domain/ids.ts";
import type { Match as MatchFacts } from "../domain/match.ts";
import type { Paise } from "../domain/money.ts";
import type { RosterDraft } from "../domain/roster.ts";
import type { Squad as SquadFacts } from "../domain/squad.ts";
import type {
  BoardPage as BoardPageFacts,
  CommentaryLine as CommentaryFacts,
  InclusionProof as InclusionProofFacts,
  PlayerBreakdown as PlayerBreakdownFacts,
  PrizeRelease,
  RankSample as RankSampleFacts,
  ReasonLine as ReasonFacts,
  TeamBreakdown as TeamBreakdownFacts,
} from "../edge/game.ts";
import type { ClientIn } from "../edge/socket/generated/powerplay/wire/client-in.ts";
import {
  Announced,
  Balance,
  BoardPage,
  Commentary,
  Commitment,
  type Contest,
  Contests,
  Entered,
  Entries,
  type Entry,
  InclusionProof,
  type Match,
  Matches,
  Multiplier,
  Payment,
  PlayerBreakdown,
  RankHistory,
  type ReasonLine,
  Refused,
  Releases,
  Retry,
  Session,
  Squad,
  TeamBreakdown,
  Teams,
  TeamSaved,
  WalletLines,
} from "../edge/socket/generated/wire_generated.ts";
import { textOf, textsOf } from "../edge/socket/read.ts";
import type { Deposit, Entry as EntryFacts, Withdrawal } from "../stores/catalog/port.ts";
import type { LedgerLine } from "../stores/ledger/port.ts";
import type { Refusal } from "./answer.ts";

/** What answers say, as the values that the node's own interfaces name. */
export type ContestInfo = Omit<ContestFacts, "inviteCode">;

export interface SessionInfo {
  readonly userId: UserId;
  readonly role: "user" | "admin";
}

/** To be kept by whoever wants to stay logged in. */
export interface SessionTokens extends SessionInfo {
  readonly userName: string;
  readonly accessToken: string;
  readonly accessExpiresAtMs: number;
  readonly refreshToken: string;
  readonly refreshExpiresAtMs: number;
}

export interface TeamInfo extends RosterDraft {
  readonly matchId: MatchId;
  readonly teamNo: TeamNo;
  readonly version: number;
  readonly savedAtMs: number;
}

export type TeamSavedInfo = Pick<TeamInfo, "matchId" | "teamNo" | "version" | "savedAtMs">;
export type EntryInfo = EntryFacts;
export type JoinInfo = EntryInfo & { readonly replayed: boolean };

interface Table {
  __init(at: number, buffer: never): unknown;
}

/** The message's table; its type was looked at before. */
export const tableOf = <T extends Table>(frame: ClientIn, table: new () => T): T => frame.message(new table()) as T;

const listOf = <T, U>(count: number, at: (index: number) => T | null, read: (item: T) => U): U[] =>
  Array.from({ length: count }, (_, index) => read(at(index)!));

const RETRIES = {
  [Retry.No]: "no",
  [Retry.Later]: "later",
  [Retry.AfterAuthentication]: "afterAuthentication",
} as const;

export function readRefusal(frame: ClientIn): Refusal {
  const refused = tableOf(frame, Refused);
  return {
    code: textOf(refused.code()),
    message: textOf(refused.message()),
    retry: RETRIES[refused.retry()] ?? "no",
    retryAfterMs: refused.retryAfterMs(),
    errors: listOf(
      refused.errorsLength(),
      (index) => refused.errors(index),
      (error) => {
        const code = textOf(error.code());
        const place = { field: textOf(error.field()), message: textOf(error.message()) };
        return code === "" ? place : { ...place, code };
      },
    ),
  };
}

export function readSessionInfo(frame: ClientIn): SessionInfo {
  const session = tableOf(frame, Session);
  return { userId: session.userId() as UserId, role: textOf(session.role()) as SessionInfo["role"] };
}

export function readSession(frame: ClientIn): SessionTokens {
  const session = tableOf(frame, Session);
  return {
    ...readSessionInfo(frame),
    userName: textOf(session.userName()),
    accessToken: textOf(session.accessToken()),
    accessExpiresAtMs: session.accessExpiresAtMs(),
    refreshToken: textOf(session.refreshToken()),
    refreshExpiresAtMs: session.refreshExpiresAtMs(),
  };
}

export function matchOf(match: Match): MatchFacts {
  const terms = match.terms()!;
  return {
    id: match.id() as MatchId,
    name: textOf(terms.name()),
    sides: [textOf(terms.side0()), textOf(terms.side1())],
    format: textOf(terms.format()) as MatchFacts["format"],
    startMs: terms.startMs(),
    state: textOf(match.state()) as MatchFacts["state"],
    scoringRules: textOf(terms.scoringRules()),
    rosterRules: textOf(terms.rosterRules()),
  };
}

export function readMatches(frame: ClientIn): MatchFacts[] {
  const matches = tableOf(frame, Matches);
  return listOf(matches.matchesLength(), (index) => matches.matches(index), matchOf);
}

export const readMatch = (frame: ClientIn): MatchFacts => readMatches(frame)[0]!;

const ANNOUNCED = { [Announced.Unknown]: null, [Announced.Playing]: true, [Announced.NotPlaying]: false };

export function readSquad(frame: ClientIn): SquadFacts {
  const squad = tableOf(frame, Squad);
  const players = listOf(
    squad.playersLength(),
    (index) => squad.players(index),
    (player) => ({
      id: textOf(player.id()) as PlayerId,
      name: textOf(player.name()),
      side: player.side() as 0 | 1,
      role: textOf(player.role()) as SquadFacts["players"][number]["role"],
      creditsTenths: player.creditsTenths(),
      announced: ANNOUNCED[player.announced()],
    }),
  );
  return { players };
}

export function contestOf(contest: Contest): ContestInfo {
  const terms = contest.terms()!;
  const shares = terms.prizesAreShares();
  return {
    id: contest.id() as ContestId,
    state: textOf(contest.state()) as ContestInfo["state"],
    seatsTaken: contest.seatsTaken(),
    matchId: terms.matchId() as MatchId,
    kind: textOf(terms.kind()) as ContestInfo["kind"],
    name: textOf(terms.name()),
    entryFeePaise: terms.entryFeePaise() as Paise,
    entriesMax: terms.entriesMax(),
    entriesPerUserMax: terms.entriesPerUserMax(),
    prizePoolPaise: terms.prizePoolPaise() as Paise,
    prizes: listOf(
      terms.prizesLength(),
      (index) => terms.prizes(index),
      (band) => {
        const ranks = { fromRank: band.fromRank(), toRank: band.toRank() };
        return shares ? { ...ranks, shareBps: band.value() } : { ...ranks, amountPaise: band.value() as Paise };
      },
    ),
    guaranteed: terms.guaranteed(),
  };
}

export function readContests(frame: ClientIn): ContestInfo[] {
  const contests = tableOf(frame, Contests);
  return listOf(contests.contestsLength(), (index) => contests.contests(index), contestOf);
}

export const readContest = (frame: ClientIn): ContestInfo => readContests(frame)[0]!;

export function readTeamSaved(frame: ClientIn): TeamSavedInfo {
  const team = tableOf(frame, TeamSaved);
  return {
    matchId: team.matchId() as MatchId,
    teamNo: team.teamNo() as TeamNo,
    version: team.version(),
    savedAtMs: team.savedAtMs(),
  };
}

export function readTeams(frame: ClientIn): TeamInfo[] {
  const teams = tableOf(frame, Teams);
  return listOf(
    teams.teamsLength(),
    (index) => teams.teams(index),
    (team) => {
      const players = textsOf(team.playersLength(), (index) => team.players(index)) as PlayerId[];
      return {
        matchId: team.matchId() as MatchId,
        teamNo: team.teamNo() as TeamNo,
        version: team.version(),
        savedAtMs: team.savedAtMs(),
        players,
        captain: players[0]!,
        viceCaptain: players[1]!,
      };
    },
  );
}

const entryOf = (entry: Entry): EntryInfo => ({
  contestId: entry.contestId() as ContestId,
  matchId: entry.matchId() as MatchId,
  entryId: entry.entryId() as EntryId,
  feePaise: entry.feePaise() as Paise,
  joinedAtMs: entry.joinedAtMs(),
});

export function readEntered(frame: ClientIn): JoinInfo {
  const entered = tableOf(frame, Entered);
  return { ...entryOf(entered.entry()!), replayed: entered.replayed() };
}

export function readEntries(frame: ClientIn): EntryInfo[] {
  const entries = tableOf(frame, Entries);
  return listOf(entries.entriesLength(), (index) => entries.entries(index), entryOf);
}

export const readBalance = (frame: ClientIn): Paise => tableOf(frame, Balance).paise() as Paise;

export function readWalletLines(frame: ClientIn): LedgerLine[] {
  const lines = tableOf(frame, WalletLines);
  return listOf(
    lines.linesLength(),
    (index) => lines.lines(index),
    (line) => ({
      seq: line.seq(),
      txnId: textOf(line.txnId()),
      kind: textOf(line.kind()) as LedgerLine["kind"],
      ref: textOf(line.ref()),
      atMs: line.atMs(),
      amountPaise: line.amountPaise() as Paise,
      balanceAfterPaise: line.balanceAfterPaise() as Paise,
    }),
  );
}

const paymentOf = (payment: Payment) => ({
  userId: payment.userId() as UserId,
  amountPaise: payment.amountPaise() as Paise,
  createdAtMs: payment.createdAtMs(),
});

export function readDeposit(frame: ClientIn): Deposit {
  const payment = tableOf(frame, Payment);
  return {
    ...paymentOf(payment),
    orderId: textOf(payment.id()),
    state: textOf(payment.state()) as Deposit["state"],
    providerOrderId: payment.providerId(),
    paymentId: payment.paymentId(),
  };
}

export function readWithdrawal(frame: ClientIn): Withdrawal {
  const payment = tableOf(frame, Payment);
  return {
    ...paymentOf(payment),
    withdrawalId: textOf(payment.id()),
    state: textOf(payment.state()) as Withdrawal["state"],
    providerPayoutId: payment.providerId(),
  };
}

export function readBoardPage(frame: ClientIn): BoardPageFacts {
  const page = tableOf(frame, BoardPage);
  return {
    contestId: page.contestId() as ContestId,
    pointsVersion: page.pointsVersion(),
    entryCount: page.entryCount(),
    rows: listOf(
      page.rowsLength(),
      (index) => page.rows(index),
      (row) => {
        const entryId = row.entryId() as EntryId;
        return {
          rank: row.rank(),
          entryId,
          userId: userOfEntry(entryId),
          userName: textOf(row.userName()),
          teamNo: teamOfEntry(entryId),
          scoreQp: row.scoreQp(),
          prizePaise: row.prizePaise() as Paise,
        };
      },
    ),
  };
}

export function readRankHistory(frame: ClientIn): RankSampleFacts[] {
  const history = tableOf(frame, RankHistory);
  return listOf(
    history.samplesLength(),
    (index) => history.samples(index),
    (sample) => ({ atMs: sample.atMs(), rank: sample.rank(), scoreQp: sample.scoreQp() }),
  );
}

const MULTIPLIERS = {
  [Multiplier.None]: "none",
  [Multiplier.Captain]: "captain",
  [Multiplier.ViceCaptain]: "vice_captain",
} as const;

export function readTeamBreakdown(frame: ClientIn): TeamBreakdownFacts {
  const team = tableOf(frame, TeamBreakdown);
  return {
    entryId: team.entryId() as EntryId,
    scoreQp: team.scoreQp(),
    pointsVersion: team.pointsVersion(),
    players: listOf(
      team.playersLength(),
      (index) => team.players(index),
      (player) => ({
        playerId: textOf(player.playerId()) as PlayerId,
        multiplier: MULTIPLIERS[player.multiplier()],
        pointsQp: player.pointsQp(),
        contributionQp: player.contributionQp(),
      }),
    ),
  };
}

const reasonOf = (reason: ReasonLine): ReasonFacts => ({
  playerId: textOf(reason.playerId()) as PlayerId,
  eventId: textOf(reason.eventId()),
  rule: textOf(reason.rule()),
  pointsQp: reason.pointsQp(),
  provisional: reason.provisional(),
});

export function readPlayerBreakdown(frame: ClientIn): PlayerBreakdownFacts {
  const player = tableOf(frame, PlayerBreakdown);
  return {
    playerId: textOf(player.playerId()) as PlayerId,
    pointsQp: player.pointsQp(),
    reasons: listOf(player.reasonsLength(), (index) => player.reasons(index), reasonOf),
  };
}

export function readCommentary(frame: ClientIn): CommentaryFacts[] {
  const commentary = tableOf(frame, Commentary);
  return listOf(
    commentary.linesLength(),
    (index) => commentary.lines(index),
    (line) => ({
      eventId: textOf(line.eventId()),
      atMs: line.atMs(),
      text: textOf(line.text()),
      reasons: listOf(line.reasonsLength(), (index) => line.reasons(index), reasonOf),
    }),
  );
}

export function readCommitment(frame: ClientIn): { readonly rootHex: string; readonly leafCount: number } {
  const commitment = tableOf(frame, Commitment);
  return { rootHex: textOf(commitment.rootHex()), leafCount: commitment.leafCount() };
}

export function readInclusionProof(frame: ClientIn): InclusionProofFacts {
  const proof = tableOf(frame, InclusionProof);
  return {
    entryId: proof.entryId() as EntryId,
    rosterHex: textOf(proof.rosterHex()),
    leafIndex: proof.leafIndex(),
    leafCount: proof.leafCount(),
    siblingsHex: textsOf(proof.siblingsHexLength(), (index) => proof.siblingsHex(index)),
    slice: proof.slice(),
    slices: listOf(
      proof.slicesLength(),
      (index) => proof.slices(index),
      (root) => ({ rootHex: textOf(root.rootHex()), teamCount: root.teamCount() }),
    ),
    rootHex: textOf(proof.rootHex()),
  };
}

export function readReleases(frame: ClientIn): PrizeRelease {
  const releases = tableOf(frame, Releases);
  const contests = listOf(
    releases.contestsLength(),
    (index) => releases.contests(index),
    (release) => ({
      contestId: release.contestId() as ContestId,
      outcome: textOf(release.outcome()) as "settled" | "refunded",
      entryCount: release.entryCount(),
      paidPaise: release.paidPaise() as Paise,
    }),
  );
  return { contests };
}
