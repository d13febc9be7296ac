import type { Metrics } from "./metrics.ts";

export interface OpsOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly metrics: Metrics;
  readonly ready: () => boolean;
}

export interface OpsServer {
  readonly url: string;
  stop(): Promise<void>;
}

/**
 * What those who run the node ask: numbers, life and readiness. It has a door of its own, which the public never sees: numbers tell
 * competitors a lot, and a balancer's question must be answered when the rates of its address are used up.
 */
export function startOps({ host, port, metrics, ready }: OpsOptions): OpsServer {
  let server;
  try {
    server = Bun.serve({
      hostname: host,
      port,
      routes: {
        "/metrics": async () =>
          new Response(await metrics.scrape(), {
            headers: { "content-type": "text/plain; version=0.0.4; charset=utf-8" },
          }),
        "/healthz": () => Response.json({ alive: true }),
        "/readyz": () => Response.json({ ready: ready() }, { status: ready() ? 200 : 503 }),
      },
      fetch: () => new Response("metrics, healthz, readyz\n", { status: 404 }),
    });
  } catch (error) {
    throw new Error(`OPS_PORT: ${host}:${port} can't be listened on; set another OPS_PORT or OPS_HOST`, {
      cause: error,
    });
  }
  return { url: `http://${host === "0.0.0.0" ? "localhost" : host}:${server.port}`, stop: () => server.stop(true) };
}
