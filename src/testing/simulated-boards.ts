import { assert } from "../domain/assert.ts";
import type { Contest } from "../domain/contest.ts";
import type { ContestId, EntryId, MatchId } from "../domain/ids.ts";
import { isBeforeDeadline } from "../domain/match.ts";
import type { PointsVector } from "../domain/points.ts";
import { type Roster, scoreRoster } from "../domain/roster.ts";
import { type EventLog, forEachRecord, TOPICS } from "../stores/event-log/port.ts";
import type { TeamStore } from "../stores/team-store/port.ts";
import type { FinalScores } from "../transaction/final-scores.ts";
import { decodeContestJoin } from "../stream/records.ts";

/** The locked teams of every contest. */
export type LockedEntries = ReadonlyMap<ContestId, ReadonlyMap<EntryId, Roster>>;

/** What is announced in the log meets the newest version in time of each team. */
export async function lockEntries(
  { log, teamStore }: { readonly log: EventLog; readonly teamStore: TeamStore },
  match: { readonly id: MatchId; readonly startMs: number },
): Promise<LockedEntries> {
  const contests = new Map<ContestId, Map<EntryId, Roster>>();
  for (let partition = 0; partition < TOPICS["contest-joins"].partitionCount; partition++) {
    const end = await log.endOffset("contest-joins", partition);
    for (let offset = 0; offset < end;) {
      const batch = await log.read("contest-joins", partition, offset, 1 << 20, 0);
      const joins: { contestId: ContestId; entryId: EntryId }[] = [];
      forEachRecord(batch, (value) => {
        const join = decodeContestJoin(value);
        if (join.matchId === match.id && isBeforeDeadline(match, join.serverTsMs)) joins.push(join);
      });
      for (const { contestId, entryId } of joins) {
        const versions = await teamStore.versions(match.id, entryId);
        const newest = versions.findLast((version) => isBeforeDeadline(match, version.savedAtMs));
        assert(newest, `entry ${entryId} joined with a team that it has saved`);
        const entries = contests.get(contestId) ?? new Map<EntryId, Roster>();
        contests.set(contestId, entries.set(entryId, newest.roster));
      }
      offset += batch.ends.length;
    }
  }
  return contests;
}

/** In chunks of two, so that small contests have ties that continue in the next one too. */
export function finalScores(contest: Contest, locked: LockedEntries, points: PointsVector): FinalScores {
  const scored = [...(locked.get(contest.id) ?? new Map<EntryId, Roster>())]
    .map(([entryId, roster]) => ({ entryId, scoreQp: scoreRoster(roster, points) }))
    .sort((a, b) => a.entryId - b.entryId);
  return finalScoresOf(scored, 2);
}

/** Counted by looking at all of them. */
export function finalScoresOf(
  scored: readonly { readonly entryId: EntryId; readonly scoreQp: number }[],
  chunkEntries: number,
): FinalScores {
  return {
    entryCount: scored.length,
    countAbove: (scoreQp) => scored.filter((entry) => entry.scoreQp > scoreQp).length,
    countAt: (scoreQp) => scored.filter((entry) => entry.scoreQp === scoreQp).length,
    async *chunks() {
      for (let from = 0; from < scored.length; from += chunkEntries) {
        const chunk = scored.slice(from, from + chunkEntries);
        yield {
          entries: Float64Array.from(chunk, ({ entryId }) => entryId),
          scoresQp: Int16Array.from(chunk, ({ scoreQp }) => scoreQp),
        };
      }
    },
  };
}
