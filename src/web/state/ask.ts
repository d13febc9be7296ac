import { useEffect, useRef, useState } from "preact/hooks";
import type { Answer, Refusal } from "../../client/index.ts";

export interface Asked<T> {
  /** undefined until the first answer; afterwards the last good one. */
  readonly value: T | undefined;
  readonly refusal: Refusal | null;
  readonly reload: () => void;
}

/** Asks when the screen appears, again when `deps` change or `reload` is called. null: nothing to ask yet. */
export function useAsk<T>(ask: (() => Promise<Answer<T>>) | null, deps: readonly unknown[]): Asked<T> {
  const [state, setState] = useState<Omit<Asked<T>, "reload">>({ value: undefined, refusal: null });
  const [round, setRound] = useState(0);
  const lastDeps = useRef(deps);
  useEffect(() => {
    if (lastDeps.current.some((dep, index) => dep !== deps[index])) setState({ value: undefined, refusal: null });
    lastDeps.current = deps;
    if (ask === null) return undefined;
    let gone = false;
    void ask().then((answer) => {
      if (gone) return;
      if (answer.ok) setState({ value: answer.value, refusal: null });
      else setState(({ value }) => ({ value, refusal: answer.refusal }));
    });
    return () => {
      gone = true;
    };
  }, [...deps, round]);
  return { ...state, reload: () => setRound((count) => count + 1) };
}
