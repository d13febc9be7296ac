import { afterAll, beforeAll, expect, test } from "bun:test";
import { rm } from "node:fs/promises";
import type { Socket } from "bun";
import * as request from "../../client/requests.ts";
import { testConfig } from "../../config.ts";
import { type Node, startNode } from "../../main.ts";
import { CLOSE } from "./close-codes.ts";
import { Call, Message } from "./generated/wire_generated.ts";
import { SUBPROTOCOL } from "./subprotocol.ts";
import { TestSocket } from "./test-socket.ts";

const config = testConfig();
let node: Node;

beforeAll(async () => {
  node = await startNode(config, {
    sockets: { pingAfterMs: 20, idleMs: 60 },
    log: () => undefined,
  });
});

afterAll(async () => {
  await node.stop();
  await rm(config.dataDir, { recursive: true, force: true });
});

/** A client that says what it is told to, byte by byte, and answers no ping. */
async function rawClient(head: string) {
  const { hostname, port } = new URL(node.url);
  const received: number[] = [];
  const closed = Promise.withResolvers<void>();
  const socket: Socket = await Bun.connect({
    hostname,
    port: Number(port),
    socket: {
      open: (tcp) => void tcp.write(head),
      data: (_tcp, chunk) => void received.push(...chunk),
      close: () => closed.resolve(),
      end: (tcp) => void tcp.end(),
      error: () => closed.resolve(),
    },
  });
  return { socket, received, closed: closed.promise };
}

const HANDSHAKE =
  "GET /v1/socket HTTP/1.1\r\nHost: node\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
  `Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: ${SUBPROTOCOL}\r\n\r\n`;

/** The code of a close frame at the end of what came. */
const closeCodeIn = (received: readonly number[]): number => {
  const at = received.lastIndexOf(0x88);
  return (received[at + 2]! << 8) | received[at + 3]!;
};

test("a socket from which nothing comes, not even a pong, is ended", async () => {
  const silent = await rawClient(HANDSHAKE);
  await silent.closed;
  expect(closeCodeIn(silent.received)).toBe(CLOSE.idle[0]);
});

test("bytes that never become a frame do not keep a socket", async () => {
  const loris = await rawClient(HANDSHAKE);
  // A frame of 100 bytes, of which one comes now and then.
  loris.socket.write(Uint8Array.of(0x82, 0x80 | 100, 0, 0, 0, 0));
  const drip = setInterval(() => loris.socket.write(Uint8Array.of(0)), 10);
  await loris.closed;
  clearInterval(drip);
  expect(closeCodeIn(loris.received)).toBe(CLOSE.idle[0]);
});

// Takes the ten seconds that it is about.
test("a request that is never finished is ended", async () => {
  const unfinished = await rawClient("GET /v1/socket HTTP/1.1\r\nHost: node\r\nX-Slow: ");
  await unfinished.closed;
  expect(node.sockets.openCount).toBe(0);
}, 30_000);

test("a long answer is compressed for whoever offers to read it so; what is short never is", async () => {
  const client = await rawClient(
    HANDSHAKE.replace("\r\n\r\n", "\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n"),
  );
  const terms = { sides: ["A", "B"], format: "T20", scoringRules: "t20-2026", rosterRules: "modern" } as const;
  for (let index = 0; index < 30; index++) {
    await node.catalog.createMatch({ ...terms, name: `match ${index}`, startMs: 1e12 });
  }
  const frame = request.writeCall(Call.ListMatches, 1, request.nothing);
  client.socket.write(Uint8Array.from([0x82, 0x80 | frame.length, 0, 0, 0, 0, ...frame]));
  await client.closed;
  expect(firstBytesOf(client.received)).toEqual(new Set([0x82, 0xc2, 0x89, 0x88]));
});

/** Of every frame that came after the handshake: its first byte, in which 0x40 says "compressed". */
function firstBytesOf(received: readonly number[]): Set<number> {
  const firsts = new Set<number>();
  let at = Buffer.from(received).indexOf("\r\n\r\n") + 4;
  while (at < received.length) {
    firsts.add(received[at]!);
    const short = received[at + 1]!;
    at += short < 126 ? 2 + short : 4 + ((received[at + 2]! << 8) | received[at + 3]!);
  }
  return firsts;
}

test("a client that only listens stays: it answers pings", async () => {
  const listener = await TestSocket.open(node.socketUrl);
  const silent = await rawClient(HANDSHAKE);
  // Longer than a silent one is kept, by its own clock.
  await silent.closed;
  const second = await rawClient(HANDSHAKE);
  await second.closed;
  expect((await listener.ask(Call.Ping, request.nothing)).messageType()).toBe(Message.Welcome);
  listener.close();
  await listener.closed;
  expect(node.metrics.text()).toContain('powerplay_sockets_ended_total{why="idle"}');
});
