import { existsSync, readdirSync, readFileSync } from "node:fs";

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

/** A stop signal reaches the threads of a busy process one after the other: whether all of them have stopped. */
export function isStopped({ pid }: ProcessName): boolean {
  const folder = `/proc/${pid}/task`;
  const threads = existsSync(folder) ? readdirSync(folder) : [];
  return threads.every((thread) => "TtZX".includes(stateOf(`${folder}/${thread}/stat`) ?? "X"));
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

/** One letter; null when it has ended. */
const stateOf = (file: string): string | null => statFields(file)?.[0] ?? null;

/** What stands behind the name; the name, in brackets, may itself hold spaces and brackets. */
function statFields(file: string): readonly string[] | null {
  try {
    const text = readFileSync(file, "utf8");
    return text.slice(text.lastIndexOf(")") + 2).split(" ");
  } catch {
    return null;
  }
}

function statOf(pid: number): Stat | null {
  const fields = statFields(`/proc/${pid}/stat`);
  if (fields === null) return null;
  const [state, parentPid, ...rest] = fields;
  return { pid, parentPid: Number(parentPid), startTicks: rest[17]!, isZombie: state === "Z" || state === "X" };
}
