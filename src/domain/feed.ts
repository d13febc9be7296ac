import { z } from "zod";
import { type FieldFault, fieldFaults } from "./field-fault.ts";
import type { PlayerId } from "./ids.ts";

/**
 * What a feed provider tells us about one match, one event at a time. The match itself is named by the request.
 *
 * The law of corrections: an event is known by its `id`; of several events with one id the highest `version` counts, whatever
 * order they arrive in. Correcting a ball is sending it again with a higher version; withdrawing it is sending a `void`.
 * A provider never sends two different events with the same id and version.
 */

/** How a wicket falls: whether the batter is out (retired hurt is not), and whether the bowler is credited. */
export const WICKET_KINDS = {
  bowled: { isOut: true, bowlers: true },
  caught: { isOut: true, bowlers: true },
  caughtAndBowled: { isOut: true, bowlers: true },
  lbw: { isOut: true, bowlers: true },
  stumped: { isOut: true, bowlers: true },
  hitWicket: { isOut: true, bowlers: true },
  runOut: { isOut: true, bowlers: false },
  obstructingTheField: { isOut: true, bowlers: false },
  hitTheBallTwice: { isOut: true, bowlers: false },
  handledTheBall: { isOut: true, bowlers: false },
  timedOut: { isOut: true, bowlers: false },
  retiredOut: { isOut: true, bowlers: false },
  retiredHurt: { isOut: false, bowlers: false },
  retiredNotOut: { isOut: false, bowlers: false },
} as const satisfies Record<string, { isOut: boolean; bowlers: boolean }>;

export type WicketKind = keyof typeof WICKET_KINDS;

const wicketKindNames = Object.keys(WICKET_KINDS) as [WicketKind, ...WicketKind[]];

const described = <Schema extends z.ZodType>(schema: Schema, description: string): Schema =>
  schema.meta({ description });

// The brand exists at compile time only, so the length check is all that there is to do at run time.
const playerIdSchema = z.string().min(1).max(64) as unknown as z.ZodType<PlayerId, string>;
const runsSchema = z.int().min(0).max(60);
const inningsSchema = described(z.int().min(1).max(40), "1 for the first innings of the match, in order of play");
const overSchema = described(z.int().min(0).max(500), "0 for the first over of the innings");

const identity = {
  id: described(
    z.string().min(1).max(64),
    "Stable name of the event within the match; corrections repeat it with a higher version",
  ),
  version: described(
    z
      .int()
      .min(1)
      .max(2 ** 31 - 1),
    "1 for the first report; the highest version counts",
  ),
  atMs: described(
    z
      .int()
      .min(0)
      .max(2 ** 53 - 1),
    "When it happened, UTC milliseconds",
  ),
};

const fielderSchema = z.strictObject({
  player: described(playerIdSchema.nullable(), "null: somebody fielded it, the provider does not know (yet) who"),
  substitute: described(
    z.boolean().default(false),
    "true for an ordinary substitute, who earns no points and need not be in the squad",
  ),
});

const wicketSchema = z.strictObject({
  kind: z.enum(wicketKindNames),
  playerOut: playerIdSchema,
  fielders: described(
    z
      .array(fielderSchema)
      .max(11)
      .nullable()
      .default(() => []),
    "In the order in which they touched the ball; null: the provider does not know (yet) who was involved",
  ),
});

const ballSchema = z
  .strictObject({
    type: z.literal("ball"),
    ...identity,
    innings: inningsSchema,
    superOver: described(z.boolean().default(false), "Balls of a super over are shown but earn no points"),
    over: overSchema,
    ballInOver: described(
      z.int().min(1).max(100),
      "1 for the first delivery of the over; wides and no-balls count as well",
    ),
    batter: playerIdSchema,
    nonStriker: playerIdSchema,
    bowler: playerIdSchema,
    runs: z.strictObject({ batter: runsSchema, extras: runsSchema, total: runsSchema }),
    nonBoundary: described(
      z.boolean().default(false),
      "true where four or six runs were run or came from overthrows, so that they earn no boundary bonus",
    ),
    extras: described(
      z
        .strictObject({
          wides: runsSchema.exactOptional(),
          noballs: runsSchema.exactOptional(),
          byes: runsSchema.exactOptional(),
          legbyes: runsSchema.exactOptional(),
          penalty: runsSchema.exactOptional(),
        })
        .default(() => ({})),
      "Extra runs by kind; they add up to runs.extras",
    ),
    wickets: z
      .array(wicketSchema)
      .max(3)
      .default(() => []),
  })
  .superRefine((ball, context) => {
    const refuse = (path: string[], message: string) => context.addIssue({ code: "custom", path, message });
    const { wides = 0, noballs = 0, byes = 0, legbyes = 0, penalty = 0 } = ball.extras;
    const byKind = wides + noballs + byes + legbyes + penalty;
    if (byKind !== ball.runs.extras) {
      refuse(["runs", "extras"], `is ${ball.runs.extras}, but the extras by kind add up to ${byKind}`);
    }
    const sum = ball.runs.batter + ball.runs.extras;
    if (sum !== ball.runs.total) refuse(["runs", "total"], `is ${ball.runs.total}, but batter and extras make ${sum}`);
    if (wides > 0 && noballs > 0) refuse(["extras", "wides"], "a delivery is not both a wide and a no-ball");
    if (ball.batter === ball.nonStriker) refuse(["nonStriker"], "is the batter");
  });

const lineupSchema = z.strictObject({
  type: z.literal("lineup"),
  ...identity,
  startingXi: described(
    z.array(playerIdSchema).min(1).max(22),
    "The players who start the match, of one side or of both; a correction replaces the whole list",
  ),
});

const substitutionSchema = z.strictObject({
  type: z.literal("substitution"),
  ...identity,
  innings: inningsSchema,
  superOver: z.boolean().default(false),
  over: overSchema,
  ballInOver: described(z.int().min(1).max(100), "The delivery before which the player came in"),
  playerIn: playerIdSchema,
  playerOut: playerIdSchema,
  reason: described(
    z.enum(["impactPlayer", "concussion", "xFactor", "other"]),
    "Only for substitutes who bat and bowl; ordinary substitute fielders are marked on the wicket instead",
  ),
});

const penaltyRunsSchema = z.strictObject({
  type: z.literal("penaltyRuns"),
  ...identity,
  innings: inningsSchema,
  side: described(z.union([z.literal(0), z.literal(1)]), "The batting side, to whose total they are added"),
  runs: described(runsSchema, "Awarded before or after the innings, not on a delivery"),
});

const matchEndSchema = z.strictObject({
  type: z.literal("matchEnd"),
  ...identity,
  result: z.enum(["won", "tie", "draw", "noResult"]),
  winner: described(z.union([z.literal(0), z.literal(1)]).nullable(), "Index of the winning side"),
});

const voidSchema = described(
  z.strictObject({ type: z.literal("void"), ...identity }),
  "Withdraws the event with this id and any lower version, as if it had never been sent",
);

export const feedEventSchema = z
  .discriminatedUnion("type", [
    ballSchema,
    lineupSchema,
    substitutionSchema,
    penaltyRunsSchema,
    matchEndSchema,
    voidSchema,
  ])
  .meta({ title: "FeedEvent", description: "One event of a match's feed" });

export type FeedEvent = z.output<typeof feedEventSchema>;
export type BallEvent = Extract<FeedEvent, { type: "ball" }>;
export type SubstitutionEvent = Extract<FeedEvent, { type: "substitution" }>;
export type Wicket = z.output<typeof wicketSchema>;
export type Fielder = z.output<typeof fielderSchema>;

/** The documented JSON schema of what a provider sends; fields with a default may be left out. */
export const feedEventJsonSchema = (): object => z.toJSONSchema(feedEventSchema, { io: "input" });

export type ParsedFeedEvent =
  { readonly ok: true; readonly event: FeedEvent } | { readonly ok: false; readonly faults: readonly FieldFault[] };

/** Checks the shape and the arithmetic of one event; whether its players are in the squad is `unknownPlayers`' question. */
export function parseFeedEvent(json: unknown): ParsedFeedEvent {
  const parsed = feedEventSchema.safeParse(json);
  if (parsed.success) return { ok: true, event: parsed.data };
  return { ok: false, faults: fieldFaults(parsed.error) };
}

/** Every field that names a player outside the squad. Ordinary substitutes may be anybody. */
export function unknownPlayers(event: FeedEvent, squad: { has(player: PlayerId): boolean }): FieldFault[] {
  const faults: FieldFault[] = [];
  const check = (field: string, player: PlayerId) => {
    if (!squad.has(player)) faults.push({ field, message: `player "${player}" is not in the squad of this match` });
  };
  if (event.type === "ball") {
    check("batter", event.batter);
    check("nonStriker", event.nonStriker);
    check("bowler", event.bowler);
    for (const [at, wicket] of event.wickets.entries()) {
      check(`wickets[${at}].playerOut`, wicket.playerOut);
      for (const [place, fielder] of (wicket.fielders ?? []).entries()) {
        if (fielder.player !== null && !fielder.substitute) {
          check(`wickets[${at}].fielders[${place}].player`, fielder.player);
        }
      }
    }
  } else if (event.type === "lineup") {
    for (const [place, player] of event.startingXi.entries()) check(`startingXi[${place}]`, player);
  } else if (event.type === "substitution") {
    check("playerIn", event.playerIn);
    check("playerOut", event.playerOut);
  }
  return faults;
}
