import type { FieldFault } from "../field-fault.ts";
import type { PointsQp, PointsVector } from "../points.ts";
import type { Squad } from "../squad.ts";

/** What the engine needs to know about any sport's feed event: the rest is between the sport and its provider. */
export interface SportEvent {
  readonly id: string;
  readonly version: number;
  readonly atMs: number;
}

/** A sport brings its feed, its rules and a fold; boards, contests and money know nothing but pool indices and points. */
export interface Sport<Event extends SportEvent = SportEvent> {
  readonly name: string;
  /** Names of the published points systems that a match can be created with. */
  readonly scoringRules: readonly string[];
  parseEvent(json: unknown): ParsedEvent<Event>;
  /** JSON schema of a feed event. */
  eventJsonSchema(): object;
  /** `rulesName` is one of `scoringRules`. */
  openScore(rulesName: string, squad: Squad): MatchScore<Event>;
}

export type ParsedEvent<Event> =
  { readonly ok: true; readonly event: Event } | { readonly ok: false; readonly faults: readonly FieldFault[] };

/**
 * The points of one match. The law: the state depends on the highest version of each event alone, not on the order, the
 * duplicates or the corrections that led there.
 */
export interface MatchScore<Event extends SportEvent = SportEvent> {
  apply(event: Event): Applied;
  /** A copy. */
  points(): PointsVector;
  pointsOf(poolIndex: number): PointsQp;
  /** Why every player has his points, in the order of play; the lines of a player add up to his points. */
  reasons(): ReasonLine[];
  /** The highest version of every event that counts, in the order of play. */
  events(): Event[];
}

export type Applied =
  | {
      readonly applied: true;
      readonly changed: readonly PointsChange[];
      /** What this event changed, by rule: the live commentary. For a correction, the difference that it made. */
      readonly reasons: readonly ReasonLine[];
    }
  /** A duplicate, or older than what is known: nothing changed. */
  | { readonly applied: false; readonly refusal: "superseded" }
  | { readonly applied: false; readonly refusal: "player_unknown"; readonly faults: readonly FieldFault[] };

export interface PointsChange {
  readonly poolIndex: number;
  readonly oldQp: PointsQp;
  readonly newQp: PointsQp;
}

/** Why a player's points moved: by how much, at which event, by which rule. */
export interface ReasonLine {
  readonly poolIndex: number;
  readonly eventId: string;
  readonly rule: string;
  readonly qp: PointsQp;
  /** The rule follows a rate that may still move; see the sport's rules. */
  readonly provisional: boolean;
}
