import type { Catalog } from "../stores/catalog/port.ts";
import type { Browse } from "./game.ts";

const MATCHES_SHOWN_MAX = 500;

export function browseCatalog(catalog: Catalog): Browse {
  return {
    matches: () => catalog.matches({ limit: MATCHES_SHOWN_MAX }),
    match: (match) => catalog.match(match),
    squad: (match) => catalog.squad(match),
    contests: async (match) => (await catalog.contests(match)).filter((contest) => contest.kind !== "private"),
    invited: async (match, inviteCode) =>
      (await catalog.contests(match)).find((contest) => contest.inviteCode === inviteCode) ?? null,
    contest: (contest) => catalog.contest(contest),
  };
}
