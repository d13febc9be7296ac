import type { Slices } from "../../cluster/slices.ts";
import type { MatchId } from "../../domain/ids.ts";
import { SliceLoading, type SliceQuestions } from "./slice-questions.ts";

/** Where a slice of a match is asked. Throws `SliceLoading` while nobody is known to have it. */
export type AskSlice = (match: MatchId, slice: number) => SliceQuestions;

/** `peerOf`: how the owner of a slice is asked that is not this node's. */
export const sliceAsker =
  (slices: Pick<Slices, "owned">, local: SliceQuestions, peerOf: (slice: number) => SliceQuestions | null): AskSlice =>
  (matchId, slice) => {
    if (slices.owned.has(slice)) return local;
    const peer = peerOf(slice);
    if (peer === null) throw new SliceLoading({ matchId, slice }, "is nobody's for now");
    return peer;
  };
