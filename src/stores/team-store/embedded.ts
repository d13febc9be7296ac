import { SqliteStore, type SqliteStoreOptions, type StoreCalls } from "../sqlite/store.ts";
import { packVersions } from "./packed-versions.ts";
import type { TeamStore } from "./port.ts";

/** Everything that happened, in one SQLite file. */
export const openEmbeddedTeamStore = async (options: SqliteStoreOptions): Promise<TeamStore> =>
  teamStoreOver(await SqliteStore.open("TeamStore", "teamStore", options));

export function teamStoreOver(store: StoreCalls<"teamStore">): TeamStore {
  return {
    appendTeams: (partition, rows, nextOffset) =>
      store.write("appendTeams", { partition, rows: packVersions(rows), nextOffset }),
    teamsPosition: (partition) => store.read("teamsPosition", partition),
    teams: (match, user) => store.read("teams", { match, user }),
    versions: (match, entry) => store.read("versions", { match, entry }),
    appendPoints: (row) => store.write("appendPoints", row),
    points: (match, after, limit) => store.read("points", { match, after, limit }),
    newestPoints: (match) => store.read("newestPoints", match),
    appendSample: (row) => store.write("appendSample", row),
    samples: (contest, slice) => store.read("samples", { contest, slice }),
    putTotals: (contest, rows) => store.write("putTotals", { contest, rows }),
    totals: (contest, entries) => store.read("totals", { contest, entries }),
    markTotals: (contest, mark) => store.write("markTotals", { contest, mark }),
    totalsMark: (contest) => store.read("totalsMark", contest),
    close: () => store.close(),
  } satisfies TeamStore;
}
