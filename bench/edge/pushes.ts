/**
 * Followers on one node process: memory a socket, ball to own rank on the client, and the rate of pushes beside the rate of
 * Bun's bare `ws.send` to as many sockets in the same run. SOCKETS= and BALLS= change the run.
 */
import { Child, openNode } from "./ipc.ts";

const SOCKETS = Number(process.env["SOCKETS"] ?? 19_000);
const BALLS = Number(process.env["BALLS"] ?? 20);
const HOSTNAMES = ["127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4"];

interface State {
  readonly rssBytes: number;
  readonly openCount: number;
  readonly told: { readonly ownRanks: number; readonly rounds: number; readonly busyMs: number };
}
interface Ball {
  readonly atMs: number;
  readonly durableMs: number;
  readonly shownMs: number;
}
interface Arrivals {
  readonly arrivalsMs: Float64Array;
  readonly frameCount: number;
  readonly bytesIn: number;
  readonly closedCount: number;
}

const percentile = (sorted: Float64Array, share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
const kb = (bytes: number): string => `${(bytes / 1_024).toFixed(1)} KB`;

async function rawRate(): Promise<number> {
  const server = new Child("raw-server.ts");
  const swarm = new Child("swarm.ts");
  const { port, rssBytes } = await server.ask<{ port: number; rssBytes: number }>({ kind: "open" });
  await swarm.ask({ kind: "open", port, hostnames: HOSTNAMES, count: SOCKETS, width: 256 });
  const after = await server.ask<State>({ kind: "state" });
  console.log(`raw        ${after.openCount} sockets, ${kb((after.rssBytes - rssBytes) / after.openCount)} each`);
  const { perSecond } = await server.ask<{ perSecond: number[] }>({ kind: "send", rounds: 7 });
  const median = perSecond[Math.floor(perSecond.length / 2)]!;
  console.log(`raw        ${Math.round(median / 1_000)} K frames/s by ws.send, median of ${perSecond.length} rounds`);
  await swarm.ask({ kind: "close" });
  swarm.stop();
  server.stop();
  return median;
}

const raw = await rawRate();
const opened = await openNode(SOCKETS);
const { contestId, node, port, tokens } = opened;
const swarm = new Child("swarm.ts");
const swarmed = await swarm.ask<{ openMs: number; openCount: number }>({
  kind: "open",
  port,
  hostnames: HOSTNAMES,
  count: SOCKETS,
  width: 256,
  protocol: { tokens, contestId },
});
const before = await node.ask<State>({ kind: "state" });
console.log(
  `node       ${before.openCount} sockets logged in and following in ${(swarmed.openMs / 1_000).toFixed(1)} s, ` +
    `${kb((before.rssBytes - opened.rssBytes) / before.openCount)} each with their sessions ` +
    `(the process: ${Math.round(opened.rssBytes / 2 ** 20)} MB before, ${Math.round(before.rssBytes / 2 ** 20)} MB with them)`,
);

const latenciesMs: number[] = [];
let worstMs = 0;
await swarm.ask({ kind: "arrivals" });
const start = await node.ask<State>({ kind: "state" });
for (let ball = 0; ball < BALLS; ball++) {
  const { atMs } = await node.ask<Ball>({ kind: "ball" });
  // As in a match, where the node is idle between balls; longer than the tick, so that each ball is told by itself.
  await Bun.sleep(1_200);
  const { arrivalsMs } = await swarm.ask<Arrivals>({ kind: "arrivals" });
  for (const arrivalMs of arrivalsMs) latenciesMs.push(arrivalMs - atMs);
  for (const arrivalMs of arrivalsMs) worstMs = Math.max(worstMs, arrivalMs - atMs);
}
const end = await node.ask<State>({ kind: "state" });
const pushes = end.told.ownRanks - start.told.ownRanks;
const busyMs = end.told.busyMs - start.told.busyMs;
const sorted = Float64Array.from(latenciesMs).sort();
console.log(`node       ${BALLS} balls, ${pushes} own-rank pushes sent, ${sorted.length} received`);
console.log(
  `node       ball to own rank on the client: p50 ${percentile(sorted, 0.5).toFixed(0)} ms, ` +
    `p99 ${percentile(sorted, 0.99).toFixed(0)} ms, last ${worstMs.toFixed(0)} ms`,
);
const rate = (pushes / busyMs) * 1_000;
console.log(
  `node       ${Math.round(rate / 1_000)} K own-rank pushes/s while writing, each with the top list's change in the same ` +
    `write: ${Math.round((100 * rate) / raw)} % of raw`,
);
if (sorted.length !== pushes) throw new Error(`${pushes - sorted.length} pushes were lost`);
swarm.stop();

const crowd = new Child("swarm.ts");
const CROWD = Math.min(10_000, SOCKETS);
const crowded = await crowd.ask<{ openMs: number; openCount: number }>({
  kind: "open",
  port,
  hostnames: HOSTNAMES,
  count: CROWD,
  width: 2_000,
});
console.log(`node       ${crowded.openCount} connections opened in ${(crowded.openMs / 1_000).toFixed(2)} s`);
crowd.stop();
await node.ask({ kind: "stop" });
node.stop();
