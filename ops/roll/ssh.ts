import type { SshUnit } from "../cluster.ts";
import { ROLL_LIMITS, type RollLimits, type Runner } from "./runner.ts";

/** Fails rather than asks; a machine that does not answer is told soon. */
const OPTIONS = ["-o", "BatchMode=yes", "-o", "ConnectTimeout=10"];

/**
 * A node that is a systemd unit of another machine. Its readiness is asked there, because a node answers operators on its own machine
 * only.
 */
export function sshRunner({ host, unit }: SshUnit, ops: string, limits: RollLimits = ROLL_LIMITS): Runner {
  /** The exit status of ssh's own troubles, of systemctl or of curl. */
  const run = async (command: readonly string[], msMax: number) => {
    const ssh = Bun.spawn(["ssh", ...OPTIONS, host, "--", ...command], {
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
      timeout: msMax,
    });
    const [said, complained] = await Promise.all([
      new Response(ssh.stdout).text(),
      new Response(ssh.stderr).text(),
      ssh.exited,
    ]);
    return { status: ssh.exitCode, said: said.trim(), complained: complained.trim() };
  };
  const must = async (command: readonly string[], msMax: number) => {
    const { status, complained } = await run(command, msMax);
    if (status === 0) return;
    const how = status === null ? `took more than ${msMax / 1_000} s` : `ended with ${status}`;
    throw new Error(`ssh ${host} ${command.join(" ")} ${how}: ${complained}`);
  };
  const stop = ["sudo", "systemctl", "stop", unit];
  const start = ["sudo", "systemctl", "start", unit];
  const ready = ["curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", `http://${ops}/readyz`];

  return {
    describe: {
      stop: `ssh ${host} ${stop.join(" ")}, which waits until it has drained and ended`,
      start: `ssh ${host} ${start.join(" ")}`,
      ready: `wait for http://${ops}/readyz on ${host}`,
    },
    stop: () => must(stop, limits.stopMsMax),
    start: () => must(start, limits.readyMsMax),
    async unready() {
      const { complained, said, status } = await run(ready, limits.readyMsMax);
      if (status === 0) return said === "200" ? null : `http://${ops}/readyz on ${host} answers ${said}`;
      // While it is still on its way nothing listens there; a unit that failed will not come by itself.
      const state = await run(["systemctl", "is-active", unit], limits.readyMsMax);
      if (state.said === "failed") throw new Error(`${unit} on ${host} has failed: ssh ${host} journalctl -u ${unit}`);
      return complained;
    },
  };
}
