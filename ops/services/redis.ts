import type { Engine } from "./engine.ts";
import { exchange } from "./exchange.ts";

/** Redis of the distribution, with a log of writes that is synced every second, as its makers advise. */
export const redis = {
  name: "redis",
  defaultPort: 46_379,
  portCount: 1,
  variable: "TEST_REDIS_URL",
  stopSignal: "SIGTERM",
  startMsMax: 30_000,
  url: (port) => `redis://127.0.0.1:${port}/0`,
  missing: () =>
    Bun.which("redis-server")
      ? null
      : "redis-server is not installed: apt-get install redis-server, or put one on PATH",
  async prepare({ directory, ports: [port], settings }) {
    const all = { port: String(port), bind: "127.0.0.1", dir: directory, appendonly: "yes", save: "", ...settings };
    return { command: ["redis-server", ...Object.entries(all).flatMap(([name, value]) => [`--${name}`, value])] };
  },
  answers: (port) => exchange(port, "PING\r\n", (answer) => answer.toString().startsWith("+PONG")),
} satisfies Engine;
