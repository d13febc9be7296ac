import type { ContestId } from "../domain/ids.ts";
import { isBeforeDeadline, type Match } from "../domain/match.ts";
import { type EventLog, forEachRecord, TOPICS } from "../stores/event-log/port.ts";
import { decodeContestJoin } from "../stream/records.ts";

const READ_BYTES = 16 << 20;
const FIRST_CAPACITY = 1_024;

/**
 * How many entries of each contest a board built from the log now would have: those announced before the deadline, however
 * often each. For books that are compared while no board is open; eight bytes an entry.
 */
export async function announcedEntries(
  log: Pick<EventLog, "read" | "endOffset">,
  match: Pick<Match, "id" | "startMs">,
): Promise<ReadonlyMap<ContestId, number>> {
  const found = new Map<ContestId, { ids: Float64Array; count: number }>();
  for (let partition = 0; partition < TOPICS["contest-joins"].partitionCount; partition++) {
    const end = await log.endOffset("contest-joins", partition);
    for (let offset = 0; offset < end;) {
      const batch = await log.read("contest-joins", partition, offset, READ_BYTES, 0);
      forEachRecord(batch, (value) => {
        const { contestId, entryId, matchId, serverTsMs } = decodeContestJoin(value);
        if (matchId !== match.id || !isBeforeDeadline(match, serverTsMs)) return;
        const entries = found.get(contestId) ?? { ids: new Float64Array(FIRST_CAPACITY), count: 0 };
        if (entries.count === entries.ids.length) {
          const larger = new Float64Array(2 * entries.count);
          larger.set(entries.ids);
          entries.ids = larger;
        }
        entries.ids[entries.count++] = entryId;
        found.set(contestId, entries);
      });
      offset = batch.firstOffset + batch.ends.length;
    }
  }
  return new Map([...found].map(([contest, { ids, count }]) => [contest, distinctCount(ids.subarray(0, count))]));
}

function distinctCount(ids: Float64Array): number {
  ids.sort();
  return ids.reduce((count, id, index) => (index > 0 && ids[index - 1] === id ? count : count + 1), 0);
}
