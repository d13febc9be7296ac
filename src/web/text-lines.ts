import { playerId } from "../domain/ids.ts";
import { type Paise, paise, rupees } from "../domain/money.ts";
import type { PrizeBand } from "../domain/prizes.ts";
import { type Player, ROLES } from "../domain/squad.ts";

/** What an administrator types, a line each: either all of it, or which line is wrong and how. */
export type Lines<T> =
  { readonly ok: true; readonly items: readonly T[] } | { readonly ok: false; readonly fault: string };

function linesOf<T>(text: string, read: (line: string) => T | null, form: string): Lines<T> {
  const items: T[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue;
    const item = read(line.trim());
    if (item === null) return { ok: false, fault: `Line ${index + 1}: write ${form}` };
    items.push(item);
  }
  return { ok: true, items };
}

/** "1 = 5000", "2-3 = 1500" in rupees; "4-10 = 2.5%" of the pool. */
export const prizeLines = (text: string): Lines<PrizeBand> =>
  linesOf(
    text,
    (line) => {
      const found = /^(\d+)(?:\s*-\s*(\d+))?\s*=\s*₹?([\d.]+)\s*(%?)$/.exec(line);
      if (found === null || !Number.isFinite(Number(found[3]))) return null;
      const ranks = { fromRank: Number(found[1]), toRank: Number(found[2] ?? found[1]) };
      const value = Number(found[3]);
      return found[4] === "%"
        ? { ...ranks, shareBps: Math.round(value * 100) }
        : { ...ranks, amountPaise: rupees(value) };
    },
    "a rank or ranks, an equals sign, rupees or percent: 2-3 = 1500",
  );

/** What the bands pay in all, where they say amounts; null where they say shares of a pool. */
export const amountOf = (bands: readonly PrizeBand[]): Paise | null =>
  bands.some((band) => "shareBps" in band)
    ? null
    : paise(
        bands.reduce(
          (sum, band) => sum + ("amountPaise" in band ? band.amountPaise * (band.toRank - band.fromRank + 1) : 0),
          0,
        ),
      );

/** "Asha Rao, 1, BAT, 9.5": name, side, role, credits. The id follows from the place, for names may be the same. */
export function squadLines(text: string): Lines<Player> {
  let count = 0;
  return linesOf(
    text,
    (line) => {
      const [name = "", side = "", role = "", credits = "", ...rest] = line.split(",").map((part) => part.trim());
      const known = ROLES.find((candidate) => candidate === role.toUpperCase());
      const creditsTenths = Math.round(Number(credits) * 10);
      const wrong = name === "" || (side !== "1" && side !== "2") || known === undefined || !(creditsTenths > 0);
      if (wrong || rest.length > 0) return null;
      const id = playerId(`p${++count}`);
      return { id, name, side: side === "1" ? 0 : 1, role: known, creditsTenths, announced: null };
    },
    "name, side 1 or 2, WK, BAT, AR or BOWL, credits: Asha Rao, 1, BAT, 9.5",
  );
}
