import { spawn } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { LocalProcess } from "../cluster.ts";
import { isAlive, nameOfProcess, type ProcessName, signalAll } from "../services/proc.ts";
import { unreadyAt } from "./ready.ts";
import { ROLL_LIMITS, type RollLimits, type Runner } from "./runner.ts";

/** A node that is a process of this machine. Its pid file holds the number and, if we wrote it, the time of its start. */
export function localRunner(node: LocalProcess, ops: string, limits: RollLimits = ROLL_LIMITS): Runner {
  const { command, env, logFile, pidFile } = node;
  const running = (): ProcessName | null => {
    if (!existsSync(pidFile)) return null;
    const [pid, startTicks] = readFileSync(pidFile, "utf8").trim().split(" ");
    const named = nameOfProcess(Number(pid));
    // Another process may have got the number since.
    return named === null || !isAlive(named) || (startTicks ?? named.startTicks) !== named.startTicks ? null : named;
  };

  return {
    describe: {
      stop: `SIGTERM to the process of ${pidFile}, and wait until it has drained and ended`,
      start: `${command.join(" ")} (${Object.keys(env).join(", ")}; prints to ${logFile})`,
      ready: `wait for http://${ops}/readyz`,
    },

    async stop() {
      const process = running();
      if (process === null) return;
      signalAll([process], "SIGTERM");
      const deadlineMs = Date.now() + limits.stopMsMax;
      while (isAlive(process)) {
        if (Date.now() > deadlineMs)
          throw new Error(`process ${process.pid} has not ended in ${limits.stopMsMax / 1_000} s`);
        await Bun.sleep(limits.pollMs);
      }
      rmSync(pidFile, { force: true });
    },

    async start() {
      for (const file of [logFile, pidFile]) mkdirSync(dirname(file), { recursive: true });
      const log = openSync(logFile, "a");
      const child = spawn(command[0]!, command.slice(1), {
        env: { ...process.env, ...env },
        detached: true,
        stdio: ["ignore", log, log],
      });
      closeSync(log);
      const failed = Promise.withResolvers<never>();
      child.once("error", (error) => failed.reject(new Error(`${command[0]} can't be started: ${error.message}`)));
      child.unref();
      if (child.pid === undefined) return failed.promise;
      const named = nameOfProcess(child.pid);
      writeFileSync(pidFile, named === null ? `${child.pid}\n` : `${named.pid} ${named.startTicks}\n`);
    },

    async unready() {
      if (running() === null) throw new Error(`the process has ended; ${logFile} ends with\n${endOf(logFile)}`);
      return unreadyAt(ops);
    },
  };
}

const endOf = (file: string): string => readFileSync(file, "utf8").trimEnd().split("\n").slice(-10).join("\n");
