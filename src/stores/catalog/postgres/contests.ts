import type { Contest, ContestState, ContestTerms } from "../../../domain/contest.ts";
import type { ContestId, MatchId } from "../../../domain/ids.ts";
import type { ContestCatalog } from "../port.ts";
import type { Database } from "./database.ts";

interface ContestRow {
  readonly contest_id: ContestId;
  readonly terms: ContestTerms;
  readonly state: ContestState;
  readonly seats_taken: number;
}

const contestOf = (row: ContestRow): Contest => ({
  ...row.terms,
  id: row.contest_id,
  state: row.state,
  seatsTaken: row.seats_taken,
});

const SELECT =
  "SELECT c.contest_id, terms, c.state, seats_taken FROM contests c JOIN contest_counts USING (contest_id)";

export async function listContests(database: Database, match: MatchId): Promise<Contest[]> {
  const rows = await database.rows<ContestRow>(`${SELECT} WHERE c.match_id = $1 ORDER BY contest_id`, [match]);
  return rows.map(contestOf);
}

export function contestCatalog(database: Database): ContestCatalog {
  return {
    async createContest(terms) {
      const row = await database.row<{ id: ContestId }>("SELECT create_contest($1, $2::text::jsonb, $3, $4) AS id", [
        terms.matchId,
        JSON.stringify(terms),
        terms.entriesMax,
        terms.entriesPerUserMax,
      ]);
      return { ...terms, id: row!.id, state: "open", seatsTaken: 0 };
    },
    async contest(id) {
      const row = await database.row<ContestRow>(`${SELECT} WHERE c.contest_id = $1`, [id]);
      return row && contestOf(row);
    },
    contests: (match) => listContests(database, match),
    async moveContest(id, from, to) {
      const row = await database.row<{ moved: boolean }>("SELECT move_contest($1, $2, $3) AS moved", [id, from, to]);
      return row!.moved;
    },
    async payoutCursor(id) {
      const row = await database.row<{ payout_cursor: string | null }>(
        "SELECT payout_cursor FROM contests WHERE contest_id = $1",
        [id],
      );
      return row?.payout_cursor ?? null;
    },
    async putPayoutCursor(id, cursor) {
      await database.rows("UPDATE contests SET payout_cursor = $2 WHERE contest_id = $1", [id, cursor]);
    },
    async contestsToEnd(limit) {
      const rows = await database.rows<ContestRow>(
        `${SELECT} WHERE c.state IN ('settling', 'cancelling')
         UNION ALL
         ${SELECT} JOIN matches m ON m.match_id = c.match_id
         WHERE c.state = 'open' AND m.state IN ('released', 'abandoned')
         ORDER BY contest_id LIMIT $1`,
        [limit],
      );
      return rows.map(contestOf);
    },
  };
}
