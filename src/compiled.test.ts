import { afterAll, beforeAll, expect, test } from "bun:test";
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { compile, startBinary } from "./compile.ts";
import { nativeLibraries } from "./native-libraries.ts";

const directory = mkdtempSync(join(tmpdir(), "compiled-"));
const binary = join(directory, "powerplay");
beforeAll(() => compile(binary));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

test("one compiled file is a node: its threads start, and it serves the app with every script that the page names", async () => {
  const node = await startBinary(binary, directory);
  try {
    if (nativeLibraries.kernel !== null) expect(node.said).toMatch(/kernel (serial|avx2|avx512vbmi|neon)/);
    const page = await (await fetch(node.url)).text();
    const scripts = [...page.matchAll(/<script[^>]* src="([^"]+)"/g)].map((match) => match[1]!);
    expect(scripts.length).toBeGreaterThan(0);
    for (const script of scripts) {
      const answer = await fetch(new URL(script, node.url));
      expect(answer.headers.get("content-type")).toContain("javascript");
      expect((await answer.arrayBuffer()).byteLength).toBeGreaterThan(100);
    }
  } finally {
    node.process.kill();
    await node.process.exited;
  }
});

/** What is refused, or what it says: the library was found, loaded, and looked for its servers. */
const saidWith = (command: readonly string[], variables: Readonly<Record<string, string>>): string => {
  const run = Bun.spawnSync([...command, "serve", "--dev"], {
    cwd: directory,
    env: {
      PORT: "0",
      OPS_PORT: "0",
      DATA_DIR: join(directory, "away"),
      BOARD_DIR: join(directory, "boards"),
      ...variables,
    },
    timeout: 30_000,
  });
  return run.stdout.toString() + run.stderr.toString();
};

const kafka = process.env["TEST_KAFKA_URL"];
if (!kafka) console.log("the compiled node on a Kafka log is skipped: TEST_KAFKA_URL is not set (make services)");

test.if(nativeLibraries.kafka !== null && !!kafka)("it takes traffic over a log in Kafka", async () => {
  const url = `${kafka!.slice(0, kafka!.lastIndexOf("/"))}/compiled_${crypto.randomUUID()}`;
  const node = await startBinary(binary, join(directory, "over-kafka"), { EVENT_LOG_URL: url });
  const metrics = await (await fetch(`${node.opsUrl}/metrics`)).text();
  expect(metrics).toMatch(/^powerplay_slices_owned \d+$/m);
  node.process.kill();
  await node.process.exited;
});

test.if(nativeLibraries.kafka !== null)("it carries librdkafka", () => {
  expect(saidWith([binary], { EVENT_LOG_URL: "kafka://127.0.0.1:1/game" })).toContain("127.0.0.1:1");
});

test.if(nativeLibraries.aerospikeBridge !== null)("it carries Aerospike's client and what that needs", () => {
  const said = saidWith([binary], { LEDGER_URL: "aerospike://127.0.0.1:1/game" });
  expect(said).toContain("127.0.0.1:1");
  expect(said).not.toContain("does not load");
});

/** What a program of the system needs to run at all. */
const LIBC = ["libc.so.6", "libpthread.so.0", "libdl.so.2", "libm.so.6"];
const [FOLDER, LOADER] =
  process.arch === "arm64"
    ? ["/lib/aarch64-linux-gnu", "/lib/ld-linux-aarch64.so.1"]
    : ["/lib/x86_64-linux-gnu", "/lib64/ld-linux-x86-64.so.2"];
/** A root of its own, with the kernel's two folders and no other. */
const inRoot = (root: string): string[] => [
  "/usr/bin/unshare",
  "--mount",
  "/bin/sh",
  "-c",
  `/bin/mount --bind /proc ${root}/proc && /bin/mount --bind /dev ${root}/dev && exec /usr/sbin/chroot ${root} /powerplay "$@"`,
  "powerplay",
];
const isBareMachineHad =
  [LOADER, ...LIBC.map((name) => join(FOLDER, name)), "/usr/sbin/chroot", "/usr/bin/unshare"].every((path) =>
    existsSync(path),
  ) && Bun.spawnSync(["/usr/bin/unshare", "--mount", "/bin/true"]).success;
if (!isBareMachineHad) console.log("the bare machine is skipped: it needs root and glibc in Debian's places");

test.if(isBareMachineHad)(
  "on a machine with glibc and nothing else it starts, and its libraries load from within it",
  () => {
    const root = join(directory, "bare");
    for (const path of [...LIBC.map((name) => join(FOLDER, name)), LOADER]) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      cpSync(path, join(root, path), { dereference: true });
    }
    for (const folder of ["tmp", "proc", "dev"]) mkdirSync(join(root, folder));
    cpSync(binary, join(root, "powerplay"));
    const bare = (variables: Readonly<Record<string, string>>) =>
      saidWith(inRoot(root), { ...variables, DATA_DIR: "/data", BOARD_DIR: "/boards" });
    if (nativeLibraries.kafka !== null) {
      expect(bare({ EVENT_LOG_URL: "kafka://127.0.0.1:1/game" })).toContain("no Kafka broker answers at 127.0.0.1:1");
    }
    if (nativeLibraries.aerospikeBridge !== null) {
      expect(bare({ LEDGER_URL: "aerospike://127.0.0.1:1/game" })).toContain("at 127.0.0.1:1: Failed to connect");
    }
  },
);

test.if(nativeLibraries.kernel !== null)("where it can lay out no library it says what to do", () => {
  expect(saidWith([binary], { TMPDIR: "/proc/nowhere" })).toContain("let TMPDIR name a folder");
});

test("it says which version it is", () => {
  const said = Bun.spawnSync([binary, "--version"]).stdout.toString();
  expect(said).toMatch(/^\d+\.\d+\.\d+ \([0-9a-z-]+\)\n$/);
});
