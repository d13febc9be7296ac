/** The client of a Powerplay node, for browsers and Bun. */
export type { Answer, Refusal, RetryAdvice } from "./answer.ts";
export { type ClientOptions, PowerplayClient } from "./client.ts";
export type { ConnectionState } from "./connection.ts";
export type { ContestView, OwnRow, TopRow } from "./contest-stream.ts";
export type { Follow } from "./follow.ts";
export { type InclusionProof, verifyInclusion } from "./inclusion-proof.ts";
export type { BallLine, InningsLine, MatchView } from "./match-stream.ts";
export type {
  ContestInfo,
  EntryInfo,
  JoinInfo,
  SessionInfo,
  SessionTokens,
  TeamInfo,
  TeamSavedInfo,
} from "./replies.ts";
export { checkRoster, ROSTER_RULES } from "../domain/roster.ts";
