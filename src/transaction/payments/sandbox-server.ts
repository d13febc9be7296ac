import { seededRandom } from "../../domain/random.ts";
import { CALM, type SandboxHabits, SandboxProvider } from "./sandbox-provider.ts";

export interface SandboxServerOptions {
  /** 0 takes a free one. */
  readonly port: number;
  readonly keyId: string;
  readonly keySecret: string;
  readonly webhookSecret: string;
  /** Where our own node takes webhooks; asked at each delivery, for the node may start after its provider. */
  readonly webhookUrl: () => string;
  readonly seed: number;
  readonly habits?: SandboxHabits;
}

export interface SandboxServer {
  readonly url: string;
  readonly provider: SandboxProvider;
  stop(): Promise<void>;
}

/**
 * The sandbox provider as a little HTTP server. Beside Razorpay's API, `POST /sandbox/orders/<id>/pay` (or `/fail`) is the
 * page on which a user pays.
 */
export function openSandboxServer(options: SandboxServerOptions): SandboxServer {
  const { port, keyId, keySecret, webhookSecret, webhookUrl, seed, habits = CALM } = options;
  const authorization = `Basic ${Buffer.from(`${keyId}:${keySecret}`).toString("base64")}`;
  const timers = new Set<Timer>();
  const provider = new SandboxProvider({
    webhookSecret,
    random: seededRandom(seed),
    after(ms, then) {
      const timer = setTimeout(() => {
        timers.delete(timer);
        then();
      }, ms);
      timers.add(timer);
    },
    async deliver(rawBody, signature) {
      const response = await fetch(webhookUrl(), {
        method: "POST",
        headers: { "content-type": "application/json", "x-razorpay-signature": signature },
        body: rawBody,
        signal: AbortSignal.timeout(5000),
      });
      return response.status;
    },
    habits,
  });

  const server = Bun.serve({
    port,
    hostname: "127.0.0.1",
    async fetch(request) {
      const { pathname } = new URL(request.url);
      const checkOut = /^\/sandbox\/orders\/([^/]+)\/(pay|fail)$/.exec(pathname);
      if (request.method === "POST" && checkOut) {
        const done = provider.checkOut(checkOut[1]!, checkOut[2] === "pay");
        return Response.json({ done }, { status: done ? 200 : 409 });
      }
      if (request.headers.get("authorization") !== authorization) return new Response("", { status: 401 });
      if (request.method !== "GET" && request.method !== "POST") return new Response("", { status: 405 });
      const { status, body } = provider.handle({
        method: request.method,
        path: pathname,
        headers: Object.fromEntries(request.headers),
        body: await request.text(),
      });
      return new Response(body, { status });
    },
  });
  return {
    url: `http://127.0.0.1:${server.port}`,
    provider,
    async stop() {
      for (const timer of timers) clearTimeout(timer);
      await server.stop(true);
    },
  };
}
