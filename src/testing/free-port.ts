import { once } from "node:events";
import { createServer } from "node:net";

/** For what must know its port before it starts. Nobody else has it for now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  await new Promise((closed) => server.close(closed));
  return port;
}
