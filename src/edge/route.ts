import type { z } from "zod";
import type { Clock } from "../domain/clock.ts";
import type { UserRole } from "../stores/catalog/port.ts";
import type { Caller, Tokens } from "./auth.ts";
import type { Accounts, Game } from "./game.ts";
import type { EdgeLimits, RateName } from "./limits.ts";
import type { Problem } from "./problem.ts";

/** What handlers may use. */
export interface EdgeDeps {
  readonly game: Game;
  readonly accounts: Accounts;
  readonly tokens: Tokens;
  readonly clock: Clock;
  readonly limits: EdgeLimits;
  readonly feedSecret: string;
  /** Whether the node takes traffic; false while it starts and drains. */
  readonly ready: () => boolean;
}

export type Auth = "none" | UserRole;

interface Schemas {
  readonly params?: z.ZodType;
  readonly query?: z.ZodType;
  readonly body?: z.ZodType;
}

type Parsed<Schema> = Schema extends z.ZodType ? z.output<Schema> : undefined;

export interface RouteRequest<S extends Schemas = Schemas, A extends Auth = Auth> {
  readonly params: Parsed<S["params"]>;
  readonly query: Parsed<S["query"]>;
  readonly body: Parsed<S["body"]>;
  readonly caller: A extends "none" ? null : Caller;
  readonly headers: Headers;
  /** The bytes as they came; signatures cover them. Empty for a GET. */
  readonly rawBody: Uint8Array;
}

export interface Reply {
  readonly status: number;
  readonly json: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** One endpoint, declared in one place: what it takes, who may call it how often, and what it does. */
export interface Route {
  readonly method: "GET" | "POST" | "PUT";
  /** As in OpenAPI: "/v1/matches/{match}". */
  readonly path: string;
  readonly summary: string;
  readonly auth: Auth;
  readonly rate: RateName;
  readonly schemas: Schemas;
  /** true: the handler reads `rawBody` itself, whatever its content type. */
  readonly raw: boolean;
  readonly handle: (request: RouteRequest, deps: EdgeDeps) => Promise<Reply | Problem>;
}

interface RouteDeclaration<S extends Schemas, A extends Auth> {
  readonly method: Route["method"];
  readonly path: string;
  readonly summary: string;
  readonly auth: A;
  readonly rate: RateName;
  readonly raw?: boolean;
  readonly handle: (request: RouteRequest<S, A>, deps: EdgeDeps) => Promise<Reply | Problem>;
}

/** Ties a handler's types to its schemas. Sound, because the server parses with these very schemas before it calls. */
export function route<const S extends Schemas, A extends Auth>(
  { raw = false, ...declaration }: RouteDeclaration<S, A>,
  schemas?: S,
): Route {
  const { handle } = declaration;
  return {
    ...declaration,
    raw,
    schemas: schemas ?? {},
    handle: (request, deps) => handle(request as unknown as RouteRequest<S, A>, deps),
  };
}

export const ok = (json: unknown, headers?: Readonly<Record<string, string>>): Reply => ({
  status: 200,
  json,
  ...(headers ? { headers } : {}),
});

export const created = (json: unknown): Reply => ({ status: 201, json });
