import type { TopChange, TopEntry } from "../../edge/socket/pushes.ts";

/** How `after` comes from `before`: the rows that moved, came or changed their score, by place. */
export function topChanges(before: readonly TopEntry[], after: readonly TopEntry[]): TopChange[] {
  const placeBefore = new Map(before.map(({ entryId }, place) => [entryId, place]));
  const changes: TopChange[] = [];
  for (const [place, entry] of after.entries()) {
    const fromPlace = placeBefore.get(entry.entryId) ?? null;
    if (fromPlace === place && before[place]!.scoreQp === entry.scoreQp) continue;
    changes.push({ place, fromPlace, entry });
  }
  return changes;
}
