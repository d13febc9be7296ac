import { readdirSync, readFileSync } from "node:fs";

/** A process named so that a later one with the same number is not taken for it. */
export interface ProcessName {
  readonly pid: number;
  /** Clock ticks since boot (proc_pid_stat(5), field 22). */
  readonly startTicks: string;
}

interface Stat extends ProcessName {
  readonly parentPid: number;
  readonly isZombie: boolean;
}

export function nameOfProcess(pid: number): ProcessName | null {
  const stat = statOf(pid);
  return stat && { pid, startTicks: stat.startTicks };
}

export function isAlive({ pid, startTicks }: ProcessName): boolean {
  const stat = statOf(pid);
  return stat !== null && stat.startTicks === startTicks && !stat.isZombie;
}

/** The process and all its descendants: Postgres gives every backend a process group of its own. */
export function treeOf(root: ProcessName): readonly ProcessName[] {
  if (!isAlive(root)) return [];
  const all = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => statOf(Number(name)) ?? []);
  const tree: ProcessName[] = [root];
  for (const { pid } of tree) tree.push(...all.filter(({ parentPid, isZombie }) => parentPid === pid && !isZombie));
  return tree;
}

export function signalAll(processes: readonly ProcessName[], signal: NodeJS.Signals): void {
  for (const one of processes) {
    if (!isAlive(one)) continue;
    try {
      process.kill(one.pid, signal);
    } catch (error) {
      // It ended between the look and the signal.
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  }
}

function statOf(pid: number): Stat | null {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    return null;
  }
  // The name, in brackets, may itself hold spaces and brackets.
  const [state, parentPid, ...rest] = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return { pid, parentPid: Number(parentPid), startTicks: rest[17]!, isZombie: state === "Z" || state === "X" };
}
