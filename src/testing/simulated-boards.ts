import { assert } from "../domain/assert.ts";
import type { Contest } from "../domain/contest.ts";
import type { ContestId, EntryId, MatchId } from "../domain/ids.ts";
import { isBeforeDeadline } from "../domain/match.ts";
import type { PointsVector } from "../domain/points.ts";
import { type Roster, scoreRoster } from "../domain/roster.ts";
import { type EventLog, forEachRecord, TOPICS } from "../stores/event-log/port.ts";
import type { TeamStore } from "../stores/team-store/port.ts";
import type { FinalBoard } from "../transaction/payouts.ts";
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

/** In rank order, in chunks of two, so that small contests have groups that continue too. */
export function finalBoard(contest: Contest, locked: LockedEntries, points: PointsVector): FinalBoard {
  const byScore = new Map<number, number[]>();
  const entries = locked.get(contest.id) ?? new Map<EntryId, Roster>();
  for (const [entryId, roster] of entries) {
    const score = scoreRoster(roster, points);
    byScore.set(score, [...(byScore.get(score) ?? []), entryId]);
  }
  const groups = [...byScore].sort(([a], [b]) => b - a).map(([, tied]) => tied.sort((a, b) => a - b));
  return {
    entryCount: entries.size,
    async *chunks() {
      let rank = 1;
      for (const tied of groups) {
        for (let offset = 0; offset < tied.length; offset += 2) {
          yield { rank, tiedCount: tied.length, offset, entries: Float64Array.from(tied.slice(offset, offset + 2)) };
        }
        rank += tied.length;
      }
    },
  };
}
