/**
 * A hundred thousand followers on one machine: as many node processes as the descriptor limit asks for, each with a swarm of
 * its own. A ball is played on all nodes at once. NODES= and SOCKETS= (a node) change the run.
 */
import { Child, openNode } from "./ipc.ts";

const NODES = Number(process.env["NODES"] ?? 6);
const SOCKETS = Number(process.env["SOCKETS"] ?? 17_000);
const BALLS = Number(process.env["BALLS"] ?? 5);
const HOSTNAMES = ["127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4"];

interface State {
  readonly rssBytes: number;
  readonly openCount: number;
  readonly told: { readonly ownRanks: number };
}
const nodes: { node: Child; swarm: Child; opened: { rssBytes: number } }[] = [];
for (let index = 0; index < NODES; index++) {
  const opened = await openNode(SOCKETS);
  const { contestId, node, port, tokens } = opened;
  const swarm = new Child("swarm.ts");
  const protocol = { tokens, contestId };
  await swarm.ask({ kind: "open", port, hostnames: HOSTNAMES, count: SOCKETS, width: 256, protocol });
  nodes.push({ node, swarm, opened });
}
const states = await Promise.all(nodes.map(({ node }) => node.ask<State>({ kind: "state" })));
const openCount = states.reduce((sum, state) => sum + state.openCount, 0);
const bytesEach = states.map(
  ({ rssBytes, openCount }, index) => (rssBytes - nodes[index]!.opened.rssBytes) / openCount,
);
console.log(
  `nodes      ${openCount} sockets on ${NODES} processes, ${(Math.max(...bytesEach) / 1_024).toFixed(1)} KB each at most`,
);

await Promise.all(nodes.map(({ swarm }) => swarm.ask({ kind: "arrivals" })));
const latenciesMs: number[] = [];
for (let ball = 0; ball < BALLS; ball++) {
  const played = await Promise.all(nodes.map(({ node }) => node.ask<{ atMs: number }>({ kind: "ball" })));
  await Bun.sleep(3_000);
  const arrived = await Promise.all(
    nodes.map(({ swarm }) => swarm.ask<{ arrivalsMs: Float64Array }>({ kind: "arrivals" })),
  );
  for (const [index, { arrivalsMs }] of arrived.entries()) {
    for (const arrivalMs of arrivalsMs) latenciesMs.push(arrivalMs - played[index]!.atMs);
  }
}
const ends = await Promise.all(nodes.map(({ node }) => node.ask<State>({ kind: "state" })));
const pushes = ends.reduce((sum, end, index) => sum + end.told.ownRanks - states[index]!.told.ownRanks, 0);
const sorted = Float64Array.from(latenciesMs).sort();
const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
console.log(
  `nodes      ${BALLS} balls, ${pushes} own-rank pushes sent, ${sorted.length} received; ball to client p50 ` +
    `${at(0.5).toFixed(0)} ms, p99 ${at(0.99).toFixed(0)} ms, last ${at(1).toFixed(0)} ms`,
);
if (sorted.length !== pushes) throw new Error(`${pushes - sorted.length} pushes were lost`);
for (const { node, swarm } of nodes) {
  swarm.stop();
  await node.ask({ kind: "stop" });
  node.stop();
}
