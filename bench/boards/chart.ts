import type { BoardsResult } from "./result.ts";
import { shownMs } from "./table.ts";

interface Bar {
  readonly name: string;
  readonly ms: number;
  readonly ours: boolean;
}

interface Group {
  readonly title: string;
  readonly bars: readonly Bar[];
}

const WIDTH = 860;
const LABELS = 290;
const ROW = 24;
const GAP = 46;
const TOP = 62;
const RIGHT = 90;

/** Horizontal bars on a logarithmic scale of time: what one ball and one question cost here and elsewhere. */
export function chartOf(result: BoardsResult): string {
  const groups = groupsOf(result).filter(({ bars }) => bars.length > 0);
  const all = groups.flatMap(({ bars }) => bars.map(({ ms }) => ms));
  const low = Math.floor(Math.log10(Math.min(...all)));
  const high = Math.ceil(Math.log10(Math.max(...all)));
  const x = (ms: number): number => LABELS + ((Math.log10(ms) - low) / (high - low)) * (WIDTH - LABELS - RIGHT);
  const height = TOP + groups.reduce((sum, { bars }) => sum + GAP + bars.length * ROW, 0) + 34;

  const parts: string[] = [];
  for (let power = low; power <= high; power++) {
    const at = x(10 ** power).toFixed(1);
    parts.push(`<line x1="${at}" y1="${TOP}" x2="${at}" y2="${height - 30}" class="grid"/>`);
    parts.push(`<text x="${at}" y="${height - 12}" class="axis" text-anchor="middle">${shownMs(10 ** power)}</text>`);
  }
  let y = TOP;
  for (const { title, bars } of groups) {
    y += GAP;
    parts.push(`<text x="16" y="${y - 12}" class="group">${title}</text>`);
    for (const { name, ms, ours } of bars) {
      const length = Math.max(2, x(ms) - LABELS).toFixed(1);
      parts.push(`<text x="${LABELS - 10}" y="${y + 14}" class="name" text-anchor="end">${name}</text>`);
      parts.push(
        `<rect x="${LABELS}" y="${y + 2}" width="${length}" height="${ROW - 7}" rx="2" class="${ours ? "ours" : "peer"}"/>`,
      );
      parts.push(`<text x="${(x(ms) + 8).toFixed(1)}" y="${y + 15}" class="value">${shownMs(ms)}</text>`);
      y += ROW;
    }
  }
  const { machine } = result;
  const subtitle = `medians of one run, ${machine.cores} cores of ${machine.cpu}, logarithmic scale, shorter is better`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui, sans-serif">
<style>
.title { font-size: 18px; font-weight: 600; fill: #1f2937 } .group { font-size: 13px; font-weight: 600; fill: #1f2937 }
.name, .value { font-size: 12px; fill: #374151 } .axis, .subtitle { font-size: 11px; fill: #6b7280 }
.grid { stroke: #e5e7eb } .ours { fill: #0f766e } .peer { fill: #b45309 }
</style>
<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>
<text x="16" y="28" class="title">What a ball costs: exact ranks of millions of entries</text>
<text x="16" y="48" class="subtitle">${subtitle}</text>
${parts.join("\n")}
</svg>
`;
}

function groupsOf({ mega, kernels, redis, many, final, deadline }: BoardsResult): Group[] {
  const bar = (name: string, ms: number | undefined, ours: boolean): Bar[] =>
    ms === undefined ? [] : [{ name, ms, ours }];
  const size = (entries: number): string => `${Math.round(entries / 1e6).toLocaleString("en")} M entries`;
  return [
    {
      title: `One six in the mega contest${mega ? `, ${size(mega.entries)}` : ""}`,
      bars: [
        ...bar("Powerplay, every entry re-ranked", redis?.six.board.medianMs, true),
        ...bar("Redis ZINCRBY, in the order of ids", redis?.six.inIdOrder.redisMs, false),
        ...bar("Redis ZINCRBY, as users come", redis?.six.shuffled.redisMs, false),
      ],
    },
    {
      title: "My rank",
      bars: [
        ...bar("Powerplay, team held by the node", mega?.ownRank.medianMs, true),
        ...bar("Powerplay, read from shared memory", mega?.ownRankFromBoard.medianMs, true),
        ...bar("Redis ZREVRANK, pipelined", redis?.ownRank.pipelinedEach.medianMs, false),
        ...bar("Redis ZREVRANK, one by one", redis?.ownRank.oneByOne.medianMs, false),
      ],
    },
    {
      title: "Top 100",
      bars: [
        ...bar("Powerplay", mega?.top100.medianMs, true),
        ...bar("Redis ZREVRANGE 0 99", redis?.top100.medianMs, false),
      ],
    },
    {
      title: "Kernels over the same columns",
      bars: (kernels?.kernels ?? [])
        .toSorted((a, b) => a.pass.medianMs - b.pass.medianMs)
        .flatMap(({ kernel, threads, pass }) =>
          bar(`${kernel}, ${threads} ${threads === 1 ? "thread" : "threads"}`, pass.medianMs, true),
        ),
    },
    {
      title: "The deadline: from the log of the mega contest to the first ranks",
      bars: [
        ...bar("followed before", deadline?.followed.ranksMs, true),
        ...bar("read after the deadline", deadline?.fromLog.ranksMs, true),
        ...bar("by the TypeScript index", deadline?.typescript.ranksMs, true),
      ],
    },
    {
      title: "More entries",
      bars: [
        ...bar(many ? size(many.entries) : "", many?.rerank.medianMs, true),
        ...bar(
          final ? `${size(final.entries)}, ${final.contests.toLocaleString("en")} contests` : "",
          final?.node.pass.medianMs,
          true,
        ),
      ],
    },
  ];
}
