/** Compiles the node into one executable file. `make build` runs it, and prints its size and how long it takes to be ready. */
import { mkdirSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { WORKER_MODULES } from "./worker-module.ts";

const OUT = "dist/powerplay";

/** Throws with what the compiler said. */
export function compile(out: string): void {
  const sources = ["main.ts", ...WORKER_MODULES].map((path) => join(import.meta.dir, path));
  const described = Bun.spawnSync(["git", "describe", "--always", "--dirty"], { cwd: import.meta.dir });
  const commit = described.success ? described.stdout.toString().trim() : "unknown";
  const build = Bun.spawnSync([
    process.execPath,
    "build",
    "--compile",
    `--define=process.env.POWERPLAY_COMMIT=${JSON.stringify(commit)}`,
    `--outfile=${out}`,
    ...sources,
  ]);
  if (!build.success) throw new Error(`${out} can't be compiled: ${build.stderr.toString()}`);
}

export interface RunningBinary {
  readonly process: Bun.Subprocess<"ignore", "pipe", "pipe">;
  readonly url: string;
  readonly opsUrl: string;
  /** What it printed until it listened. */
  readonly said: string;
  /** From the start of the process until it takes traffic. */
  readonly readyMs: number;
}

/** Starts the binary in `directory`, with no environment but these variables, and waits until it is ready. */
export async function startBinary(
  binary: string,
  directory: string,
  variables: Readonly<Record<string, string>> = {},
): Promise<RunningBinary> {
  mkdirSync(directory, { recursive: true });
  const startMs = performance.now();
  const node = Bun.spawn([binary, "serve", "--dev"], {
    cwd: directory,
    env: {
      PORT: "0",
      OPS_PORT: "0",
      HOST: "127.0.0.1",
      DATA_DIR: join(directory, "data"),
      BOARD_DIR: join(directory, "boards"),
      // Libraries are laid out here as if for the first time.
      TMPDIR: directory,
      ...variables,
    },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  let said = "";
  for await (const chunk of node.stdout.pipeThrough(new TextDecoderStream())) {
    said += chunk;
    const [url, opsUrl] = said.match(/http:\/\/[^\s]+/g) ?? [];
    if (url === undefined || opsUrl === undefined) continue;
    while ((await fetch(`${opsUrl}/readyz`)).status !== 200) await Bun.sleep(5);
    return { process: node, url, opsUrl, said, readyMs: performance.now() - startMs };
  }
  throw new Error(`the binary ended: ${said}${await new Response(node.stderr).text()}`);
}

if (import.meta.main) {
  compile(OUT);
  const directory = mkdtempSync(join(tmpdir(), "powerplay-start-"));
  try {
    const { process: node, readyMs } = await startBinary(join(process.cwd(), OUT), directory);
    node.kill();
    await node.exited;
    const megabytes = statSync(OUT).size / 1_000_000;
    console.log(`executable: ${OUT}, ${megabytes.toFixed(0)} MB, ready ${readyMs.toFixed(0)} ms after its start`);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
