import { useEffect, useState } from "preact/hooks";
import type { EntryInfo } from "../../client/index.ts";
import type { MatchId } from "../../domain/ids.ts";
import type { Match } from "../../domain/match.ts";
import { client, session } from "./node.ts";

/** Entries are asked match by match; the latest are what anybody looks for. */
const MATCHES_MAX = 20;

const none: ReadonlyMap<MatchId, readonly EntryInfo[]> = new Map();

/** The user's entries by match; empty for nobody. */
export function useMyEntries(matches: readonly Match[] | undefined): ReadonlyMap<MatchId, readonly EntryInfo[]> {
  const [entries, setEntries] = useState(none);
  const asker = session.value?.userId ?? null;
  const ids = (matches ?? [])
    .toSorted((a, b) => b.startMs - a.startMs)
    .slice(0, MATCHES_MAX)
    .map(({ id }) => id);
  useEffect(() => {
    let gone = false;
    setEntries(none);
    if (asker === null) return undefined;
    void Promise.all(ids.map((id) => client.entries(id))).then((answers) => {
      if (gone) return;
      setEntries(
        new Map(answers.flatMap((answer, index) => (answer.ok ? [[ids[index]!, answer.value] as const] : []))),
      );
    });
    return () => {
      gone = true;
    };
  }, [asker, ids.join()]);
  return entries;
}
