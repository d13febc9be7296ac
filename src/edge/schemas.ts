import { z } from "zod";
import { TEAMS_PER_USER_MAX } from "../domain/contest.ts";
import type { ContestId, EntryId, MatchId, PlayerId, TeamNo } from "../domain/ids.ts";
import { type Paise, paise } from "../domain/money.ts";

/** Ids and amounts as they come over the wire. Brands exist at compile time only; the ranges are what there is to check. */
const CATALOG_ID_MAX = 2 ** 31 - 1;

const integerText = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,16}$/, "must be a whole number")
    .transform(Number)
    .refine((value) => value >= min && value <= max, `must be between ${min} and ${max}`);

const branded = <T>(schema: z.ZodType<unknown>) => schema as unknown as z.ZodType<T>;

export const matchIdText = branded<MatchId>(integerText(1, CATALOG_ID_MAX));
export const contestIdText = branded<ContestId>(integerText(1, CATALOG_ID_MAX));
export const entryIdText = branded<EntryId>(integerText(65, Number.MAX_SAFE_INTEGER));
export const teamNoText = branded<TeamNo>(integerText(1, TEAMS_PER_USER_MAX));
export const countText = (max: number, fallback: number) => integerText(1, max).default(fallback);
export const positionText = integerText(1, Number.MAX_SAFE_INTEGER);

export const matchIdNumber = branded<MatchId>(z.int().min(1).max(CATALOG_ID_MAX));
export const teamNoNumber = branded<TeamNo>(z.int().min(1).max(TEAMS_PER_USER_MAX));
export const playerIdText = branded<PlayerId>(z.string().min(1).max(64));
export const paiseNumber: z.ZodType<Paise> = z.int().min(0).transform(paise);
export const positivePaiseNumber: z.ZodType<Paise> = z.int().min(1).transform(paise);
