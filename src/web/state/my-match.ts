import type { ContestInfo, EntryInfo, TeamInfo } from "../../client/index.ts";
import type { MatchId } from "../../domain/ids.ts";
import type { Squad } from "../../domain/squad.ts";
import { useAsk } from "./ask.ts";
import { client, session } from "./node.ts";

export interface MyMatch {
  readonly squad: Squad | undefined;
  readonly teams: readonly TeamInfo[] | undefined;
  readonly entries: readonly EntryInfo[] | undefined;
  readonly reload: () => void;
}

/** What a user has in a match: teams and entries; nothing of either for nobody. */
export function useMyMatch(match: MatchId | null): MyMatch {
  const asker = session.value?.userId ?? null;
  const own = match !== null && asker !== null;
  const squad = useAsk(match === null ? null : () => client.squad(match), [match]);
  const teams = useAsk(own ? () => client.teams(match) : null, [match, asker]);
  const entries = useAsk(own ? () => client.entries(match) : null, [match, asker]);
  return {
    squad: squad.value,
    teams: asker === null ? [] : teams.value,
    entries: asker === null ? [] : entries.value,
    reload: () => {
      teams.reload();
      entries.reload();
    },
  };
}

export const entryCountIn = (entries: readonly EntryInfo[] | undefined, contest: Pick<ContestInfo, "id">): number =>
  entries?.filter(({ contestId }) => contestId === contest.id).length ?? 0;
