import { mkdir, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Engine, ServiceName } from "./engine.ts";
import { ENGINES, portsOf, Service } from "./service.ts";

/**
 * The servers that development and CI share, one of each kind:
 *
 *   command.ts start|stop|kill|pause|resume|status [redis|postgres|kafka|cassandra|aerospike …]
 *
 * Without names: all. They live in SERVICES_DIR (build/services) on ports that REDIS_PORT, POSTGRES_PORT, KAFKA_PORT, CASSANDRA_PORT and
 * AEROSPIKE_PORT change. After start, stop and kill, SERVICES_ENV (build/services.env) names those that are up.
 */
const USAGE = `usage: command.ts start|stop|kill|pause|resume|status [${Object.keys(ENGINES).join("|")} ...]`;
const DIRECTORY = resolve(process.env["SERVICES_DIR"] ?? "build/services");
const ENV_FILE = resolve(process.env["SERVICES_ENV"] ?? "build/services.env");

const [verb = "", ...given] = process.argv.slice(2);
const unknown = given.filter((name) => !(name in ENGINES));
if (!["start", "stop", "kill", "pause", "resume", "status"].includes(verb) || unknown.length > 0) {
  console.error(USAGE);
  process.exit(2);
}
const names = (given.length > 0 ? given : Object.keys(ENGINES)) as ServiceName[];
const outcomes = await Promise.all(names.map((name) => act(verb, ENGINES[name])));
if (verb === "start" || verb === "stop" || verb === "kill") await writeEnvironment();
process.exit(outcomes.every((ok) => ok) ? 0 : 1);

/** false: it was there to be had, and did not do what it should. */
async function act(verb: string, engine: Engine): Promise<boolean> {
  const service = await sharedService(engine);
  const say = (line: string) => console.log(`${engine.name.padEnd(9)} ${line}`);
  const { pid, url } = service;
  try {
    if (verb === "start") {
      // One that somebody else started on this port serves us too, and is not ours to stop.
      if (pid === null && (await service.answers())) say(`up at ${url} (started elsewhere)`);
      else if (pid === null && engine.missing() !== null) say(`not here: ${engine.missing()}`);
      else {
        const beganMs = performance.now();
        await service.start();
        say(
          `up at ${url} (${pid === null ? `started in ${((performance.now() - beganMs) / 1_000).toFixed(1)} s` : "as before"})`,
        );
      }
    } else if (verb === "status") {
      say(
        (await service.answers()) ? `up at ${url}` : `down${pid === null ? "" : ` (process ${pid} does not answer)`}`,
      );
    } else if (pid === null) {
      say((await service.answers()) ? "started elsewhere: left alone" : "was not running");
    } else {
      await service[verb as "stop" | "kill" | "pause" | "resume"]();
      say(`${verb === "stop" ? "stopp" : verb.replace(/e$/, "")}ed`);
    }
    return true;
  } catch (error) {
    say(`FAILED: ${error instanceof Error ? error.message : String(error)}`);
    return false;
  }
}

async function sharedService(engine: Engine): Promise<Service> {
  const port = Number(process.env[`${engine.name.toUpperCase()}_PORT`] ?? engine.defaultPort);
  const options = { directory: join(DIRECTORY, engine.name), outlives: true };
  return new Service(engine, options, await portsOf(engine, port));
}

async function writeEnvironment(): Promise<void> {
  const lines = await Promise.all(
    Object.values(ENGINES).map(async (engine) => {
      const service = await sharedService(engine);
      return (await service.answers()) ? `${engine.variable}=${service.url}\n` : "";
    }),
  );
  await mkdir(resolve(ENV_FILE, ".."), { recursive: true });
  if (lines.join("") === "") await rm(ENV_FILE, { force: true });
  else await writeFile(ENV_FILE, lines.join(""));
}
