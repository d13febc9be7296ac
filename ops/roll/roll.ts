import type { ClusterNode } from "../cluster.ts";
import { localRunner } from "./local.ts";
import { unreadyAt } from "./ready.ts";
import { ROLL_LIMITS, type RollLimits, type Runner } from "./runner.ts";
import { sshRunner } from "./ssh.ts";

export interface RollOptions {
  readonly nodes: readonly ClusterNode[];
  readonly group: string;
  /** Only says what would be done. */
  readonly dry: boolean;
  /** Begins although other nodes are not ready. */
  readonly force: boolean;
  readonly say: (line: string) => void;
  readonly limits?: RollLimits;
  readonly runnerOf?: (node: ClusterNode, limits: RollLimits) => Runner;
}

export type RollResult =
  | { readonly ok: true; readonly rolled: readonly string[] }
  /** `rolled` are new, `failed` is as the step left it, `left` are untouched. */
  | {
      readonly ok: false;
      readonly rolled: readonly string[];
      readonly failed: string;
      readonly left: readonly string[];
      readonly reason: string;
    };

/**
 * Restarts the nodes of a group one after the other: drain and stop, start, wait until it is ready again. It stops at the first
 * failure, because what broke one node would break the next one too; and it does not begin while other nodes are missing, because
 * their users are on the ones that are left.
 */
export async function roll(options: RollOptions): Promise<RollResult> {
  const { dry, force, group, limits = ROLL_LIMITS, nodes, runnerOf = runnerFor, say } = options;
  const runners = new Map(nodes.map((node) => [node.name, runnerOf(node, limits)]));
  const names = nodes.filter((node) => node.group === group).map(({ name }) => name);
  const rolled: string[] = [];
  const refusal = (failed: string, reason: string): RollResult => ({
    ok: false,
    rolled,
    failed,
    left: names.filter((name) => name !== failed && !rolled.includes(name)),
    reason,
  });
  if (names.length === 0) {
    const groups = [...new Set(nodes.map((node) => node.group))];
    return refusal("", `no node is in group "${group}"; there are ${groups.join(", ")}`);
  }

  for (const name of names) {
    const runner = runners.get(name)!;
    const { describe } = runner;
    if (dry) {
      for (const [step, what] of Object.entries(describe)) say(`${name}: ${step}: ${what}`);
      rolled.push(name);
      continue;
    }
    let step = "before it";
    try {
      if (!force) await othersReady(runners, name);
      const beganMs = performance.now();
      step = "stop";
      say(`${name}: draining`);
      await runner.stop();
      const stoppedMs = performance.now();
      step = "start";
      say(`${name}: stopped after ${seconds(stoppedMs - beganMs)}, starting`);
      await runner.start();
      step = "ready";
      await ready(runner, limits);
      say(`${name}: ready ${seconds(performance.now() - stoppedMs)} after its stop`);
      rolled.push(name);
    } catch (error) {
      return refusal(name, `${step}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return { ok: true, rolled };
}

async function othersReady(runners: ReadonlyMap<string, Runner>, name: string): Promise<void> {
  const others = [...runners].filter(([other]) => other !== name);
  const states = await Promise.all(
    others.map(async ([other, runner]) => {
      const why = await runner.unready().catch((error: unknown) => String(error));
      return why === null ? [] : [`${other} is not ready: ${why}`];
    }),
  );
  const unready = states.flat();
  if (unready.length > 0) throw new Error(`${unready.join("; ")}. Start them first, or say FORCE=1`);
}

async function ready(runner: Runner, { pollMs, readyMsMax }: RollLimits): Promise<void> {
  const deadlineMs = Date.now() + readyMsMax;
  for (;;) {
    const why = await runner.unready();
    if (why === null) return;
    if (Date.now() > deadlineMs) throw new Error(`not ready after ${readyMsMax / 1_000} s: ${why}`);
    await Bun.sleep(pollMs);
  }
}

function runnerFor({ how, ops }: ClusterNode, limits: RollLimits): Runner {
  if (how === undefined) return strangerRunner(ops);
  return "local" in how ? localRunner(how.local, ops, limits) : sshRunner(how.ssh, ops, limits);
}

/** A node that is not ours to restart, but to be asked. */
function strangerRunner(ops: string): Runner {
  const unknown = async () => {
    throw new Error("the cluster file does not say how it is restarted");
  };
  const describe = { stop: "not known", start: "not known", ready: `wait for http://${ops}/readyz` };
  return { describe, stop: unknown, start: unknown, unready: () => unreadyAt(ops) };
}

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;
