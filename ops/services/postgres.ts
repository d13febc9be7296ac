import { SQL } from "bun";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, statSync } from "node:fs";
import { chown, mkdir, writeFile } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { dirname, join } from "node:path";
import type { Engine } from "./engine.ts";

const DISTRIBUTION = "/usr/lib/postgresql";
const USER = "powerplay";

/** The newest Postgres of the distribution with its defaults, fsync and synchronous_commit on; as a user of its own where we are root. */
export const postgres = {
  name: "postgres",
  defaultPort: 45_432,
  portCount: 1,
  variable: "TEST_POSTGRES_URL",
  // Its SIGTERM waits until every client has gone.
  stopSignal: "SIGINT",
  startMsMax: 60_000,
  url: (port) => `postgres://${USER}:${USER}@127.0.0.1:${port}/postgres`,
  missing: () =>
    binaries() === null
      ? "PostgreSQL is not installed: apt-get install postgresql, or put its postgres and initdb on PATH"
      : null,
  async prepare({ directory, ports: [port], settings }) {
    const bin = binaries()!;
    const isRoot = userInfo().uid === 0;
    const home = elsewhere(directory) ?? directory;
    await mkdir(home, { recursive: true });
    if (isRoot) await chown(home, ...ownerIds());
    const data = join(home, "data");
    if (!existsSync(join(data, "PG_VERSION"))) {
      const passwordFile = join(home, "password");
      await writeFile(passwordFile, USER);
      const options = ["-U", USER, "-A", "scram-sha-256", `--pwfile=${passwordFile}`, "-E", "UTF8", "--locale=C"];
      const initdb = [join(bin, "initdb"), "-D", data, ...options];
      const done = Bun.spawnSync(isRoot ? ["runuser", "-u", "postgres", "--", ...initdb] : initdb, {
        cwd: home,
        stdout: "ignore",
      });
      if (done.exitCode !== 0) throw new Error(`postgres: initdb failed\n${done.stderr.toString()}`);
    }
    const all = {
      port: String(port),
      listen_addresses: "127.0.0.1",
      unix_socket_directories: "",
      max_connections: "300",
      ...settings,
    };
    const command = [
      join(bin, "postgres"),
      "-D",
      data,
      ...Object.entries(all).flatMap(([name, value]) => ["-c", `${name}=${value}`]),
    ];
    return isRoot ? { command, user: "postgres" } : { command };
  },
  dataElsewhere: elsewhere,
  async answers(port) {
    const client = new SQL(postgres.url(port), { max: 1, connectionTimeout: 2 });
    try {
      await client`select 1`;
      return true;
    } catch {
      return false;
    } finally {
      await client.close({ timeout: 0 });
    }
  },
} satisfies Engine;

/** The folder of initdb and postgres. */
function binaries(): string | null {
  const versions = existsSync(DISTRIBUTION) ? readdirSync(DISTRIBUTION).toSorted((a, b) => Number(b) - Number(a)) : [];
  const folders = versions.map((version) => join(DISTRIBUTION, version, "bin"));
  const onPath = Bun.which("initdb");
  if (onPath !== null) folders.push(dirname(onPath));
  return folders.find((folder) => existsSync(join(folder, "initdb")) && existsSync(join(folder, "postgres"))) ?? null;
}

/**
 * A checkout may lie in a home that Postgres' own user can't enter: then the data goes to the system's folder for temporary files. null
 * where it need not.
 */
function elsewhere(directory: string): string | null {
  if (userInfo().uid !== 0) return null;
  for (let folder = dirname(directory); folder !== dirname(folder); folder = dirname(folder)) {
    if (existsSync(folder) && (statSync(folder).mode & 0o001) === 0) {
      const hash = createHash("sha256").update(directory).digest("hex").slice(0, 12);
      return join(tmpdir(), `powerplay-postgres-${hash}`);
    }
  }
  return null;
}

function ownerIds(): [number, number] {
  const idOf = (option: string) => Number(Bun.spawnSync(["id", option, "postgres"]).stdout.toString());
  return [idOf("-u"), idOf("-g")];
}
