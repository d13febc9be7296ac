import { SQL } from "bun";
import { existsSync } from "node:fs";
import { chown, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";

export interface PostgresCluster {
  readonly version: string;
  /** Its superuser's, over TCP. */
  readonly url: string;
  connect(connections: number): SQL;
  stop(): Promise<void>;
}

const VERSIONS = "/usr/lib/postgresql";

/**
 * A throw-away Postgres of the distribution, on a free port and on a socket in a directory of its own, with its defaults: fsync and
 * synchronous_commit on. Only the number of connections is raised. null where none is installed.
 */
export async function openPostgres(): Promise<PostgresCluster | null> {
  const versions = existsSync(VERSIONS) ? (await readdir(VERSIONS)).toSorted((a, b) => Number(b) - Number(a)) : [];
  const version = versions.find((candidate) => existsSync(join(VERSIONS, candidate, "bin/initdb")));
  if (version === undefined) return null;
  const bin = (name: string) => join(VERSIONS, version, "bin", name);
  const directory = await mkdtemp(join(tmpdir(), "powerplay-postgres-"));
  // Postgres refuses to run as root.
  const isRoot = userInfo().uid === 0;
  const run = (command: readonly string[]) => {
    const done = Bun.spawnSync(isRoot ? ["runuser", "-u", "postgres", "--", ...command] : [...command], {
      cwd: directory,
      stdout: "ignore",
      stderr: "pipe",
    });
    if (done.exitCode !== 0) throw new Error(`${command[0]}: ${done.stderr.toString()}`);
  };
  if (isRoot) {
    const owner = (await Bun.$`id -u postgres; id -g postgres`.text()).trim().split("\n").map(Number);
    await chown(directory, owner[0]!, owner[1]!);
  }
  const data = join(directory, "data");
  run([bin("initdb"), "-D", data, "-U", "bench", "-A", "trust", "-E", "UTF8", "--locale=C"]);
  const port = freePort();
  const options = `-p ${port} -c listen_addresses=127.0.0.1 -c unix_socket_directories=${directory} -c max_connections=100`;
  run([bin("pg_ctl"), "-D", data, "-l", join(directory, "log"), "-o", options, "-w", "start"]);
  const pools: SQL[] = [];
  return {
    version,
    url: `postgres://bench@127.0.0.1:${port}/postgres`,
    connect(max) {
      const path = join(directory, `.s.PGSQL.${port}`);
      const pool = new SQL({ adapter: "postgres", path, username: "bench", database: "postgres", max, idleTimeout: 0 });
      pools.push(pool);
      return pool;
    },
    async stop() {
      for (const pool of pools) await pool.close();
      run([bin("pg_ctl"), "-D", data, "-m", "fast", "-w", "stop"]);
      await rm(directory, { recursive: true });
    },
  };
}

function freePort(): number {
  const listener = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => undefined } });
  const { port } = listener;
  listener.stop();
  return port;
}
