import { useEffect, useState } from "preact/hooks";
import type { OwnRow } from "../../client/index.ts";
import type { ContestId } from "../../domain/ids.ts";
import type { RankPoint } from "../parts/rank-chart.tsx";
import { client } from "./node.ts";

const POINTS_MAX = 1_000;

/** What the node sampled before this screen opened, and every change since. */
export function useRankHistory(contest: ContestId, own: OwnRow | null): readonly RankPoint[] {
  const [points, setPoints] = useState<readonly RankPoint[]>([]);
  const entry = own?.entryId ?? null;
  useEffect(() => {
    let gone = false;
    setPoints([]);
    if (entry === null) return undefined;
    void client.rankHistory(contest, entry).then((answer) => {
      if (gone || !answer.ok) return;
      const sampled = answer.value.map(({ atMs, rank }) => ({ atMs, rank }));
      const until = sampled.at(-1)?.atMs ?? 0;
      setPoints((since) => [...sampled, ...since.filter(({ atMs }) => atMs > until)]);
    });
    return () => {
      gone = true;
    };
  }, [contest, entry]);
  useEffect(() => {
    if (own === null) return;
    const point = { atMs: client.nowMs(), rank: own.rank };
    setPoints((before) => [...before.filter(({ atMs }) => atMs < point.atMs), point].slice(-POINTS_MAX));
  }, [entry, own?.rank, own?.scoreQp]);
  return points;
}
