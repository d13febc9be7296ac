import { once } from "node:events";
import { createServer } from "node:net";

/** Below those that outgoing connections take (32,768 on), so that none of them gets it before its server does. */
const FROM = 20_000;
const COUNT = 12_000;

/** For what must know its port before it starts. Nobody listens there now. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = FROM + Math.floor(Math.random() * COUNT);
    const server = createServer().listen(port, "127.0.0.1");
    const isFree = await Promise.race([
      once(server, "listening").then(() => true),
      once(server, "error").then(() => false),
    ]).catch(() => false);
    if (!isFree) continue;
    await new Promise((closed) => server.close(closed));
    return port;
  }
}
