import { useLayoutEffect, useRef } from "preact/hooks";
import { prefersStillness } from "./tween.tsx";

const MOVE_MS = 450;

/** Rows that change places glide there: children carry `data-key`. */
export function useFlip<E extends HTMLElement>() {
  const ref = useRef<E>(null);
  const tops = useRef<ReadonlyMap<string, number>>(new Map());
  useLayoutEffect(() => {
    const rows = Array.from(ref.current?.querySelectorAll<HTMLElement>(":scope > [data-key]") ?? []);
    const now = new Map(rows.map((row) => [row.dataset["key"]!, row.offsetTop]));
    if (!prefersStillness() && !document.hidden) {
      for (const row of rows) {
        const before = tops.current.get(row.dataset["key"]!);
        const moved = before === undefined ? 0 : before - row.offsetTop;
        if (moved === 0) continue;
        row.animate([{ transform: `translateY(${moved}px)` }, { transform: "none" }], {
          duration: MOVE_MS,
          easing: "ease-out",
        });
      }
    }
    tops.current = now;
  });
  return ref;
}
