import { z } from "zod";
import { type FieldFault, fieldFaults } from "../domain/field-fault.ts";

/** The part of Cricsheet's JSON format (data_version 1.0.0 and 1.1.0) that the adapter reads; other fields are ignored. */

const name = z.string().min(1).max(128);
const runs = z.int().min(0).max(60);

const fielder = z.object({ name: name.optional(), substitute: z.boolean().optional() });

/** Cricsheet's words for how a wicket falls. */
export const CRICSHEET_WICKETS = {
  bowled: "bowled",
  caught: "caught",
  "caught and bowled": "caughtAndBowled",
  lbw: "lbw",
  stumped: "stumped",
  "hit wicket": "hitWicket",
  "run out": "runOut",
  "obstructing the field": "obstructingTheField",
  "hit the ball twice": "hitTheBallTwice",
  "handled the ball": "handledTheBall",
  "timed out": "timedOut",
  "retired out": "retiredOut",
  "retired hurt": "retiredHurt",
  "retired not out": "retiredNotOut",
} as const;

const wicketKinds = Object.keys(CRICSHEET_WICKETS) as [keyof typeof CRICSHEET_WICKETS];

const wicket = z.object({ kind: z.enum(wicketKinds), player_out: name, fielders: z.array(fielder).max(11).optional() });

const matchReplacement = z.object({ in: name, out: name, team: name, reason: z.string() });

const delivery = z.object({
  batter: name,
  non_striker: name,
  bowler: name,
  runs: z.object({ batter: runs, extras: runs, total: runs, non_boundary: z.boolean().optional() }),
  extras: z
    .object({
      wides: runs.exactOptional(),
      noballs: runs.exactOptional(),
      byes: runs.exactOptional(),
      legbyes: runs.exactOptional(),
      penalty: runs.exactOptional(),
    })
    .optional(),
  wickets: z.array(wicket).max(3).optional(),
  replacements: z.object({ match: z.array(matchReplacement).optional() }).optional(),
});

const innings = z.object({
  team: name,
  super_over: z.boolean().optional(),
  penalty_runs: z.object({ pre: runs.optional(), post: runs.optional() }).optional(),
  overs: z
    .array(z.object({ over: z.int().min(0).max(500), deliveries: z.array(delivery).max(100) }))
    .max(501)
    .default(() => []),
});

const cricsheetFile = z.object({
  info: z.object({
    dates: z.array(z.iso.date()).min(1),
    event: z
      .object({ name: name.optional(), match_number: z.number().optional(), stage: z.string().optional() })
      .optional(),
    match_type: z.enum(["T20", "IT20", "ODI", "ODM", "Test", "MDM"]),
    outcome: z.object({ winner: name.optional(), result: z.string().optional(), eliminator: name.optional() }),
    overs: z.int().min(1).optional(),
    players: z.record(name, z.array(name).min(1).max(30)),
    registry: z.object({ people: z.record(name, z.string().min(1).max(64)) }),
    teams: z.tuple([name, name]),
    venue: z.string().optional(),
  }),
  innings: z.array(innings).max(40),
});

export type CricsheetFile = z.output<typeof cricsheetFile>;
export type CricsheetInnings = CricsheetFile["innings"][number];
export type CricsheetDelivery = CricsheetInnings["overs"][number]["deliveries"][number];
export type CricsheetWicket = NonNullable<CricsheetDelivery["wickets"]>[number];

export type ParsedCricsheetFile =
  { readonly ok: true; readonly file: CricsheetFile } | { readonly ok: false; readonly faults: readonly FieldFault[] };

export function parseCricsheetFile(json: unknown): ParsedCricsheetFile {
  const parsed = cricsheetFile.safeParse(json);
  if (parsed.success) return { ok: true, file: parsed.data };
  return { ok: false, faults: fieldFaults(parsed.error) };
}
