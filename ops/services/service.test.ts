import { afterAll, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { spawn } from "node:child_process";
import { RedisClient } from "bun";
import { isAlive, nameOfProcess, treeOf } from "./proc.ts";
import { ENGINES, missingService, portsOf, Service, startService } from "./service.ts";

const folder = mkdtempSync(join(tmpdir(), "powerplay-services-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const noRedis = missingService("redis");
if (noRedis !== null) console.log(`services: skipped, ${noRedis}`);

describe.skipIf(noRedis !== null)("a service", () => {
  test("keeps what it was told over a stop, a pause and a kill, at the same address", async () => {
    const redis = await startService("redis", {
      directory: join(folder, "kept"),
      settings: { appendfsync: "always" },
    });
    await set(redis.url, "before", "1");
    const first = nameOfProcess(redis.pid!)!;
    await redis.stop();
    expect(redis.pid).toBeNull();
    // Its parent may not have heard of it yet.
    expect(isAlive(first)).toBe(false);
    expect(await redis.answers()).toBe(false);

    await redis.start();
    expect(await get(redis.url, "before")).toBe("1");
    await redis.pause();
    const waiting = get(redis.url, "before");
    expect(await redis.answers()).toBe(false);
    redis.resume();
    expect(await waiting).toBe("1");

    await set(redis.url, "at the end", "2");
    await redis.kill();
    expect(await redis.answers()).toBe(false);
    await redis.start();
    expect(await get(redis.url, "at the end")).toBe("2");
    await redis.pause();
    await redis.stop();
    expect(redis.pid).toBeNull();
    await redis.remove();
    expect(existsSync(redis.directory)).toBe(false);
  });

  test("is taken as it is by a second start, and not mistaken for another process of its number", async () => {
    const directory = join(folder, "again");
    const redis = await startService("redis", { directory });
    const second = await startService("redis", { directory, port: redis.port });
    expect(second.pid).toBe(redis.pid);

    await Bun.write(join(directory, "pid"), `${process.pid} 1\n`);
    await second.kill();
    expect(isAlive(nameOfProcess(process.pid)!)).toBe(true);
    expect(await redis.answers()).toBe(true);

    const client = new RedisClient(redis.url, { autoReconnect: false });
    await client.send("SHUTDOWN", ["NOSAVE"]).catch(() => undefined);
    client.close();
  });

  test("that can't start says what its log says", async () => {
    const start = startService("redis", { directory: join(folder, "broken"), settings: { maxmemory: "much" } });
    await expect(start).rejects.toThrow(/redis ended while it started[^]*argument must be a memory value/);
    await start.catch(() => undefined);
  });

  test("ends with the process that started it, however that ends", async () => {
    const directory = join(folder, "orphan");
    const [port] = await portsOf(ENGINES.redis);
    const script = `
      import { startService } from ${JSON.stringify(join(import.meta.dir, "service.ts"))};
      await startService("redis", { directory: ${JSON.stringify(directory)}, port: ${port} });
      console.log("up");
      setInterval(() => undefined, 1_000);`;
    const parent = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "inherit"] });
    await new Promise((up) => parent.stdout.once("data", up));
    const redis = new Service(ENGINES.redis, { directory }, [port!]);
    const named = nameOfProcess(redis.pid!)!;
    parent.kill("SIGKILL");
    while (isAlive(named)) await Bun.sleep(5);
    expect(await redis.answers()).toBe(false);
  });
});

const noPostgres = missingService("postgres");
if (noPostgres !== null) console.log(`services: skipped, ${noPostgres}`);

test.skipIf(noPostgres !== null)("Postgres is paused and killed with all its processes", async () => {
  const postgres = await startService("postgres", { directory: join(folder, "postgres") });
  const tree = treeOf(nameOfProcess(postgres.pid!)!);
  expect(tree.length).toBeGreaterThan(3);
  await postgres.pause();
  expect(await postgres.answers()).toBe(false);
  await postgres.kill();
  expect(tree.filter(isAlive)).toEqual([]);
  await postgres.start();
  expect(await postgres.answers()).toBe(true);
  await postgres.remove();
  expect(existsSync(postgres.directory)).toBe(false);
});

async function set(url: string, key: string, value: string): Promise<void> {
  const client = new RedisClient(url);
  await client.set(key, value);
  client.close();
}

async function get(url: string, key: string): Promise<string | null> {
  const client = new RedisClient(url);
  try {
    return await client.get(key);
  } finally {
    client.close();
  }
}
