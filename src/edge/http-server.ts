import type { BunRequest, Server } from "bun";
import { fieldFaults } from "../domain/field-fault.ts";
import type { HotStore } from "../stores/hot-store/port.ts";
import { StoreUnavailable } from "../stores/unavailable.ts";
import type { Caller } from "./auth.ts";
import { openApiDocument } from "./openapi.ts";
import { Problem, refused } from "./problem.ts";
import { RateLimiter } from "./rate-limit.ts";
import { parseJson } from "./request-body.ts";
import type { EdgeDeps, Reply, Route } from "./route.ts";
import { ROUTES } from "./router.ts";

export interface HttpOptions extends EdgeDeps {
  readonly hotStore: Pick<HotStore, "take">;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly onTrouble: (error: unknown) => void;
}

export interface HttpServer {
  readonly url: string;
  /** Takes no new requests and resolves when those under way are answered. */
  stop(): Promise<void>;
}

type Handler = (request: BunRequest, server: Server<undefined>) => Promise<Response>;

export function startHttp(options: HttpOptions): HttpServer {
  const limiter = new RateLimiter(options.hotStore, options.clock);
  const byPath: Record<string, Record<string, Handler>> = {};
  for (const route of ROUTES) {
    (byPath[bunPath(route.path)] ??= {})[route.method] = handlerOf(route, options, limiter);
  }
  const openApi = JSON.stringify(openApiDocument(ROUTES));
  byPath["/openapi.json"] = {
    GET: async () => new Response(openApi, { headers: { "content-type": "application/json" } }),
  };
  const methods = new Map(Object.entries(byPath).map(([path, handlers]) => [pathPattern(path), Object.keys(handlers)]));

  const server = Bun.serve({
    hostname: options.host,
    port: options.port,
    // Ours answers with a problem that says so; Bun's own limit only bounds what is read into memory.
    maxRequestBodySize: options.limits.bodyBytesMax * 4,
    routes: byPath,
    fetch(request) {
      const { pathname } = new URL(request.url);
      for (const [pattern, allowed] of methods) {
        if (!pattern.test(pathname)) continue;
        const allow = allowed.join(", ");
        return new Problem("method_not_allowed", `This path knows ${allow}.`, { headers: { allow } }).response();
      }
      return refused("route_not_found").response();
    },
    error(error) {
      options.onTrouble(error);
      return refused("internal").response();
    },
  });
  const host = options.host === "0.0.0.0" ? "localhost" : options.host;
  return { url: `http://${host}:${server.port}`, stop: () => server.stop() };
}

const bunPath = (path: string): string => path.replaceAll(/\{(\w+)\}/g, ":$1");

const pathPattern = (path: string): RegExp =>
  new RegExp(`^${path.replaceAll(".", String.raw`\.`).replaceAll(/:\w+/g, "[^/]+")}$`);

function handlerOf(route: Route, options: HttpOptions, limiter: RateLimiter): Handler {
  const kind = route.method === "GET" ? "read" : "write";
  const bucket = options.limits.rates[route.rate];
  return async (request, server) => {
    try {
      const caller = await callerOf(route, request, options);
      if (caller instanceof Problem) return caller.response();
      const who = caller === null ? (server.requestIP(request)?.address ?? "nowhere") : caller.userId;
      const taken = await limiter.take(`rate:${route.rate}:${who}`, bucket, kind);
      if (!taken.allowed) {
        const { retryAfterMs } = taken;
        return new Problem("rate_limited", `Ask again in ${retryAfterMs} ms.`, { retryAfterMs }).response();
      }
      const answer = await answerOf(route, request, caller, options);
      return answer instanceof Problem ? answer.response() : responseOf(answer);
    } catch (error) {
      if (error instanceof StoreUnavailable) return new Problem("store_unavailable", `${error.message}.`).response();
      const instance = `urn:uuid:${crypto.randomUUID()}`;
      options.onTrouble(new Error(`${route.method} ${route.path} (${instance})`, { cause: error }));
      return new Problem("internal", "The log of the node tells more.", { instance }).response();
    }
  };
}

async function callerOf(route: Route, request: Request, { tokens }: HttpOptions): Promise<Caller | null | Problem> {
  if (route.auth === "none") return null;
  const [scheme, token, ...rest] = (request.headers.get("authorization") ?? "").split(" ");
  if (scheme?.toLowerCase() !== "bearer" || !token || rest.length > 0) return refused("token_missing");
  const found = tokens.caller(token);
  const caller = found instanceof Promise ? await found : found;
  if (typeof caller === "string") return refused(caller);
  if (route.auth === "admin" && caller.role !== "admin") return refused("admin_only");
  return caller;
}

async function answerOf(
  route: Route,
  request: BunRequest,
  caller: Caller | null,
  options: HttpOptions,
): Promise<Reply | Problem> {
  const { schemas, raw } = route;
  const rawBody = await bodyOf(request, options.limits.bodyBytesMax);
  if (rawBody instanceof Problem) return rawBody;
  let json: unknown;
  if (schemas.body !== undefined && !raw) {
    const type = request.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase();
    if (type !== "application/json") return refused("unsupported_media_type");
    const parsed = parseJson(rawBody);
    if (parsed instanceof Problem) return parsed;
    json = parsed.value;
  }
  const query = schemas.query && Object.fromEntries(new URL(request.url).searchParams);
  const parsed: Record<"params" | "query" | "body", unknown> = { params: undefined, query: undefined, body: undefined };
  const given = { params: request.params, query, body: json };
  for (const part of ["params", "query", "body"] as const) {
    const schema = schemas[part];
    if (schema === undefined) continue;
    const checked = schema.safeParse(given[part]);
    if (!checked.success) {
      const errors = fieldFaults(checked.error);
      const detail = errors.map(({ field, message }) => (field === "" ? message : `${field}: ${message}`)).join("; ");
      return new Problem("invalid_request", detail, { errors });
    }
    parsed[part] = checked.data;
  }
  return route.handle({ ...parsed, caller, headers: request.headers, rawBody } as never, options);
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
