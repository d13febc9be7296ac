import { expect, test } from "bun:test";
import { rm } from "node:fs/promises";
import { PowerplayClient } from "../client/index.ts";
import { testConfig } from "../config.ts";
import { startNode } from "../main.ts";

/** Each leaves after its own share of the drain: one of so many stays for most of it. */
const SOCKET_COUNT = 12;

test("a node that drains answers, and sends whoever asks to another connection", async () => {
  const config = { ...testConfig(), drainMs: 1_000 };
  const node = await startNode(config);
  const clients = Array.from({ length: SOCKET_COUNT }, () => new PowerplayClient({ url: node.socketUrl }));
  try {
    for (const client of clients) client.connect();
    while (node.sockets.openCount < SOCKET_COUNT) await Bun.sleep(5);
    const ask = async () => (await fetch(`${node.url}/v1/matches`)).headers.get("connection");
    expect(await ask()).not.toBe("close");
    const stopping = node.stop();
    expect(await ask()).toBe("close");
    await stopping;
  } finally {
    for (const client of clients) client.close();
    await rm(config.dataDir, { recursive: true, force: true });
  }
});
