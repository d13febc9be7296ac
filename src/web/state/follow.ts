import { useEffect, useState } from "preact/hooks";
import type { ContestView, Follow, MatchView, Refusal } from "../../client/index.ts";
import type { ContestId, MatchId } from "../../domain/ids.ts";
import { client } from "./node.ts";

export interface Followed<View> {
  readonly view: View | null;
  readonly refusal: Refusal | null;
}

function useFollow<View>(open: (() => Follow<View>) | null, key: number | null): Followed<View> {
  const [state, setState] = useState<Followed<View> & { readonly key: number | null }>({
    key,
    view: null,
    refusal: null,
  });
  useEffect(() => {
    if (open === null) return undefined;
    const follow = open();
    const show = () => setState({ key, view: follow.view, refusal: follow.refusal });
    show();
    follow.onChange(show);
    follow.onRefusal(show);
    return () => follow.stop();
  }, [key]);
  // What was followed before is not shown under another's name, not even for one frame.
  return state.key === key ? state : { view: null, refusal: null };
}

export const useMatch = (match: MatchId | null): Followed<MatchView> =>
  useFollow(match === null ? null : () => client.followMatch(match), match);

export const useContest = (contest: ContestId | null): Followed<ContestView> =>
  useFollow(contest === null ? null : () => client.followContest(contest), contest);
