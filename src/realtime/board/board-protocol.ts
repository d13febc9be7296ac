import type { ContestId, EntryId } from "../../domain/ids.ts";
import type { PointsQp, PointsVector } from "../../domain/points.ts";
import type { BoardIdentity } from "./shared-memory.ts";
import type { CompactBoard } from "./compact-standing.ts";
import type { Generation } from "./standings-file.ts";
import type { RankedEntry } from "./standing.ts";

/** What the engine asks of its workers. */
export type BoardRequest =
  | { readonly kind: "start"; readonly settings: WorkerSettings }
  /** `owner`: the one that runs passes; it checks every byte of the board. */
  | { readonly kind: "attach"; readonly identity: BoardIdentity; readonly owner: boolean }
  | { readonly kind: "detach"; readonly identity: BoardIdentity; readonly remove: boolean }
  | { readonly kind: "rescore"; readonly identity: BoardIdentity; readonly generation: Generation }
  | {
      readonly kind: "page";
      readonly identity: BoardIdentity;
      readonly contestId: ContestId;
      readonly place: number;
      readonly count: number;
    }
  | {
      readonly kind: "neighbours";
      readonly identity: BoardIdentity;
      readonly contestId: ContestId;
      readonly entryId: EntryId;
      readonly radius: number;
    }
  | { readonly kind: "compact"; readonly identity: BoardIdentity; readonly entryCountMin: number }
  | ({ readonly kind: "countsAbove"; readonly asked: readonly ScoreUnder[] } & OfContest)
  | ({ readonly kind: "compactUnder"; readonly points: readonly PointsVector[] } & OfContest)
  | ({ readonly kind: "standingUnder"; readonly points: PointsVector } & OfContest)
  | ({ readonly kind: "entries"; readonly range: EntryRange } & OfContest)
  | ({ readonly kind: "ranked"; readonly range: PlaceRange } & OfContest)
  | ({ readonly kind: "countTied"; readonly tie: ScoreUnder; readonly below: readonly number[] } & OfContest);

interface OfContest {
  readonly identity: BoardIdentity;
  readonly contestId: ContestId;
}

/** A score, and the points under which others are compared with it: those of any ball. */
export interface ScoreUnder {
  readonly points: PointsVector;
  readonly scoreQp: PointsQp;
}

/** Entries that score from `minQp` to `maxQp` under these points, by id from `fromEntry` on; at most `limit`. */
export interface EntryRange {
  readonly points: PointsVector;
  readonly minQp: PointsQp;
  readonly maxQp: PointsQp;
  readonly fromEntry: number;
  readonly limit: number;
}

/** Up to `count` entries from a 0-based place of the total order on. */
export interface PlaceRange {
  readonly points: PointsVector;
  /** Bytes of the contest's `Standing` under these points. */
  readonly standing: Uint8Array;
  readonly place: number;
  readonly count: number;
}

/** In ascending order of id, or in total order where places were asked for. */
export interface ScoredEntries {
  readonly entryIds: Float64Array;
  readonly scoresQp: Int16Array;
}

/** Entries in total order, and the points version that the order is of. */
export interface RankedPage {
  readonly pointsVersion: number;
  readonly entryCount: number;
  readonly entries: readonly RankedEntry[];
}

export interface BoardAnswers {
  /** `note`: why the slow kernel serves, if it does. */
  start: { readonly kernelName: string; readonly note: string | null };
  attach: { readonly ok: true } | { readonly ok: false; readonly reason: string };
  detach: null;
  rescore: { readonly passMs: number };
  /** null: no such contest, or nothing published yet. */
  page: RankedPage | null;
  neighbours: RankedPage | null;
  /** undefined: a pass was published meanwhile, or none yet. */
  compact: CompactBoard | undefined;
  /** How many entries of the contest score more, by position. */
  countsAbove: readonly number[];
  /** By position (compact-standing.ts). */
  compactUnder: readonly Uint8Array[];
  /** The bytes of a `Standing`. */
  standingUnder: Uint8Array;
  entries: ScoredEntries;
  ranked: ScoredEntries;
  /** How many entries tied at the score have a lower id than each of `below`. */
  countTied: readonly number[];
}

export interface WorkerSettings {
  readonly directory: string;
  readonly libraryPath: string | undefined;
  readonly threads: number | undefined;
}
