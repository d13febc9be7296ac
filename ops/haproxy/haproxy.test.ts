import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createConnection, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { once } from "node:events";
import { haproxyConfig } from "./config.ts";

const haproxy = Bun.which("haproxy", { PATH: `${process.env["PATH"]}:/usr/sbin` });
if (haproxy === null) console.log("haproxy: skipped, it is not installed: apt-get install haproxy");

const folder = mkdtempSync(join(tmpdir(), "powerplay-haproxy-"));
const stops: (() => Promise<unknown> | void)[] = [];
afterAll(async () => {
  for (const stop of stops.reverse()) await stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Says its name to whoever connects, and its name again to whatever it hears. */
async function openNode(name: string) {
  let isReady = true;
  const sockets = new Set<Socket>();
  const tcp = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => undefined);
    socket.write(name);
    socket.on("data", () => socket.write(name));
  }).listen(0, "127.0.0.1");
  await once(tcp, "listening");
  const ops = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: () => new Response(null, { status: isReady ? 200 : 503 }),
  });
  const kill = async () => {
    for (const socket of sockets) socket.destroy();
    await Promise.all([new Promise((closed) => tcp.close(closed)), ops.stop(true)]);
  };
  stops.push(kill);
  const { port } = tcp.address() as { port: number };
  const setReady = (ready: boolean) => (isReady = ready);
  return { name, address: `127.0.0.1:${port}`, opsPort: ops.port!, setReady, kill };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  await new Promise((closed) => server.close(closed));
  return port;
}

/** Which node answers; the connection stays open. null: the balancer has none to offer, or is not there yet. */
async function connectTo(port: number): Promise<{ name: string; socket: Socket } | null> {
  const socket = createConnection(port, "127.0.0.1");
  socket.on("error", () => undefined);
  stops.push(() => void socket.destroy());
  const said = await Promise.race([once(socket, "data"), once(socket, "close")]).catch(() => []);
  return Buffer.isBuffer(said[0]) ? { name: said[0].toString(), socket } : null;
}

async function namesOf(port: number, count: number): Promise<Set<string>> {
  const names = new Set<string>();
  for (let index = 0; index < count; index++) {
    const connected = await connectTo(port);
    names.add(connected?.name ?? "nobody");
    connected?.socket.destroy();
  }
  return names;
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await Bun.sleep(5);
}

describe.skipIf(haproxy === null)("the balancer", () => {
  test("spreads connections, spares who is not ready without cutting anybody off, and goes around who is dead", async () => {
    const nodes = await Promise.all([openNode("a"), openNode("b"), openNode("c")]);
    const port = await freePort();
    const metrics = `127.0.0.1:${await freePort()}`;
    const file = join(folder, "haproxy.cfg");
    const options = { connectionsMax: 1_000, checkMs: 20, slowStartMs: 0, metrics };
    writeFileSync(file, haproxyConfig({ listen: `127.0.0.1:${port}`, nodes, ...options }));
    const balancer = Bun.spawn([haproxy!, "-db", "-f", file], { stdout: "ignore", stderr: "ignore" });
    stops.push(async () => {
      balancer.kill();
      await balancer.exited;
    });
    const is = async (name: string, state: "UP" | "DOWN") => {
      const line = `haproxy_server_status{proxy="nodes",server="${name}",state="${state}"} 1`;
      const answer = await fetch(`http://${metrics}/metrics`).catch(() => null);
      return answer !== null && (await answer.text()).includes(line);
    };
    for (const { name } of nodes) await until(() => is(name, "UP"));

    expect(await namesOf(port, 30)).toEqual(new Set(["a", "b", "c"]));
    const [a, b] = nodes;
    const held = await holdOf(port, a!.name);
    a!.setReady(false);
    await until(() => is("a", "DOWN"));
    expect(await namesOf(port, 30)).toEqual(new Set(["b", "c"]));
    held.write("still there?");
    expect(String((await once(held, "data"))[0])).toBe("a");

    await b!.kill();
    // Also before the balancer knows: a refused connection goes to another node.
    expect(await namesOf(port, 30)).toEqual(new Set(["c"]));
    await until(() => is("b", "DOWN"));
    held.destroy();
    a!.setReady(true);
    await until(() => is("a", "UP"));
    expect(await namesOf(port, 30)).toEqual(new Set(["a", "c"]));
  });

  test("takes the configuration as it is written for thousands of clients", () => {
    const file = join(folder, "large.cfg");
    const nodes = Array.from({ length: 40 }, (_, index) => ({
      name: `n${index}`,
      address: `127.0.0.1:${3000 + index}`,
      opsPort: 13_000 + index,
    }));
    writeFileSync(file, haproxyConfig({ listen: "0.0.0.0:3000", nodes }));
    const check = Bun.spawnSync([haproxy!, "-c", "-f", file]);
    expect(check.stderr.toString() + check.stdout.toString()).toContain("Configuration file is valid");
  });
});

/** A connection to that node. */
async function holdOf(port: number, name: string): Promise<Socket> {
  for (;;) {
    const connected = await connectTo(port);
    if (connected?.name === name) return connected.socket;
    connected?.socket.destroy();
  }
}
