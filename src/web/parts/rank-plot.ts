import uPlot, { type AlignedData } from "uplot";

/** Colours of the page as it is now: canvas knows no custom properties. */
const colourOf = (element: HTMLElement, kind: string) => () =>
  getComputedStyle(element.querySelector(`.chart-${kind}`)!).color;

const timeOf = (options: Intl.DateTimeFormatOptions) => {
  const format = new Intl.DateTimeFormat("en-IN", { hour12: false, ...options });
  return (atS: number) => format.format(atS * 1_000);
};
const withSeconds = timeOf({ hour: "2-digit", minute: "2-digit", second: "2-digit" });
const withMinutes = timeOf({ hour: "2-digit", minute: "2-digit" });
/** Below it, minutes would all be the same. */
const SECONDS_UNTIL_S = 300;

export function openRankPlot(element: HTMLElement, data: AlignedData, height: number): uPlot {
  const ink = colourOf(element, "ink");
  const accent = colourOf(element, "accent");
  const grid = colourOf(element, "grid");
  const axis = { stroke: ink, grid: { stroke: grid, width: 1 }, ticks: { show: false }, font: "12px system-ui" };
  return new uPlot(
    {
      width: element.clientWidth,
      height,
      padding: [10, 12, 0, 0],
      cursor: { show: false },
      legend: { show: false },
      scales: {
        x: { time: true },
        // The best rank is on top.
        y: { dir: -1, range: (_plot, min, max) => [Math.max(1, min - 1), Math.max(max + 1, min + 4)] },
      },
      series: [
        {},
        { stroke: accent, width: 3, points: { show: false }, paths: uPlot.paths.stepped!({ align: 1 }) },
        { stroke: ink, width: 1, dash: [5, 5], points: { show: false } },
      ],
      axes: [
        {
          ...axis,
          size: 28,
          space: 110,
          incrs: [1, 2, 5, 10, 30, 60, 120, 300, 600, 1_800, 3_600, 7_200, 21_600, 86_400],
          values: (_plot, splits) => {
            const short = splits.at(-1)! - splits[0]! < SECONDS_UNTIL_S;
            return splits.map(short ? withSeconds : withMinutes);
          },
        },
        {
          ...axis,
          size: 52,
          incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 100_000, 1_000_000],
        },
      ],
    },
    data,
    element,
  );
}
