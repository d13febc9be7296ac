import type { Catalog } from "../stores/catalog/port.ts";
import type { Browse } from "./game.ts";

const MATCHES_SHOWN_MAX = 500;

/** `lists` may be a moment behind: what people look through, asked of a replica where there is one. */
export function browseCatalog(catalog: Catalog, lists: Pick<Catalog, "matches" | "contests"> = catalog): Browse {
  return {
    matches: () => lists.matches({ limit: MATCHES_SHOWN_MAX }),
    match: (match) => catalog.match(match),
    squad: (match) => catalog.squad(match),
    contests: async (match) => (await lists.contests(match)).filter((contest) => contest.kind !== "private"),
    invited: async (match, inviteCode) =>
      (await catalog.contests(match)).find((contest) => contest.inviteCode === inviteCode) ?? null,
    contest: (contest) => catalog.contest(contest),
  };
}
