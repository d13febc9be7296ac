import { type ContestId, type EntryId, type MatchId, teamOfEntry, userOfEntry } from "../domain/ids.ts";
import type {
  BoardSample,
  EntryTotal,
  PointsRow,
  TeamStore,
  TeamVersion,
  TotalsMark,
} from "../stores/team-store/port.ts";

export function openSimulatedTeamStore(): TeamStore {
  /** By match and entry, then by version. */
  const teams = new Map<string, Map<number, TeamVersion>>();
  const positions = new Map<number, number>();
  const points = new Map<MatchId, Map<number, PointsRow>>();
  /** By contest and slice, then by version. */
  const samples = new Map<string, Map<number, BoardSample>>();
  const totals = new Map<ContestId, Map<EntryId, EntryTotal>>();
  const marks = new Map<ContestId, TotalsMark>();

  return {
    async appendTeams(partition, rows, nextOffset) {
      for (const row of rows) inner(teams, teamKey(row.matchId, row.entryId)).set(row.version, row);
      positions.set(partition, Math.max(nextOffset, positions.get(partition) ?? 0));
    },
    teamsPosition: async (partition) => positions.get(partition) ?? 0,
    async teams(match, user) {
      const newest = [...teams.values()]
        .map((versions) => sortedBy(versions.values(), (row) => row.version).at(-1)!)
        .filter((row) => row.matchId === match && userOfEntry(row.entryId) === user);
      return sortedBy(newest, (row) => teamOfEntry(row.entryId));
    },
    versions: async (match, entry) => sortedBy(teams.get(teamKey(match, entry))?.values() ?? [], (row) => row.version),
    async appendPoints(row) {
      inner(points, row.matchId).set(row.version, row);
    },
    points: async (match, afterVersion, limit) =>
      sortedBy(points.get(match)?.values() ?? [], (row) => row.version)
        .filter((row) => row.version > afterVersion)
        .slice(0, limit),
    newestPoints: async (match) => sortedBy(points.get(match)?.values() ?? [], (row) => row.version).at(-1) ?? null,
    async appendSample(row) {
      inner(samples, `${row.contestId} ${row.slice}`).set(row.pointsVersion, row);
    },
    samples: async (contest, slice) =>
      sortedBy(samples.get(`${contest} ${slice}`)?.values() ?? [], (row) => row.pointsVersion),
    async putTotals(contest, rows) {
      for (const row of rows) inner(totals, contest).set(row.entryId, row);
    },
    async markTotals(contest, mark) {
      marks.set(contest, { ...mark, board: mark.board.slice() });
    },
    totalsMark: async (contest) => marks.get(contest) ?? null,
    totals: async (contest, entries) => {
      const known = totals.get(contest);
      return entries.map((entry) => known?.get(entry)).filter((row) => row !== undefined);
    },
    close: async () => undefined,
  };
}

const teamKey = (match: MatchId, entry: EntryId) => `${match} ${entry}`;

const sortedBy = <T>(rows: Iterable<T>, key: (row: T) => number): T[] => [...rows].sort((a, b) => key(a) - key(b));

function inner<K, L, V>(maps: Map<K, Map<L, V>>, key: K): Map<L, V> {
  let map = maps.get(key);
  if (!map) maps.set(key, (map = new Map()));
  return map;
}
