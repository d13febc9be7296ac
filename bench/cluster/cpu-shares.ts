import { existsSync, mkdirSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** The CPU controller of control groups, version 1 (kernel.org: scheduler/sched-bwc). */
const CONTROLLER = "/sys/fs/cgroup/cpu";
/** Short, so that a process that has used up its share waits for milliseconds; a quota is 1 ms at least. */
const PERIOD_MICROS = 10_000;

/** Gives each of some processes a share of one core, as if it ran on a machine of its own that is so much smaller. */
export class CpuShares {
  readonly #directories: string[] = [];

  /** null where this machine can do it, else why not. */
  static missing(): string | null {
    const probe = join(CONTROLLER, `powerplay-probe-${process.pid}`);
    try {
      mkdirSync(probe);
      const isThere = existsSync(join(probe, "cpu.cfs_quota_us"));
      rmdirSync(probe);
      return isThere ? null : `${CONTROLLER} limits no CPU`;
    } catch (error) {
      return `${CONTROLLER} can't be written (${(error as Error).message})`;
    }
  }

  /** With all the threads that the process has or will have. `share`: of one core. */
  limit(pid: number, share: number): void {
    const directory = join(CONTROLLER, `powerplay-bench-${crypto.randomUUID()}`);
    mkdirSync(directory);
    this.#directories.push(directory);
    writeFileSync(join(directory, "cpu.cfs_period_us"), String(PERIOD_MICROS));
    writeFileSync(join(directory, "cpu.cfs_quota_us"), String(Math.round(PERIOD_MICROS * share)));
    writeFileSync(join(directory, "cgroup.procs"), String(pid));
  }

  /** When the processes have ended. */
  remove(): void {
    for (const directory of this.#directories.splice(0)) rmdirSync(directory);
  }
}
