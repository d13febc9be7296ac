import type { Builder, Offset } from "flatbuffers";
import type { ContestTerms as ContestTermsFacts } from "../../domain/contest.ts";
import { ContestTerms } from "./generated/powerplay/wire/contest-terms.ts";
import { PrizeBand } from "./generated/powerplay/wire/prize-band.ts";

/** The terms of a contest, as an administrator asks for them and as everybody is told. `inviteCode`: 0 for none. */
export function writeContestTerms(
  builder: Builder,
  terms: Omit<ContestTermsFacts, "inviteCode">,
  inviteCode: Offset,
): Offset {
  ContestTerms.startPrizesVector(builder, terms.prizes.length);
  for (const band of terms.prizes.toReversed()) {
    const value = "shareBps" in band ? band.shareBps : band.amountPaise;
    PrizeBand.createPrizeBand(builder, band.fromRank, band.toRank, value);
  }
  const prizes = builder.endVector();
  return ContestTerms.createContestTerms(
    builder,
    terms.matchId,
    builder.createSharedString(terms.kind),
    builder.createString(terms.name),
    terms.entryFeePaise,
    terms.entriesMax,
    terms.entriesPerUserMax,
    terms.prizePoolPaise,
    prizes,
    terms.prizes.some((band) => "shareBps" in band),
    terms.guaranteed,
    inviteCode,
  );
}
