import type { BunRequest, Server } from "bun";
import type { Session } from "../realtime/gateway/session.ts";
import type { FrontDesk, Letter } from "./front-desk.ts";
import type { EdgeLimits } from "./limits.ts";
import { openApiDocument } from "./openapi.ts";
import { Problem, refused } from "./problem.ts";
import { parseJson } from "./request-body.ts";
import type { RequestTimes } from "./request-times.ts";
import type { Reply, Route } from "./route.ts";
import { ROUTES } from "./router.ts";
import type { SocketLimits, SocketServer } from "./socket/socket-server.ts";

export interface HttpOptions {
  readonly desk: FrontDesk;
  readonly socket: SocketServer;
  /** Answers what is no route of the API; null where it has nothing either. */
  readonly web: (request: Request) => Promise<Response | null>;
  readonly socketLimits: Pick<SocketLimits, "frameBytesMax" | "bufferedBytesMax" | "idleMs">;
  readonly limits: Pick<EdgeLimits, "bodyBytesMax" | "requestIdleMs">;
  readonly times: RequestTimes;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly onTrouble: (error: unknown) => void;
}

export interface HttpServer {
  readonly url: string;
  /** To every socket that has subscribed to the topic. */
  publish(topic: string, frame: Uint8Array): void;
  /**
   * From now on each answer asks its client to connect anew, which leads to another node: a connection that the end finds idle
   * would break under the next request on it.
   */
  drain(): void;
  /** Takes no new requests and resolves when those under way are answered. */
  stop(): Promise<void>;
}

type Handler = (request: BunRequest, server: Server<Session>) => Promise<Response>;

/** Where the app's one binary socket is. */
export const SOCKET_PATH = "/v1/socket";

export function startHttp(options: HttpOptions): HttpServer {
  let isDraining = false;
  const answered = (response: Response): Response => {
    if (isDraining) response.headers.set("connection", "close");
    return response;
  };
  const byPath: Record<string, Record<string, Handler>> = {};
  for (const route of ROUTES) {
    const handle = handlerOf(route, options);
    (byPath[bunPath(route.path)] ??= {})[route.method] = async (request, asked) =>
      answered(await handle(request, asked));
  }
  const openApi = JSON.stringify(openApiDocument(ROUTES));
  byPath["/openapi.json"] = {
    GET: async () => new Response(openApi, { headers: { "content-type": "application/json" } }),
  };
  const methods = new Map(Object.entries(byPath).map(([path, handlers]) => [pathPattern(path), Object.keys(handlers)]));

  const methodRefusal = (pathname: string): Response | null => {
    for (const [pattern, allowed] of methods) {
      if (!pattern.test(pathname)) continue;
      const allow = allowed.join(", ");
      return new Problem("method_not_allowed", `This path knows ${allow}.`, { headers: { allow } }).response();
    }
    return null;
  };

  const { frameBytesMax, bufferedBytesMax, idleMs } = options.socketLimits;
  const server = Bun.serve<Session>({
    hostname: options.host,
    port: options.port,
    // Ours answers with a problem that says so; Bun's own limit only bounds what is read into memory.
    maxRequestBodySize: options.limits.bodyBytesMax * 4,
    // An unfinished head has ten seconds of Bun's own; a socket has rules of its own.
    idleTimeout: options.limits.requestIdleMs / 1_000,
    websocket: {
      ...options.socket.handler,
      maxPayloadLength: frameBytesMax,
      backpressureLimit: bufferedBytesMax,
      closeOnBackpressureLimit: true,
      // Only the last resort: the session's own pings find out who is still there.
      idleTimeout: Math.min(960, Math.ceil((2 * idleMs) / 1_000)),
      sendPings: false,
      perMessageDeflate: { compress: "shared", decompress: "shared" },
    },
    routes: {
      ...byPath,
      [SOCKET_PATH]: (request: Request, server: Server<Session>) => options.socket.upgrade(request, server),
    },
    async fetch(request) {
      const { pathname } = new URL(request.url);
      const answer = methodRefusal(pathname) ?? (await options.web(request)) ?? refused("route_not_found").response();
      options.times.unrouted(answer.status);
      return answered(answer);
    },
    error(error) {
      options.onTrouble(error);
      return refused("internal").response();
    },
  });
  const host = options.host === "0.0.0.0" ? "localhost" : options.host;
  return {
    url: `http://${host}:${server.port}`,
    publish: (topic, frame) => void server.publish(topic, frame as Uint8Array<ArrayBuffer>),
    drain: () => void (isDraining = true),
    stop: () => server.stop(),
  };
}

const bunPath = (path: string): string => path.replaceAll(/\{(\w+)\}/g, ":$1");

const pathPattern = (path: string): RegExp =>
  new RegExp(`^${path.replaceAll(".", String.raw`\.`).replaceAll(/:\w+/g, "[^/]+")}$`);

function handlerOf(route: Route, { desk, limits }: HttpOptions): Handler {
  return async (request, server) => {
    const address = server.requestIP(request)?.address ?? "nowhere";
    const sender = { token: bearerToken(request), userId: null, address };
    const answer = await desk.ask(route, sender, () => askedOf(route, request, limits.bodyBytesMax));
    return answer instanceof Problem ? answer.response() : responseOf(answer);
  };
}

function bearerToken(request: Request): string | null {
  const [scheme, token, ...rest] = (request.headers.get("authorization") ?? "").split(" ");
  return scheme?.toLowerCase() === "bearer" && token && rest.length === 0 ? token : null;
}

async function askedOf({ schemas, raw }: Route, request: BunRequest, bodyBytesMax: number): Promise<Letter | Problem> {
  const rawBody = await bodyOf(request, bodyBytesMax);
  if (rawBody instanceof Problem) return rawBody;
  let body: unknown;
  if (schemas.body !== undefined && !raw) {
    const type = request.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase();
    if (type !== "application/json") return refused("unsupported_media_type");
    const parsed = parseJson(rawBody);
    if (parsed instanceof Problem) return parsed;
    body = parsed.value;
  }
  const query = schemas.query && Object.fromEntries(new URL(request.url).searchParams);
  return { params: request.params, query, body, headers: request.headers, rawBody };
}

const NO_BODY = new Uint8Array(0);

async function bodyOf(request: Request, bytesMax: number): Promise<Uint8Array | Problem> {
  if (request.method === "GET") return NO_BODY;
  const tooLarge = () => new Problem("body_too_large", `A body has at most ${bytesMax} bytes.`);
  if (Number(request.headers.get("content-length") ?? 0) > bytesMax) return tooLarge();
  const bytes = await request.bytes();
  return bytes.length > bytesMax ? tooLarge() : bytes;
}

const responseOf = ({ status, json, headers }: Reply): Response =>
  new Response(JSON.stringify(json), { status, headers: { "content-type": "application/json", ...headers } });
