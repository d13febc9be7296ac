import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { nameOfProcess, treeOf } from "../../ops/services/proc.ts";
import type { SyncCounter } from "./syncs.ts";

/** A part of a design: the nodes, or one kind of server. */
export interface Part {
  readonly pids: readonly number[];
  readonly syncs: SyncCounter | null;
}

export interface PartUse {
  readonly cpuSeconds: number;
  /** null: not counted. */
  readonly syncs: number | null;
}

export interface Use {
  readonly seconds: number;
  readonly parts: Readonly<Record<string, PartUse>>;
  /** Of all cores together, 0 … 100: nobody used it. */
  readonly idlePercent: number;
  /** Of one core: processes that are not of this bench. */
  readonly othersPercent: number;
}

/** USER_HZ, 100 on every Linux that this runs on (proc_pid_stat(5)). */
const TICKS_PER_SECOND = 100;

/** What each part takes of the machine between two moments. */
export class Meters {
  readonly #parts: Readonly<Record<string, Part>>;
  readonly #before: Map<string, { readonly ticks: number; readonly syncs: number }>;
  readonly #machineBefore = machineTicks();
  readonly #startMs = performance.now();

  constructor(parts: Readonly<Record<string, Part>>) {
    this.#parts = parts;
    this.#before = new Map(Object.entries(parts).map(([name, part]) => [name, reading(part)]));
  }

  /** Since the construction. `generatorSeconds`: CPU of the load generator, whose process has ended. */
  read(generatorSeconds: number): Use {
    const seconds = (performance.now() - this.#startMs) / 1_000;
    const percent = (ticks: number) => (100 * ticks) / TICKS_PER_SECOND / seconds;
    const parts: Record<string, PartUse> = {};
    for (const [name, part] of Object.entries(this.#parts)) {
      const before = this.#before.get(name)!;
      const now = reading(part);
      parts[name] = {
        cpuSeconds: (now.ticks - before.ticks) / TICKS_PER_SECOND,
        syncs: part.syncs === null ? null : now.syncs - before.syncs,
      };
    }
    parts["generator"] = { cpuSeconds: generatorSeconds, syncs: null };
    const machine = machineTicks();
    const busy = percent(machine.busy - this.#machineBefore.busy);
    const own = Object.values(parts).reduce((sum, { cpuSeconds }) => sum + (100 * cpuSeconds) / seconds, 0);
    return {
      seconds,
      parts,
      idlePercent: percent(machine.idle - this.#machineBefore.idle) / availableParallelism(),
      othersPercent: Math.max(0, busy - own),
    };
  }
}

const reading = ({ pids, syncs }: Part) => ({
  ticks: pids.reduce((sum, pid) => sum + treeTicks(pid), 0),
  syncs: syncs?.count ?? 0,
});

/** Of the process, its descendants, and those of its children that have ended. */
function treeTicks(pid: number): number {
  const root = nameOfProcess(pid);
  if (root === null) return 0;
  return treeOf(root).reduce((sum, each) => sum + ticksOf(each.pid, each.pid === pid), 0);
}

function ticksOf(pid: number, withEnded: boolean): number {
  const stat = textOf(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  // utime, stime, cutime, cstime
  return fields.slice(11, withEnded ? 15 : 13).reduce((sum, field) => sum + Number(field), 0);
}

function machineTicks(): { readonly busy: number; readonly idle: number } {
  const [user, nice, system, idle, ioWait, irq, softIrq] = textOf("/proc/stat")
    .split("\n", 1)[0]!
    .split(/\s+/)
    .slice(1)
    .map(Number) as [number, number, number, number, number, number, number];
  return { busy: user + nice + system + irq + softIrq, idle: idle + ioWait };
}

/** Empty where the process has ended between two looks. */
function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
