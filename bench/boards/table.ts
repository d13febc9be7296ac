import type { BoardsResult } from "./result.ts";

/** A length of time in the unit that suits it. */
export function shownMs(ms: number): string {
  const [value, unit] =
    ms >= 1_000 ? [ms / 1_000, "s"] : ms >= 1 ? [ms, "ms"] : ms >= 1e-3 ? [ms * 1e3, "µs"] : [ms * 1e6, "ns"];
  return `${Number(value.toPrecision(3))} ${unit}`;
}

const millions = (count: number): string => `${Number((count / 1e6).toPrecision(4))} M`;
const percent = (share: number): string => `${Math.round(share * 100)} %`;
const times = (ratio: number): string => `${Math.round(ratio).toLocaleString("en")} x`;
const gb = (perSecond: number): string => `${perSecond.toFixed(1)} GB/s`;

/** What was asked for, what was measured, and whether that is enough. */
export function tableOf({ mega, kernels, delta, redis, many, final, deadline }: BoardsResult): string[] {
  const rows: [what: string, measured: string, asked: string, reached?: boolean][] = [];
  if (mega) {
    const { rerank, ownRank, ownRankFromBoard, top100, neighbours, middlePage, entries } = mega;
    const name = millions(entries);
    rows.push([`(a) re-rank ${name}, median`, shownMs(rerank.medianMs), "25 ms", rerank.medianMs <= 25]);
    rows.push([`    p99 of ${rerank.count} balls`, shownMs(rerank.p99Ms), ""]);
    rows.push(["    own rank, held", shownMs(ownRank.medianMs), "1 µs", ownRank.medianMs < 1e-3]);
    rows.push(["    own rank, from the board", shownMs(ownRankFromBoard.medianMs), ""]);
    rows.push(["    top 100", shownMs(top100.medianMs), "1 ms", top100.medianMs < 1]);
    rows.push(["    neighbours ±5", shownMs(neighbours.medianMs), "10 ms", neighbours.medianMs < 10]);
    rows.push(["    a page in the middle", shownMs(middlePage.medianMs), ""]);
  }
  if (many) {
    const { rerank } = many;
    rows.push([
      `(b) re-rank ${millions(many.entries)}, median`,
      shownMs(rerank.medianMs),
      "120 ms",
      rerank.medianMs <= 120,
    ]);
    rows.push(["    p99", shownMs(rerank.p99Ms), ""]);
  }
  if (final) {
    const { pass, restartMs, memory, eventLoop } = final.node;
    const totalMb = memory.sharedMb + memory.processMb;
    rows.push([
      `(c) re-rank ${millions(final.entries)}, median`,
      shownMs(pass.medianMs),
      "500 ms",
      pass.medianMs <= 500,
    ]);
    rows.push([`    p99, ${final.contests.toLocaleString("en")} contests`, shownMs(pass.p99Ms), ""]);
    rows.push(["    shared memory", `${Math.round(memory.sharedMb)} MB`, ""]);
    rows.push(["    with the process", `${Math.round(totalMb)} MB`, "3500 MB", totalMb <= 3_500]);
    rows.push(["    restart to first standing", shownMs(restartMs), "1 s", restartMs <= 1_000]);
    const { idle, underPasses } = eventLoop;
    rows.push(["(f) timer late, idle, p99", shownMs(idle.p99Ms), ""]);
    rows.push(["    under passes, p99", shownMs(underPasses.p99Ms), "2 ms", underPasses.p99Ms <= 2]);
    rows.push(["    longest, idle", `${shownMs(idle.maxMs)}; ${idle.over2Ms} of ${idle.count} over 2 ms`, ""]);
    rows.push([
      "    longest, under passes",
      `${shownMs(underPasses.maxMs)}; ${underPasses.over2Ms} of ${underPasses.count}`,
      "",
    ]);
  }
  if (deadline) {
    const { fromLog, followed, typescript } = deadline;
    const { ranksMs, entries, eventLoop } = fromLog;
    rows.push([`(h) log of ${millions(entries)} to ranks`, shownMs(ranksMs), "3 s", ranksMs <= 3_000]);
    rows.push(["    read, sorted and sealed", `${shownMs(fromLog.readMs)}, ${shownMs(fromLog.sealMs)}`, ""]);
    rows.push(["    followed before the deadline", shownMs(followed.ranksMs), ""]);
    rows.push(["    by the TypeScript index", shownMs(typescript.ranksMs), ""]);
    rows.push(["    then to the commitment", shownMs(fromLog.commitmentMs), ""]);
    rows.push([
      "    timer late meanwhile, p99",
      `${shownMs(eventLoop.p99Ms)}, longest ${shownMs(eventLoop.maxMs)}`,
      "",
    ]);
  }
  if (redis) {
    const { six, ownRank, top100 } = redis;
    for (const [order, { redisMs, incrementsPerSecond, ratio }] of [
      ["by id", six.inIdOrder],
      ["shuffled", six.shuffled],
    ] as const) {
      const rate = `${Math.round(incrementsPerSecond / 1e3)} K/s`;
      rows.push([
        `(d) six in Redis, ${order}`,
        `${shownMs(redisMs)}, ${rate}, ${times(ratio)}`,
        "1,000 x",
        ratio >= 1_000,
      ]);
    }
    rows.push([`    ${millions(six.increments)} of ${millions(redis.members)}; here`, shownMs(six.board.medianMs), ""]);
    rows.push(["    ZREVRANK, one by one", shownMs(ownRank.oneByOne.medianMs), ""]);
    rows.push(["    ZREVRANK, pipelined", shownMs(ownRank.pipelinedEach.medianMs), ""]);
    rows.push(["    ZREVRANGE 0 99", shownMs(top100.medianMs), ""]);
  }
  if (kernels) {
    for (const [threads, perSecond] of Object.entries(kernels.bandwidth)) {
      rows.push([`(e) machine reads, ${threads} threads`, gb(perSecond), ""]);
    }
    const { scoreOnly } = kernels;
    const only = scoreOnly.shareOfBandwidth;
    rows.push(["    scores alone, 1 threads", `${gb(scoreOnly.gbPerSecond)}, ${percent(only)}`, "60 %", only >= 0.6]);
    for (const { kernel, threads, pass, gbPerSecond, shareOfBandwidth: share } of kernels.kernels) {
      const measured = `${shownMs(pass.medianMs)}, ${gb(gbPerSecond)}`;
      const name = `    pass, ${kernel}, ${threads} threads`;
      if (share === null) rows.push([name, measured, ""]);
      else rows.push([name, `${measured}, ${percent(share)}`, "60 %", share >= 0.6]);
    }
  }
  if (delta) {
    rows.push(["(g) delta, 1 thread", `${shownMs(delta.delta.medianMs)}, full ${shownMs(delta.full.medianMs)}`, ""]);
    rows.push(["    ratio", `${delta.ratio.toFixed(2)} x`, ""]);
  }
  return rows.map(([what, measured, asked, reached]) => {
    const verdict = reached === undefined ? "" : reached ? `reached (${asked})` : `NOT reached (${asked})`;
    return `${what.padEnd(36)} ${measured.padEnd(34)} ${verdict}`.trimEnd();
  });
}
