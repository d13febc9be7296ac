import { afterAll, describe, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Cluster, type ClusterNode, readCluster } from "../cluster.ts";
import { localRunner } from "./local.ts";
import { roll, type RollOptions } from "./roll.ts";
import type { Runner } from "./runner.ts";

const folder = mkdtempSync(join(tmpdir(), "powerplay-roll-"));
const cleanUp: (() => Promise<unknown>)[] = [];
afterAll(async () => {
  for (const clean of cleanUp) await clean();
  rmSync(folder, { recursive: true, force: true });
});

const limits = { stopMsMax: 10_000, readyMsMax: 10_000, pollMs: 2 };
const example = readCluster("ops/cluster.example.json");

/** Rolls by pretended nodes that write down what was done to them. `breaks`: the step of a node that throws. */
async function pretend(options: Partial<RollOptions>, breaks = "", down: readonly string[] = []) {
  const done: string[] = [];
  const told: string[] = [];
  const runnerOf = ({ name }: ClusterNode): Runner => {
    const step = (what: string) => async () => {
      done.push(`${what} ${name}`);
      if (breaks === `${what} ${name}`) throw new Error(`${what} is broken`);
    };
    // Not at once, as in life.
    let asked = 0;
    const unready = async () => {
      if (down.includes(name)) return "is down";
      return done.at(-1) === `start ${name}` && asked++ < 2 ? "still coming" : null;
    };
    const describe = { stop: "stop it", start: "start it", ready: "wait for it" };
    return { describe, stop: step("stop"), start: step("start"), unready };
  };
  const result = await roll({
    nodes: example.nodes,
    group: "a",
    dry: false,
    force: false,
    say: (line) => void told.push(line),
    limits,
    runnerOf,
    ...options,
  });
  return { result, done, told };
}

describe("a roll", () => {
  test("takes the nodes of its group one by one, and no others", async () => {
    const { result, done } = await pretend({});
    expect(result).toEqual({ ok: true, rolled: ["a1", "a2"] });
    expect(done).toEqual(["stop a1", "start a1", "stop a2", "start a2"]);
  });

  test.each<[string, string, readonly string[]]>([
    ["stop a1", "stop: stop is broken", ["stop a1"]],
    ["start a1", "start: start is broken", ["stop a1", "start a1"]],
  ])("stops where %s fails", async (breaks, reason, steps) => {
    const { result, done } = await pretend({}, breaks);
    expect(result).toEqual({ ok: false, rolled: [], failed: "a1", left: ["a2"], reason });
    expect(done).toEqual([...steps]);
  });

  test("says what was restarted when a later one fails", async () => {
    const { result } = await pretend({}, "start a2");
    expect(result).toMatchObject({ ok: false, rolled: ["a1"], failed: "a2", left: [] });
  });

  test("gives up on a node that does not become ready, and leaves the next one alone", async () => {
    const { result, done } = await pretend({ force: true, limits: { ...limits, readyMsMax: 0 } }, "", ["a1"]);
    expect(result).toMatchObject({ failed: "a1", left: ["a2"], reason: "ready: not ready after 0 s: is down" });
    expect(done).toEqual(["stop a1", "start a1"]);
  });

  test("does not begin while another node is missing, unless forced", async () => {
    const { result, done } = await pretend({}, "", ["b2"]);
    expect(result).toMatchObject({ ok: false, rolled: [], failed: "a1" });
    expect(result.ok ? "" : result.reason).toContain("b2 is not ready: is down. Start them first, or say FORCE=1");
    expect(done).toEqual([]);
    expect((await pretend({ force: true }, "", ["b2"])).result.ok).toBe(true);
  });

  test("dry, only tells", async () => {
    const { done, told } = await pretend({ dry: true, group: "b" });
    expect(done).toEqual([]);
    expect(told).toEqual(
      ["b1", "b2"].flatMap((name) => [
        `${name}: stop: stop it`,
        `${name}: start: start it`,
        `${name}: ready: wait for it`,
      ]),
    );
  });

  test("of a group that is not there names those that are", async () => {
    const { result } = await pretend({ group: "z" });
    expect(result).toMatchObject({ failed: "", reason: 'no node is in group "z"; there are a, b' });
  });
});

/** A node whose drain takes a moment: SIGTERM makes it unready, then it writes down that it drained, and ends. */
const NODE = `
  let ready = false;
  setTimeout(() => (ready = true), 30);
  Bun.serve({ port: Number(process.env.PORT), hostname: "127.0.0.1", fetch: () => new Response(null, { status: ready ? 200 : 503 }) });
  process.on("SIGTERM", async () => {
    ready = false;
    await Bun.sleep(30);
    require("node:fs").appendFileSync(process.env.DRAINED, process.env.NAME + "\\n");
    process.exit(0);
  });
`;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  await new Promise((closed) => server.close(closed));
  return port;
}

async function localNode(name: string, group: string, script = NODE) {
  const ops = `127.0.0.1:${await freePort()}`;
  const local = {
    command: [process.execPath, "-e", script],
    env: { PORT: ops.split(":")[1]!, NAME: name, DRAINED: join(folder, "drained") },
    pidFile: join(folder, `${name}.pid`),
    logFile: join(folder, `${name}.log`),
  };
  cleanUp.push(() => localRunner(local, ops, limits).stop());
  return { name, group, address: ops, ops, how: { local } } satisfies ClusterNode;
}

function makeRoll(cluster: Cluster, env: Readonly<Record<string, string>>) {
  const file = join(folder, "cluster.json");
  writeFileSync(file, JSON.stringify(cluster));
  const ran = Bun.spawnSync([process.execPath, "ops/roll/command.ts"], {
    env: { ...process.env, CLUSTER: file, ...env },
  });
  return { status: ran.exitCode, said: ran.stdout.toString(), complained: ran.stderr.toString() };
}

const pidOf = (name: string): string => readFileSync(join(folder, `${name}.pid`), "utf8").split(" ")[0]!;

describe("local processes", () => {
  test("are drained, stopped and started anew, and ready in between", async () => {
    const nodes = [await localNode("p1", "p"), await localNode("p2", "p"), await localNode("q1", "q")];
    const cluster = { listen: "127.0.0.1:3000", nodes };
    for (const { how, ops } of nodes) {
      const runner = localRunner(how.local, ops, limits);
      await runner.start();
      while ((await runner.unready()) !== null) await Bun.sleep(2);
    }
    const before = ["p1", "p2", "q1"].map(pidOf);
    const { status, said } = makeRoll(cluster, { GROUP: "p" });
    expect(said).toContain("roll: p1, p2 restarted");
    expect(status).toBe(0);
    const after = ["p1", "p2", "q1"].map(pidOf);
    expect(after[0]).not.toBe(before[0]);
    expect(after[1]).not.toBe(before[1]);
    expect(after[2]).toBe(before[2]);
    expect(readFileSync(join(folder, "drained"), "utf8")).toBe("p1\np2\n");

    const broken = { ...nodes[0]!, how: { local: { ...nodes[0]!.how.local, command: ["/no/such/node"] } } };
    const failed = makeRoll({ ...cluster, nodes: [broken, nodes[1]!, nodes[2]!] }, { GROUP: "p" });
    expect(failed.status).toBe(1);
    expect(failed.complained).toContain("p1 failed: start: /no/such/node can't be started");
    expect(failed.complained).toContain("not touched: p2");
    expect(pidOf("p2")).toBe(after[1]!);
  });

  test("that end at once are told with the end of their log", async () => {
    const node = await localNode("dying", "d", 'console.log("no configuration"); process.exit(3);');
    const { status, complained } = makeRoll({ listen: "127.0.0.1:3000", nodes: [node] }, { GROUP: "d" });
    expect(status).toBe(1);
    expect(complained).toMatch(/dying failed: ready: the process has ended; [^]*no configuration/);
  });

  test("a number in a pid file that belongs to another process by now is left alone", async () => {
    const node = await localNode("old", "o");
    writeFileSync(node.how.local.pidFile, `${process.pid} 1\n`);
    await localRunner(node.how.local, node.ops, limits).stop();
    expect(existsSync(`/proc/${process.pid}`)).toBe(true);
  });
});

describe("units over ssh", () => {
  /** An ssh that is here: it writes down what it was asked, and curl and systemctl answer as the files in its folder say. */
  const bin = mkdtempSync(join(folder, "bin-"));
  writeFileSync(
    join(bin, "ssh"),
    `#!/bin/sh
while [ "$1" != "--" ]; do host="$1"; shift; done
shift
echo "$host $*" >> "${bin}/asked"
case "$*" in
  *"systemctl start"*) [ ! -f "${bin}/start-fails" ] || { echo "Job for powerplay@1 failed" >&2; exit 1; } ;;
  *is-active*) cat "${bin}/state"; exit 3 ;;
  *curl*) cat "${bin}/status" 2>/dev/null || { echo "Connection refused" >&2; exit 7; } ;;
esac
`,
  );
  chmodSync(join(bin, "ssh"), 0o755);
  const nodes = ["s1", "s2"].map((name) => ({
    name,
    group: "s",
    address: `${name}.example:3000`,
    ops: "127.0.0.1:13000",
    how: { ssh: { host: `ops@${name}.example`, unit: "powerplay@1" } },
  }));
  const cluster = { listen: "127.0.0.1:3000", nodes };
  const env = { GROUP: "s", PATH: `${bin}:${process.env["PATH"]}` };
  const asked = () => readFileSync(join(bin, "asked"), "utf8").trim().split("\n");

  test("are stopped, started and asked on their own machine", () => {
    writeFileSync(join(bin, "status"), "200");
    expect(makeRoll(cluster, env)).toMatchObject({ status: 0, complained: "" });
    expect(asked().filter((line) => line.includes("systemctl"))).toEqual([
      "ops@s1.example sudo systemctl stop powerplay@1",
      "ops@s1.example sudo systemctl start powerplay@1",
      "ops@s2.example sudo systemctl stop powerplay@1",
      "ops@s2.example sudo systemctl start powerplay@1",
    ]);
    expect(asked().at(-1)).toBe("ops@s2.example curl -sS -o /dev/null -w %{http_code} http://127.0.0.1:13000/readyz");
  });

  test("that do not start end the roll with what systemctl said", () => {
    writeFileSync(join(bin, "start-fails"), "");
    const { status, complained } = makeRoll(cluster, env);
    rmSync(join(bin, "start-fails"));
    expect(status).toBe(1);
    expect(complained).toContain(
      "ops@s1.example sudo systemctl start powerplay@1 ended with 1: Job for powerplay@1 failed",
    );
    expect(complained).toContain("not touched: s2");
  });

  test("that fail after their start are not waited for", () => {
    rmSync(join(bin, "status"));
    writeFileSync(join(bin, "state"), "failed\n");
    const { status, complained } = makeRoll(cluster, { ...env, FORCE: "1" });
    expect(status).toBe(1);
    expect(complained).toContain("s1 failed: ready: powerplay@1 on ops@s1.example has failed");
  });
});

test("a node of which the file does not say how is asked, and not restarted", async () => {
  const node = { name: "x1", group: "x", address: "127.0.0.1:1", ops: "127.0.0.1:1" };
  const failed = makeRoll({ listen: "127.0.0.1:3000", nodes: [node] }, { GROUP: "x" });
  expect(failed).toMatchObject({ status: 1 });
  expect(failed.complained).toContain("x1 failed: stop: the cluster file does not say how it is restarted");
  const other = { ...example.nodes[0]!, name: "y1", group: "y" };
  const waiting = makeRoll({ listen: "127.0.0.1:3000", nodes: [node, other] }, { GROUP: "y" });
  expect(waiting.complained).toContain("x1 is not ready: http://127.0.0.1:1/readyz does not answer");
});

test("a cluster file that is not right says where", () => {
  const file = join(folder, "wrong.json");
  const [node] = example.nodes;
  writeFileSync(file, JSON.stringify({ listen: "3000", nodes: [node, { ...node, how: { ssh: { host: "h" } } }] }));
  expect(() => readCluster(file)).toThrow(/listen: host:port[^]*nodes\.1\.how/);
  writeFileSync(file, JSON.stringify({ ...example, nodes: [node, node] }));
  expect(() => readCluster(file)).toThrow("nodes: name a1 is there twice");
  expect(() => readCluster(join(folder, "nowhere.json"))).toThrow("nowhere.json can't be read");
  expect(makeRoll(example, { GROUP: "" })).toMatchObject({ status: 2, said: "" });
});
