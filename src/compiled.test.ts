import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { WORKER_MODULES } from "./worker-module.ts";

const directory = mkdtempSync(join(tmpdir(), "compiled-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

test("one compiled file is a node: its threads start, and it serves the app with every script that the page names", async () => {
  const binary = join(directory, "powerplay");
  const sources = ["main.ts", ...WORKER_MODULES].map((path) => join(import.meta.dir, path));
  const build = Bun.spawnSync([process.execPath, "build", "--compile", `--outfile=${binary}`, ...sources]);
  expect(build.exitCode).toBe(0);

  const node = Bun.spawn([binary, "serve", "--dev"], {
    cwd: directory,
    env: { PORT: "0", HOST: "127.0.0.1", DATA_DIR: join(directory, "data"), BOARD_DIR: join(directory, "boards") },
    stdout: "pipe",
    stderr: "inherit",
  });
  try {
    let said = "";
    let url: string | undefined;
    for await (const chunk of node.stdout.pipeThrough(new TextDecoderStream())) {
      said += chunk;
      url = /http:\/\/[^ ]+/.exec(said)?.[0];
      if (url !== undefined) break;
    }
    if (url === undefined) throw new Error(`the binary ended: ${said}`);
    while ((await fetch(`${url}/readyz`)).status !== 200) await Bun.sleep(5);
    const page = await (await fetch(url)).text();
    const scripts = [...page.matchAll(/<script[^>]* src="([^"]+)"/g)].map((match) => match[1]!);
    expect(scripts.length).toBeGreaterThan(0);
    for (const script of scripts) {
      const answer = await fetch(new URL(script, url));
      expect(answer.headers.get("content-type")).toContain("javascript");
      expect((await answer.arrayBuffer()).byteLength).toBeGreaterThan(100);
    }
  } finally {
    node.kill();
    await node.exited;
  }
});
