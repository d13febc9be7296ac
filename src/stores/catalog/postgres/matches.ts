import { assert } from "../../../domain/assert.ts";
import type { MatchId } from "../../../domain/ids.ts";
import type { Match, MatchFormat, MatchState } from "../../../domain/match.ts";
import type { Squad } from "../../../domain/squad.ts";
import type { MatchCatalog, SpoolCatalog } from "../port.ts";
import { numberArray, textArray } from "./arrays.ts";
import type { Database } from "./database.ts";

interface MatchRow {
  readonly match_id: MatchId;
  readonly name: string;
  readonly side_0: string;
  readonly side_1: string;
  readonly format: MatchFormat;
  readonly start_ms: number;
  readonly state: MatchState;
  readonly scoring_rules: string;
  readonly roster_rules: string;
}

const COLUMNS = "match_id, name, side_0, side_1, format, start_ms, state, scoring_rules, roster_rules";

const matchOf = (row: MatchRow): Match => ({
  id: row.match_id,
  name: row.name,
  sides: [row.side_0, row.side_1],
  format: row.format,
  startMs: row.start_ms,
  state: row.state,
  scoringRules: row.scoring_rules,
  rosterRules: row.roster_rules,
});

export async function listMatches(
  database: Database,
  filter: Parameters<MatchCatalog["matches"]>[0],
): Promise<Match[]> {
  const rows = await database.rows<MatchRow>(
    `SELECT ${COLUMNS} FROM matches WHERE $1::text[] IS NULL OR state = ANY ($1::text[]) ORDER BY start_ms, match_id LIMIT $2`,
    [filter.states ? textArray(filter.states) : null, filter.limit],
  );
  return rows.map(matchOf);
}

export function matchCatalog(database: Database): MatchCatalog & SpoolCatalog {
  return {
    async createMatch({ name, sides, format, startMs, scoringRules, rosterRules }) {
      const row = await database.row<MatchRow>(
        `INSERT INTO matches (name, side_0, side_1, format, start_ms, scoring_rules, roster_rules)
         VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING ${COLUMNS}`,
        [name, sides[0], sides[1], format, startMs, scoringRules, rosterRules],
      );
      return matchOf(row!);
    },
    async match(id) {
      const row = await database.row<MatchRow>(`SELECT ${COLUMNS} FROM matches WHERE match_id = $1`, [id]);
      return row && matchOf(row);
    },
    matches: (filter) => listMatches(database, filter),
    async moveMatch(id, from, to) {
      const row = await database.row<{ moved: boolean }>("SELECT move_match($1, $2, $3) AS moved", [id, from, to]);
      return row!.moved;
    },
    async putLockPositions(id, positions) {
      const row = await database.row<{ positions: number[] }>(
        `UPDATE matches SET lock_positions = coalesce(lock_positions, $2::bigint[]) WHERE match_id = $1
         RETURNING to_jsonb(lock_positions) AS positions`,
        [id, numberArray(positions)],
      );
      assert(row !== null, `match ${id} is not there to be locked`);
      return row.positions;
    },
    async lockPositions(id) {
      const row = await database.row<{ positions: number[] | null }>(
        "SELECT to_jsonb(lock_positions) AS positions FROM matches WHERE match_id = $1",
        [id],
      );
      return row?.positions ?? null;
    },
    async putSquad(id, squad) {
      await database.rows(
        `INSERT INTO squads VALUES ($1, $2::text::jsonb)
         ON CONFLICT (match_id) DO UPDATE SET squad = excluded.squad`,
        [id, JSON.stringify(squad)],
      );
    },
    async squad(id) {
      const row = await database.row<{ squad: Squad }>("SELECT squad FROM squads WHERE match_id = $1", [id]);
      return row?.squad ?? null;
    },

    async openSpool(nodeId, opening) {
      // Sets what is there to itself where the opening is not newer, so that there is a row to answer.
      const row = await database.row<{ opening: number; is_open: boolean }>(
        `INSERT INTO spools VALUES ($1, $2, true) ON CONFLICT (node_id) DO UPDATE SET
           is_open = spools.is_open OR excluded.opening > spools.opening,
           opening = greatest(spools.opening, excluded.opening)
         RETURNING opening, is_open`,
        [nodeId, opening],
      );
      return { opening: row!.opening, isOpen: row!.is_open };
    },
    async closeSpool(nodeId, opening) {
      await database.rows("UPDATE spools SET is_open = false WHERE node_id = $1 AND opening <= $2", [nodeId, opening]);
    },
    async openSpools() {
      const rows = await database.rows<{ node_id: string }>(
        "SELECT node_id FROM spools WHERE is_open ORDER BY node_id",
      );
      return rows.map((row) => row.node_id);
    },
  };
}
