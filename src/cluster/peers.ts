import { createHash, timingSafeEqual } from "node:crypto";
import { hostname } from "node:os";
import { decodeBody, encodeBody, MalformedBody } from "./codec.ts";

/** By name of the call. What a handler throws is told at both ends. */
export type PeerHandlers = Readonly<Record<string, (argument: unknown) => Promise<unknown>>>;

export interface PeerServerOptions {
  /** Of an interface that only the cluster's nodes reach. */
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** What other nodes reach it by; null derives it from host and port. */
  readonly url: string | null;
  /** The cluster's; whoever has it may call. */
  readonly secret: string;
  readonly bodyBytesMax: number;
  readonly handlers: PeerHandlers;
  readonly onTrouble: (error: unknown) => void;
}

/**
 * A node could not be asked, or could not answer: it is gone, is slow, or the call failed there. Whether the call took effect
 * is unknown, so only questions and what is harmless twice are asked of peers.
 */
export class PeerUnavailable extends Error {
  override name = "PeerUnavailable";

  constructor(
    readonly url: string,
    readonly call: string,
    readonly reason: string,
    options?: ErrorOptions,
  ) {
    super(`the node at ${url} does not answer ${call}: ${reason}`, options);
  }
}

const PATH = "/peer/";
/** Longer than any call may take, and than a busy cluster leaves a connection unused. */
const IDLE_SECONDS = 240;
const WILDCARDS = new Set(["0.0.0.0", "::", "[::]"]);

/** Answers the calls of other nodes, on a listener of its own: nothing of it is on the port that users reach. */
export class PeerServer {
  readonly url: string;
  readonly #options: PeerServerOptions;
  readonly #server: Bun.Server<undefined>;
  readonly #authorization: Buffer;

  private constructor(options: PeerServerOptions) {
    this.#options = options;
    this.#authorization = digestOf(bearer(options.secret));
    this.#server = Bun.serve({
      hostname: options.host,
      port: options.port,
      // One byte more, so that what is too large is answered and not cut off.
      maxRequestBodySize: options.bodyBytesMax + 1,
      idleTimeout: IDLE_SECONDS,
      fetch: (request) => this.#answer(request),
    });
    const host = WILDCARDS.has(options.host) ? hostname() : options.host;
    this.url = options.url ?? `http://${host.includes(":") ? `[${host}]` : host}:${this.#server.port}`;
  }

  /** Throws when the address is taken or is not this machine's. */
  static start(options: PeerServerOptions): PeerServer {
    return new PeerServer(options);
  }

  /** Takes no new calls and resolves when those under way are answered. */
  async stop(): Promise<void> {
    await this.#server.stop();
  }

  async #answer(request: Request): Promise<Response> {
    const { bodyBytesMax, handlers, onTrouble } = this.#options;
    const given = digestOf(request.headers.get("authorization") ?? "");
    if (!timingSafeEqual(given, this.#authorization)) return failure(401, "the cluster's secret is another");
    const { pathname } = new URL(request.url);
    const name = pathname.startsWith(PATH) ? pathname.slice(PATH.length) : "";
    const handler = Object.hasOwn(handlers, name) ? handlers[name] : undefined;
    if (request.method !== "POST" || handler === undefined) return failure(404, `there is no call ${pathname}`);
    try {
      const body = await request.bytes();
      if (body.length > bodyBytesMax) return failure(413, `a question has at most ${bodyBytesMax} bytes`);
      const answer = encodeBody(await handler(decodeBody(decoder.decode(body))));
      return new Response(answer, { headers: { "content-type": "application/json" } });
    } catch (error) {
      if (error instanceof MalformedBody) return failure(400, error.message);
      onTrouble(error);
      return failure(500, error instanceof Error ? error.message : String(error));
    }
  }
}

export interface PeerClientOptions {
  readonly secret: string;
  /** For the whole call, from the question to the last byte of the answer. */
  readonly timeoutMs: number;
  readonly bodyBytesMax: number;
}

/** Asks other nodes. Connections are kept for the next call. */
export class PeerClient {
  readonly #options: PeerClientOptions;

  constructor(options: PeerClientOptions) {
    this.#options = options;
  }

  /** `url`: the peer's, as it announced it. Rejects with `PeerUnavailable`. */
  async call(url: string, name: string, argument: unknown): Promise<unknown> {
    const { secret, timeoutMs, bodyBytesMax } = this.#options;
    const body = encodeBody(argument);
    const unavailable = (reason: string, cause?: unknown) => new PeerUnavailable(url, name, reason, { cause });
    if (Buffer.byteLength(body) > bodyBytesMax) throw unavailable(`the question has more than ${bodyBytesMax} bytes`);
    let response: Response;
    let answer: string;
    try {
      response = await fetch(url + PATH + name, {
        method: "POST",
        headers: { authorization: bearer(secret), "content-type": "application/json" },
        body,
        // Nobody else is told the secret.
        redirect: "error",
        signal: AbortSignal.timeout(timeoutMs),
      });
      answer = await textOf(response, bodyBytesMax);
    } catch (error) {
      throw unavailable(error instanceof Error ? error.message : String(error), error);
    }
    if (!response.ok) throw unavailable(`status ${response.status}: ${answer}`);
    try {
      return decodeBody(answer);
    } catch (error) {
      throw unavailable(`the answer is malformed: ${error instanceof Error ? error.message : String(error)}`, error);
    }
  }
}

async function textOf(response: Response, bytesMax: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let byteCount = 0;
  for await (const chunk of response.body ?? []) {
    byteCount += chunk.length;
    if (byteCount > bytesMax) throw new Error(`the answer has more than ${bytesMax} bytes`);
    chunks.push(chunk);
  }
  return decoder.decode(Buffer.concat(chunks));
}

const decoder = new TextDecoder();

const bearer = (secret: string): string => `Bearer ${secret}`;

/** Of one length whatever was given, so that the comparison tells nothing. */
const digestOf = (text: string): Buffer => createHash("sha256").update(text).digest();

const failure = (status: number, reason: string): Response => new Response(reason, { status });
