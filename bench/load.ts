import { connect, type Socket } from "bun";

/**
 * A load generator in a process of its own: prepared requests over keep-alive HTTP/1.1 connections, one under way on each, as
 * apps behave. It writes bytes to sockets itself, because a general HTTP client costs more than the server that it measures.
 */
export interface LoadRequest {
  readonly path: string;
  readonly body: string;
  readonly token: string;
}

export interface LoadPlan {
  readonly url: string;
  readonly width: number;
  readonly requests: readonly LoadRequest[];
}

export interface LoadResult {
  readonly failed: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export async function runLoad(plan: LoadPlan): Promise<LoadResult> {
  const child = Bun.spawn([process.execPath, import.meta.path], { stdin: "pipe", stdout: "pipe", stderr: "inherit" });
  child.stdin.write(JSON.stringify(plan));
  await child.stdin.end();
  return (await new Response(child.stdout).json()) as LoadResult;
}

interface Lane {
  sentMs: number;
  received: string;
}

async function generate({ url, width, requests }: LoadPlan): Promise<LoadResult> {
  const { hostname, port } = new URL(url);
  const bytes = requests.map(({ path, body, token }) =>
    Buffer.from(
      `POST ${path} HTTP/1.1\r\nHost: ${hostname}\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\n` +
        `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    ),
  );
  const timesMs: number[] = [];
  let failed = 0;
  let next = 0;
  const done = Promise.withResolvers<void>();
  const send = (socket: Socket<Lane>) => {
    if (next === bytes.length) {
      socket.end();
      return;
    }
    socket.data.sentMs = performance.now();
    socket.write(bytes[next++]!);
  };
  const answered = (socket: Socket<Lane>) => {
    const { received, sentMs } = socket.data;
    const headEnd = received.indexOf("\r\n\r\n");
    if (headEnd < 0) return;
    const length = Number(/content-length: (\d+)/i.exec(received.slice(0, headEnd))?.[1] ?? 0);
    if (received.length < headEnd + 4 + length) return;
    timesMs.push(performance.now() - sentMs);
    if (!received.startsWith("HTTP/1.1 2")) failed++;
    socket.data.received = "";
    if (timesMs.length === bytes.length) done.resolve();
    send(socket);
  };
  const startedMs = performance.now();
  await Promise.all(
    Array.from({ length: Math.min(width, bytes.length) }, () =>
      connect<Lane>({
        hostname,
        port: Number(port),
        data: { sentMs: 0, received: "" },
        socket: {
          open: send,
          data(socket, chunk) {
            // One character a byte, so that lengths are comparable.
            socket.data.received += chunk.toString("latin1");
            answered(socket);
          },
          error: (_socket, error) => done.reject(error),
        },
      }),
    ),
  );
  await done.promise;
  const seconds = (performance.now() - startedMs) / 1_000;
  timesMs.sort((a, b) => a - b);
  const percentile = (share: number) => timesMs[Math.min(timesMs.length - 1, Math.floor(share * timesMs.length))] ?? 0;
  return { failed, perSecond: bytes.length / seconds, p50Ms: percentile(0.5), p99Ms: percentile(0.99) };
}

if (import.meta.main) console.log(JSON.stringify(await generate((await Bun.stdin.json()) as LoadPlan)));
