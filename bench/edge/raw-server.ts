/** Bun's socket server and nothing else: what one process can send at most. */
import type { ServerWebSocket } from "bun";
import { SUBPROTOCOL } from "../../src/edge/socket/subprotocol.ts";
import { serveParent } from "./ipc.ts";

const sockets: ServerWebSocket<undefined>[] = [];
const server = Bun.serve({
  port: 0,
  hostname: "0.0.0.0",
  fetch(request, server) {
    server.upgrade(request, { headers: { "sec-websocket-protocol": SUBPROTOCOL } });
  },
  websocket: { open: (socket) => void sockets.push(socket), message: () => undefined },
});
const rssBytes = (): number => {
  Bun.gc(true);
  return process.memoryUsage.rss();
};
const FRAME = new Uint8Array(44);

serveParent({
  open: () => ({ port: server.port, rssBytes: rssBytes() }),
  state: () => ({ rssBytes: rssBytes(), openCount: sockets.length }),
  /** Every socket is sent one frame, many times over; the fastest round counts. */
  async send({ rounds }: { rounds: number }) {
    const roundsMs: number[] = [];
    for (let round = 0; round < rounds; round++) {
      await Bun.sleep(500);
      const startMs = performance.now();
      for (const socket of sockets) socket.sendBinary(FRAME);
      roundsMs.push(performance.now() - startMs);
    }
    return { perSecond: roundsMs.map((ms) => (sockets.length / ms) * 1_000).sort((a, b) => b - a) };
  },
  stop: () => server.stop(true).then(() => null),
});
