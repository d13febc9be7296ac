import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The server's binary, or null: ASD= names it, or it is on PATH. */
export const serverBinary = (): string | null => process.env["ASD"] ?? Bun.which("asd");

/** A server of one node that a test may stop and start; its data outlives it. */
export class TestServer {
  readonly port: number;
  readonly #binary: string;
  readonly #directory = mkdtempSync(join(tmpdir(), "powerplay-asd-"));
  #process: Bun.Subprocess | null = null;

  constructor(binary: string) {
    this.#binary = binary;
    const [service, heartbeat, fabric, admin] = freePorts(4);
    this.port = service!;
    for (const each of ["smd", "usr/udf/lua"]) mkdirSync(join(this.#directory, each), { recursive: true });
    const at = (port: number): string => `address 127.0.0.1\n  port ${port}`;
    const blocks = {
      service: [
        "cluster-name test",
        "run-as-daemon false",
        "proto-fd-max 1024",
        "service-threads 6",
        `work-directory ${this.#directory}`,
      ],
      logging: ["console {", "context any warning", "}"],
      network: [
        `service {\n  ${at(service!)}\n}`,
        `heartbeat {\n  mode mesh\n  ${at(heartbeat!)}\n  interval 150\n  timeout 10\n}`,
        `fabric {\n  ${at(fabric!)}\n}`,
        `admin {\n  ${at(admin!)}\n}`,
      ],
      "mod-lua": [`user-path ${this.#directory}/usr/udf/lua`],
      "namespace test": [
        "replication-factor 1",
        "default-ttl 0",
        "nsup-period 0",
        `storage-engine device {\n  file ${this.#directory}/test.dat\n  filesize 256M\n  flush-max-ms 10\n}`,
      ],
    };
    const text = Object.entries(blocks).map(([name, lines]) => `${name} {\n${lines.join("\n")}\n}\n`);
    writeFileSync(join(this.#directory, "asd.conf"), text.join(""));
  }

  get url(): string {
    return `aerospike://127.0.0.1:${this.port}/test`;
  }

  start(): void {
    this.#process = Bun.spawn([this.#binary, "--foreground", "--config-file", join(this.#directory, "asd.conf")], {
      stdout: "ignore",
      stderr: "ignore",
    });
  }

  /** null while it runs. */
  get exitCode(): number | null {
    return this.#process?.exitCode ?? null;
  }

  /** As an operator does: it writes what it holds to its file first. */
  async stop(): Promise<void> {
    this.#process?.kill("SIGTERM");
    await this.#process?.exited;
    this.#process = null;
  }

  /** The process stands still, its connections stay. */
  freeze(): void {
    this.#process?.kill("SIGSTOP");
  }

  thaw(): void {
    this.#process?.kill("SIGCONT");
  }

  async dispose(): Promise<void> {
    await this.stop();
    rmSync(this.#directory, { recursive: true });
  }
}

/** All held at once, so that they differ; the server takes no port 0. */
function freePorts(count: number): number[] {
  const socket = { data: () => undefined };
  const listeners = Array.from({ length: count }, () => Bun.listen({ hostname: "127.0.0.1", port: 0, socket }));
  const ports = listeners.map(({ port }) => port);
  for (const listener of listeners) listener.stop();
  return ports;
}
