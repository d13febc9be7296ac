import type { Database } from "bun:sqlite";
import { assert } from "../../../domain/assert.ts";
import type { Contest, ContestState, ContestTerms } from "../../../domain/contest.ts";
import type { ContestId, MatchId } from "../../../domain/ids.ts";

interface ContestRow {
  contest_id: ContestId;
  terms: string;
  state: ContestState;
  seats_taken: number;
}

const contestOf = (row: ContestRow): Contest => ({
  ...(JSON.parse(row.terms) as ContestTerms),
  id: row.contest_id,
  state: row.state,
  seatsTaken: row.seats_taken,
});

/** What joining needs to know of a contest. The writer counts in memory and stores the counts once a commit. */
export interface OpenContest {
  readonly matchId: MatchId;
  readonly entriesMax: number;
  readonly entriesPerUserMax: number;
  state: ContestState;
  seatsTaken: number;
  entryCount: number;
}

const KEPT_MAX = 20_000;

/** The mega contest takes most joins of a match; one row written a commit instead of one a join. */
export class ContestsInHand {
  readonly #contests = new Map<ContestId, OpenContest>();
  readonly #changed = new Set<ContestId>();
  readonly #load;
  readonly #storeCounts;

  constructor(db: Database) {
    this.#load = db.query<OpenContest, [number]>(
      `SELECT match_id AS matchId, contests.entries_max AS entriesMax, entries_per_user_max AS entriesPerUserMax, state,
         seats_taken AS seatsTaken, entry_count AS entryCount
       FROM contests JOIN contest_counts USING (contest_id) WHERE contest_id = ?`,
    );
    this.#storeCounts = db.query<null, [number, number, number]>(
      "UPDATE contest_counts SET seats_taken = ?, entry_count = ? WHERE contest_id = ?",
    );
  }

  get(id: ContestId): OpenContest | null {
    const kept = this.#contests.get(id);
    if (kept) return kept;
    const loaded = this.#load.get(id);
    if (loaded) this.#contests.set(id, loaded);
    return loaded;
  }

  /** To be counted by the caller, in this transaction. */
  count(id: ContestId): OpenContest {
    const contest = this.get(id);
    assert(contest, `contest ${id} has seats, so it exists`);
    this.#changed.add(id);
    return contest;
  }

  beforeCommit(): void {
    for (const id of this.#changed) {
      const { seatsTaken, entryCount } = this.#contests.get(id)!;
      this.#storeCounts.run(seatsTaken, entryCount, id);
    }
    this.#changed.clear();
    if (this.#contests.size > KEPT_MAX) this.#contests.clear();
  }

  forget(): void {
    this.#contests.clear();
    this.#changed.clear();
  }
}

export function contestWrites(db: Database, contests: ContestsInHand) {
  const insert = db.query<{ contest_id: ContestId }, [number, string, number, number]>(
    `INSERT INTO contests (match_id, terms, entries_max, entries_per_user_max, state)
     VALUES (?, ?, ?, ?, 'open') RETURNING contest_id`,
  );
  const insertCounts = db.query<null, [number, number]>("INSERT INTO contest_counts VALUES (?, ?, 0, 0)");
  const setState = db.query<null, [string, number]>("UPDATE contests SET state = ? WHERE contest_id = ?");
  const putCursor = db.query<null, [string, number]>("UPDATE contests SET payout_cursor = ? WHERE contest_id = ?");
  return {
    createContest(terms: ContestTerms): Contest {
      const { matchId, entriesMax, entriesPerUserMax } = terms;
      const { contest_id: id } = insert.get(matchId, JSON.stringify(terms), entriesMax, entriesPerUserMax)!;
      insertCounts.run(id, entriesMax);
      return { ...terms, id, state: "open", seatsTaken: 0 };
    },
    moveContest({ id, from, to }: { id: ContestId; from: ContestState; to: ContestState }): boolean {
      const contest = contests.get(id);
      if (contest?.state === from) {
        setState.run(to, id);
        contest.state = to;
      }
      return contest?.state === to;
    },
    putPayoutCursor({ id, cursor }: { id: ContestId; cursor: string }): void {
      putCursor.run(cursor, id);
    },
  };
}

export function contestReads(db: Database) {
  const columns = "SELECT contest_id, terms, state, seats_taken FROM contests JOIN contest_counts USING (contest_id)";
  const byId = db.query<ContestRow, [number]>(`${columns} WHERE contest_id = ?`);
  const byMatch = db.query<ContestRow, [number]>(`${columns} WHERE match_id = ? ORDER BY contest_id`);
  const cursorOf = db.query<{ payout_cursor: string | null }, [number]>(
    "SELECT payout_cursor FROM contests WHERE contest_id = ?",
  );
  const toEnd = db.query<ContestRow, [number]>(
    `${columns} WHERE state IN ('settling', 'cancelling')
     UNION ALL
     SELECT contest_id, terms, c.state, seats_taken
     FROM contests c JOIN contest_counts USING (contest_id) JOIN matches m USING (match_id)
     WHERE c.state = 'open' AND m.state IN ('released', 'abandoned')
     ORDER BY contest_id LIMIT ?`,
  );
  const countOf = db.query<{ entry_count: number }, [number]>(
    "SELECT entry_count FROM contest_counts WHERE contest_id = ?",
  );
  return {
    contest(id: ContestId): Contest | null {
      const row = byId.get(id);
      return row && contestOf(row);
    },
    contests(match: MatchId): Contest[] {
      return byMatch.all(match).map(contestOf);
    },
    payoutCursor(id: ContestId): string | null {
      return cursorOf.get(id)?.payout_cursor ?? null;
    },
    contestsToEnd(limit: number): Contest[] {
      return toEnd.all(limit).map(contestOf);
    },
    entryCount(id: ContestId): number {
      return countOf.get(id)?.entry_count ?? 0;
    },
  };
}
