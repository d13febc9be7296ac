import { Builder, type Offset } from "flatbuffers";
import type { ContestTerms as ContestTermsFacts } from "../domain/contest.ts";
import type { Match } from "../domain/match.ts";
import type { Squad } from "../domain/squad.ts";
import { writeContestTerms } from "../edge/socket/contest-terms.ts";
import { ClientOut } from "../edge/socket/generated/powerplay/wire/client-out.ts";
import {
  Amount,
  Announced,
  type Call,
  Credentials,
  Follow,
  HistoryPage,
  Invite,
  Join,
  LastOf,
  MatchTerms,
  Named,
  Nothing,
  Of,
  OfEntry,
  OfPlayer,
  OfTeam,
  PageOf,
  Player,
  PlayersOf,
  SaveTeam,
  SquadOf,
  Token,
} from "../edge/socket/generated/wire_generated.ts";

/** Writes the table of a call and answers its place. */
export type WriteTable = (builder: Builder) => Offset;

const builder = new Builder(256);

/** The frame of one call. */
export function writeCall(call: Call, requestId: number, write: WriteTable): Uint8Array {
  builder.clear();
  const table = write(builder);
  ClientOut.startClientOut(builder);
  ClientOut.addCallType(builder, call);
  ClientOut.addCall(builder, table);
  ClientOut.addRequestId(builder, requestId);
  builder.finish(ClientOut.endClientOut(builder));
  return builder.asUint8Array().slice();
}

const optional = (builder: Builder, value: string | null | undefined): Offset =>
  value === null || value === undefined ? 0 : builder.createString(value);

export const nothing: WriteTable = (builder) => Nothing.createNothing(builder);

export const of =
  (id: number): WriteTable =>
  (builder) =>
    Of.createOf(builder, id);

export const token =
  (value: string): WriteTable =>
  (builder) =>
    Token.createToken(builder, builder.createString(value));

export const credentials =
  (name: string, password: string): WriteTable =>
  (builder) =>
    Credentials.createCredentials(builder, builder.createString(name), builder.createString(password));

export const saveTeam =
  (matchId: number, teamNo: number, roster: readonly number[] | Uint8Array): WriteTable =>
  (builder) =>
    SaveTeam.createSaveTeam(builder, matchId, teamNo, builder.createByteVector(Uint8Array.from(roster)));

export const ofTeam =
  (matchId: number, teamNo: number): WriteTable =>
  (builder) =>
    OfTeam.createOfTeam(builder, matchId, teamNo);

export const join =
  (contestId: number, teamNo: number, idempotencyKey: string, inviteCode?: string): WriteTable =>
  (builder) =>
    Join.createJoin(builder, contestId, teamNo, builder.createString(idempotencyKey), optional(builder, inviteCode));

export const invite =
  (matchId: number, inviteCode: string): WriteTable =>
  (builder) =>
    Invite.createInvite(builder, matchId, builder.createString(inviteCode));

export const historyPage =
  (beforeSeq: number, limit: number): WriteTable =>
  (builder) =>
    HistoryPage.createHistoryPage(builder, beforeSeq, limit);

export const amount =
  (paise: number, idempotencyKey: string): WriteTable =>
  (builder) =>
    Amount.createAmount(builder, paise, builder.createString(idempotencyKey));

export const named =
  (name: string): WriteTable =>
  (builder) =>
    Named.createNamed(builder, builder.createString(name));

export const pageOf =
  (contestId: number, fromRank: number, count: number): WriteTable =>
  (builder) =>
    PageOf.createPageOf(builder, contestId, fromRank, count);

export const ofEntry =
  (id: number, entryId: number, radius = 0): WriteTable =>
  (builder) =>
    OfEntry.createOfEntry(builder, id, entryId, radius);

export const ofPlayer =
  (matchId: number, playerId: string): WriteTable =>
  (builder) =>
    OfPlayer.createOfPlayer(builder, matchId, builder.createString(playerId));

export const lastOf =
  (matchId: number, count: number): WriteTable =>
  (builder) =>
    LastOf.createLastOf(builder, matchId, count);

export const follow =
  (id: number, epoch: number, offset: number): WriteTable =>
  (builder) =>
    Follow.createFollow(builder, id, epoch, offset);

export const matchTerms =
  (match: Omit<Match, "id" | "state">): WriteTable =>
  (builder) =>
    MatchTerms.createMatchTerms(
      builder,
      builder.createString(match.name),
      builder.createString(match.sides[0]),
      builder.createString(match.sides[1]),
      builder.createString(match.format),
      match.startMs,
      builder.createString(match.scoringRules),
      builder.createString(match.rosterRules),
    );

export const squadOf =
  (matchId: number, { players }: Squad): WriteTable =>
  (builder) => {
    const offsets = players.map((player) =>
      Player.createPlayer(
        builder,
        builder.createString(player.id),
        builder.createString(player.name),
        builder.createString(player.role),
        player.side,
        player.creditsTenths,
        player.announced === null ? Announced.Unknown : player.announced ? Announced.Playing : Announced.NotPlaying,
      ),
    );
    return SquadOf.createSquadOf(builder, matchId, SquadOf.createPlayersVector(builder, offsets));
  };

export const playersOf =
  (matchId: number, players: readonly string[]): WriteTable =>
  (builder) => {
    const offsets = players.map((player) => builder.createString(player));
    return PlayersOf.createPlayersOf(builder, matchId, PlayersOf.createPlayersVector(builder, offsets));
  };

export const contestTerms =
  (terms: ContestTermsFacts): WriteTable =>
  (builder) =>
    writeContestTerms(builder, terms, optional(builder, terms.inviteCode));
