import type { Player } from "../domain/squad.ts";
import type { PlayerId } from "../domain/ids.ts";
import type { MatchFormat } from "../domain/match.ts";
import { adaptCricsheet } from "../stream/cricsheet.ts";
import { generateMatch } from "../stream/match-generator.ts";

/** All that a match is created from. */
export interface MatchSource {
  readonly name: string;
  readonly sides: readonly [string, string];
  readonly format: MatchFormat;
  readonly scoringRules: string;
  readonly players: readonly Player[];
  /** Who plays; empty: not announced yet. */
  readonly startingXi: readonly PlayerId[];
  /** The file to replay as a feed; null where there is none. */
  readonly file: string | null;
  readonly eventCount: number;
}

export type SourceResult =
  { readonly ok: true; readonly source: MatchSource } | { readonly ok: false; readonly fault: string };

/** From the text of a Cricsheet file. */
export function sourceOfFile(text: string): SourceResult {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    return { ok: false, fault: `This is not JSON: ${error instanceof Error ? error.message : String(error)}` };
  }
  const adapted = adaptCricsheet(json);
  if (!adapted.ok) {
    const [first] = adapted.faults;
    return { ok: false, fault: `Not a Cricsheet match: ${first!.field}: ${first!.message}` };
  }
  const { facts, squad, startingXi, events } = adapted.match;
  const { name, sides, format, scoringRules } = facts;
  const source = { name, sides, format, scoringRules, players: squad.players, startingXi, file: text };
  return { ok: true, source: { ...source, eventCount: events.length } };
}

export const sourceOfSeed = (seed: number): SourceResult => sourceOfFile(JSON.stringify(generateMatch(seed)));
