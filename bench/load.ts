import { connect, type Socket } from "bun";

/**
 * A load generator in a process of its own: prepared requests over keep-alive HTTP/1.1 connections, one under way on each, as
 * apps behave. It writes bytes to sockets itself, because a general HTTP client costs more than the server that it measures.
 */
export interface LoadRequest {
  /** The url is the one at this number's remainder; the same for all of a user, for an app stays on its connection. */
  readonly home: number;
  readonly path: string;
  readonly body: string;
  readonly token: string;
}

export interface LoadPlan {
  /** Connections are dealt out over them; a request goes to whichever of its url is free. */
  readonly urls: readonly string[];
  readonly width: number;
  readonly requests: readonly LoadRequest[];
}

export interface LoadResult {
  /** Indices of the requests that were not answered with 2xx. */
  readonly failures: readonly number[];
  readonly seconds: number;
  /** Of the generator itself, from its first connection on. */
  readonly cpuSeconds: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** `onReady` is called when all is prepared, right before the first connection. */
export async function runLoad(plan: LoadPlan, onReady: () => void = () => undefined): Promise<LoadResult> {
  const child = Bun.spawn([process.execPath, import.meta.path], { stdin: "pipe", stdout: "pipe", stderr: "inherit" });
  child.stdin.write(`${JSON.stringify(plan)}\n`);
  await child.stdin.flush();
  let said = "";
  for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
    said += chunk;
    if (said !== READY) continue;
    said = "";
    onReady();
    child.stdin.write("go\n");
    await child.stdin.end();
  }
  return JSON.parse(said) as LoadResult;
}

const READY = "ready\n";
const IDLE = -1;

interface Lane {
  /** Place of its url. */
  readonly server: number;
  /** Of the request that is under way. */
  index: number;
  sentMs: number;
  received: string;
}

async function generate({ urls, width, requests }: LoadPlan, mayBegin: () => Promise<unknown>): Promise<LoadResult> {
  const servers = urls.map((url) => new URL(url));
  const { hostname } = servers[0]!;
  const bytes = requests.map(({ path, body, token }) =>
    Buffer.from(
      `POST ${path} HTTP/1.1\r\nHost: ${hostname}\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\n` +
        `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    ),
  );
  const timesMs: number[] = [];
  const failures: number[] = [];
  const queues = servers.map(() => [] as number[]);
  for (const [index, { home }] of requests.entries()) queues[home % servers.length]!.push(index);
  const next = servers.map(() => 0);
  const done = Promise.withResolvers<void>();
  const send = (socket: Socket<Lane>) => {
    const { server } = socket.data;
    const index = queues[server]![next[server]!++];
    if (index === undefined) {
      socket.data.index = IDLE;
      socket.end();
      return;
    }
    socket.data.index = index;
    socket.data.sentMs = performance.now();
    socket.write(bytes[index]!);
  };
  const answered = (socket: Socket<Lane>) => {
    const { index, received, sentMs } = socket.data;
    const headEnd = received.indexOf("\r\n\r\n");
    if (headEnd < 0) return;
    const length = Number(/content-length: (\d+)/i.exec(received.slice(0, headEnd))?.[1] ?? 0);
    if (received.length < headEnd + 4 + length) return;
    timesMs.push(performance.now() - sentMs);
    if (!received.startsWith("HTTP/1.1 2")) failures.push(index);
    socket.data.received = "";
    if (timesMs.length === bytes.length) done.resolve();
    send(socket);
  };
  await mayBegin();
  const cpuBefore = process.cpuUsage();
  const startedMs = performance.now();
  await Promise.all(
    Array.from({ length: Math.min(width, bytes.length) }, (_, lane) =>
      connect<Lane>({
        hostname: servers[lane % servers.length]!.hostname,
        port: Number(servers[lane % servers.length]!.port),
        data: { server: lane % servers.length, index: IDLE, sentMs: 0, received: "" },
        socket: {
          open: send,
          data(socket, chunk) {
            // One character a byte, so that lengths are comparable.
            socket.data.received += chunk.toString("latin1");
            answered(socket);
          },
          error: (_socket, error) => done.reject(error),
          close(socket) {
            if (socket.data.index !== IDLE)
              done.reject(new Error("a connection was closed in the middle of a request"));
          },
        },
      }),
    ),
  );
  await done.promise;
  const seconds = (performance.now() - startedMs) / 1_000;
  const cpu = process.cpuUsage(cpuBefore);
  const cpuSeconds = (cpu.user + cpu.system) / 1e6;
  timesMs.sort((a, b) => a - b);
  const percentile = (share: number) => timesMs[Math.min(timesMs.length - 1, Math.floor(share * timesMs.length))] ?? 0;
  const [p50Ms, p99Ms] = [percentile(0.5), percentile(0.99)];
  return { failures, seconds, cpuSeconds, perSecond: bytes.length / seconds, p50Ms, p99Ms };
}

if (import.meta.main) {
  const lines = console[Symbol.asyncIterator]();
  const plan = JSON.parse((await lines.next()).value as string) as LoadPlan;
  const result = await generate(plan, () => {
    process.stdout.write(READY);
    return lines.next();
  });
  console.log(JSON.stringify(result));
}
