/**
 * Durable team saves over the binary socket. First as users do it: one save under way on a socket, within each user's own
 * rate; then pipelined, a few sockets that stand for many users, which shows what is left when the system calls of single
 * frames are shared. Node and generator share the machine. USERS= changes the first run.
 */
import { Child } from "./ipc.ts";

interface Run {
  readonly count: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly refusedCount: number;
}

const USERS = (process.env["USERS"] ?? "2000,4000,6000").split(",").map(Number);
const PIPELINED = [
  { userCount: 64, depth: 16 },
  { userCount: 64, depth: 48 },
];
const RUN_MS = 5_000;

async function measure(name: string, userCount: number, depth: number, pauseMs: number, savesPerSecond: number) {
  const node = new Child("save-node.ts");
  const saver = new Child("saver.ts");
  const opened = await node.ask<object>({ kind: "open", userCount, savesPerSecond });
  await saver.ask({ kind: "open", ...opened, depth, pauseMs });
  await saver.ask({ kind: "run", forMs: 1_000 });
  const before = await node.ask<number>({ kind: "stored" });
  await node.ask({ kind: "begin" });
  const run = await saver.ask<Run>({ kind: "run", forMs: RUN_MS });
  const cpu = await node.ask<{ user: number; system: number }>({ kind: "cpu" });
  const stored = (await node.ask<number>({ kind: "stored" })) - before;
  console.log(
    `saves      ${name.padEnd(34)} ${Math.round(run.perSecond).toString().padStart(6)}/s  p50 ${run.p50Ms.toFixed(1)} ms  ` +
      `p99 ${run.p99Ms.toFixed(1)} ms  node ${((cpu.user + cpu.system) / 1e4 / (RUN_MS / 1_000)).toFixed(0)} % of a core ` +
      `(${(cpu.system / 1e4 / (RUN_MS / 1_000)).toFixed(0)} % in the kernel)`,
  );
  if (run.refusedCount > 0) console.log(`saves      ${run.refusedCount} were refused`);
  if (stored !== run.count) throw new Error(`${run.count} saves were acknowledged, ${stored} are stored`);
  await node.ask({ kind: "stop" });
  saver.stop();
  node.stop();
}

for (const userCount of USERS) await measure(`${userCount} users, one at a time`, userCount, 1, 120, 10);
for (const { userCount, depth } of PIPELINED) {
  await measure(`${userCount} sockets, ${depth} under way`, userCount, depth, 0, 1_000_000);
}
