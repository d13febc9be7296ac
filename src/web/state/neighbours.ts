import { useEffect, useRef, useState } from "preact/hooks";
import type { OwnRow } from "../../client/index.ts";
import type { ContestId } from "../../domain/ids.ts";
import type { ShownRow } from "../parts/board.tsx";
import { client } from "./node.ts";

const RADIUS = 3;
/** A look at the board costs the node a pass; own rank and score are pushed anyway. */
const ASK_EVERY_MS = 3_000;

/** The rows around one's own. */
export function useNeighbours(contest: ContestId, own: OwnRow | null, offset: number): readonly ShownRow[] {
  const [rows, setRows] = useState<readonly ShownRow[]>([]);
  const askedAtMs = useRef(Number.NEGATIVE_INFINITY);
  const entry = own?.entryId ?? null;
  useEffect(() => {
    askedAtMs.current = Number.NEGATIVE_INFINITY;
    setRows([]);
  }, [entry]);
  useEffect(() => {
    if (entry === null) return undefined;
    let gone = false;
    const waitMs = Math.max(0, askedAtMs.current + ASK_EVERY_MS - performance.now());
    const timer = setTimeout(async () => {
      askedAtMs.current = performance.now();
      const answer = await client.neighbours(contest, entry, RADIUS);
      if (!gone && answer.ok) setRows(answer.value.rows);
    }, waitMs);
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, [contest, entry, offset, own?.scoreQp]);
  return rows;
}
