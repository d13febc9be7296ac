import { useEffect, useRef } from "preact/hooks";
import type { AlignedData } from "uplot";
import type uPlot from "uplot";
import { countText } from "../words.ts";

export interface RankPoint {
  readonly atMs: number;
  readonly rank: number;
}

interface RankChartProps {
  readonly points: readonly RankPoint[];
  readonly lastPaidRank: number;
}

const HEIGHT = 190;

/** Rank over time, the best on top. The chart is for eyes; the caption says what it shows. */
export function RankChart({ points, lastPaidRank }: RankChartProps) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const latest = useRef<AlignedData>([[], [], []]);
  const line = shownLine(points, lastPaidRank);
  latest.current = [points.map(({ atMs }) => atMs / 1_000), points.map(({ rank }) => rank), points.map(() => line)];
  useEffect(() => {
    let gone = false;
    const element = box.current!;
    const resize = new ResizeObserver(() => plot.current?.setSize({ width: element.clientWidth, height: HEIGHT }));
    // A bundle of its own: whoever only picks a team does not load it.
    void import("./rank-plot.ts").then(({ openRankPlot }) => {
      if (gone) return;
      plot.current = openRankPlot(element, latest.current, HEIGHT);
      resize.observe(element);
    });
    // A canvas keeps its colours: a change of theme draws it anew.
    const repaint = () => plot.current?.redraw(false, true);
    const themes = new MutationObserver(repaint);
    themes.observe(document.documentElement, { attributeFilter: ["data-theme"] });
    const system = matchMedia("(prefers-color-scheme: dark)");
    system.addEventListener("change", repaint);
    return () => {
      gone = true;
      resize.disconnect();
      themes.disconnect();
      system.removeEventListener("change", repaint);
      plot.current?.destroy();
      plot.current = null;
    };
  }, []);
  useEffect(() => plot.current?.setData(latest.current), [points, lastPaidRank]);
  const ranks = points.map(({ rank }) => rank);
  return (
    <figure class="chart">
      <div ref={box} class="chart-box" data-testid="rank-chart" data-points={points.length} aria-hidden="true">
        <span class="chart-ink" />
        <span class="chart-accent" />
        <span class="chart-grid" />
      </div>
      <figcaption>
        {ranks.length < 2
          ? "Your rank over time appears with the next balls."
          : `Best ${countText(Math.min(...ranks))}, lowest ${countText(Math.max(...ranks))}, now ${countText(ranks.at(-1)!)}.`}
        {lastPaidRank > 0 &&
          ` Prizes go down to rank ${countText(lastPaidRank)}${line === null ? "" : ", the dashed line"}.`}
      </figcaption>
    </figure>
  );
}

/** The last rank that wins, drawn only where it does not flatten the rest. */
function shownLine(points: readonly RankPoint[], lastPaidRank: number): number | null {
  const worst = Math.max(1, ...points.map(({ rank }) => rank));
  return lastPaidRank > 0 && lastPaidRank <= worst * 2 ? lastPaidRank : null;
}
