import type { Database } from "bun:sqlite";
import { assert } from "../../../domain/assert.ts";
import type { MatchId } from "../../../domain/ids.ts";
import type { Match, MatchFormat, MatchState } from "../../../domain/match.ts";
import type { Squad } from "../../../domain/squad.ts";

interface MatchRow {
  match_id: MatchId;
  name: string;
  side_0: string;
  side_1: string;
  format: MatchFormat;
  start_ms: number;
  state: MatchState;
  scoring_rules: string;
  roster_rules: string;
}

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

export function matchWrites(db: Database) {
  const insert = db.query<MatchRow, [string, string, string, string, number, string, string]>(
    `INSERT INTO matches (name, side_0, side_1, format, start_ms, state, scoring_rules, roster_rules)
     VALUES (?, ?, ?, ?, ?, 'upcoming', ?, ?) RETURNING *`,
  );
  const move = db.query<null, [string, number, string, string]>(
    "UPDATE matches SET state = ? WHERE match_id = ? AND state IN (?, ?)",
  );
  const put = db.query<null, [number, string]>("INSERT OR REPLACE INTO squads VALUES (?, ?)");
  const lock = db.query<{ lock_positions: string }, [string, number]>(
    "UPDATE matches SET lock_positions = COALESCE(lock_positions, ?) WHERE match_id = ? RETURNING lock_positions",
  );
  return {
    createMatch({ name, sides, format, startMs, scoringRules, rosterRules }: Omit<Match, "id" | "state">): Match {
      return matchOf(insert.get(name, sides[0], sides[1], format, startMs, scoringRules, rosterRules)!);
    },
    moveMatch({ id, from, to }: { id: MatchId; from: MatchState; to: MatchState }): boolean {
      return move.run(to, id, from, to).changes > 0;
    },
    putLockPositions({ id, positions }: { id: MatchId; positions: readonly number[] }): number[] {
      const row = lock.get(JSON.stringify(positions), id);
      assert(row !== null, `match ${id} is not there to be locked`);
      return JSON.parse(row.lock_positions) as number[];
    },
    putSquad({ id, squad }: { id: MatchId; squad: Squad }): void {
      put.run(id, JSON.stringify(squad));
    },
  };
}

export function matchReads(db: Database) {
  const byId = db.query<MatchRow, [number]>("SELECT * FROM matches WHERE match_id = ?");
  const byStart = db.query<MatchRow, [string | null, number]>(
    `SELECT * FROM matches WHERE ?1 IS NULL OR state IN (SELECT value FROM json_each(?1))
     ORDER BY start_ms, match_id LIMIT ?2`,
  );
  const squadOf = db.query<{ squad: string }, [number]>("SELECT squad FROM squads WHERE match_id = ?");
  const lockOf = db.query<{ lock_positions: string | null }, [number]>(
    "SELECT lock_positions FROM matches WHERE match_id = ?",
  );
  return {
    lockPositions(id: MatchId): number[] | null {
      const positions = lockOf.get(id)?.lock_positions ?? null;
      return positions === null ? null : (JSON.parse(positions) as number[]);
    },
    match(id: MatchId): Match | null {
      const row = byId.get(id);
      return row && matchOf(row);
    },
    matches({ states, limit }: { readonly states?: readonly MatchState[]; readonly limit: number }): Match[] {
      return byStart.all(states ? JSON.stringify(states) : null, limit).map(matchOf);
    },
    squad(id: MatchId): Squad | null {
      const row = squadOf.get(id);
      return row && (JSON.parse(row.squad) as Squad);
    },
  };
}
