import type { z } from "zod";
import type { Clock } from "../domain/clock.ts";
import type { UserRole } from "../stores/catalog/port.ts";
import type { Caller, Tokens } from "./auth.ts";
import type { Accounts, Game } from "./game.ts";
import type { EdgeLimits, RateName } from "./limits.ts";
import type { Sandbox } from "./sandbox.ts";
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
  /** null: users have passwords here, and money is real. */
  readonly sandbox: Sandbox | null;
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
  readonly headers: Pick<Headers, "get">;
  /** The bytes as they came; signatures cover them. Empty for a GET. */
  readonly rawBody: Uint8Array;
}

export interface Reply<T = unknown> {
  readonly status: number;
  readonly json: T;
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

type Given<Schema> = Schema extends z.ZodType ? z.input<Schema> : undefined;

/** What a caller hands in, as it is before its schemas have checked it. */
export interface Asked<S extends Schemas = Schemas> {
  readonly params?: Given<S["params"]>;
  readonly query?: Given<S["query"]>;
  readonly body?: Given<S["body"]>;
}

/** A route that remembers its types, for callers that are not HTTP. */
export interface TypedRoute<S extends Schemas, T> extends Route {
  /** Exists at compile time only. */
  readonly types?: { readonly asked: Asked<S>; readonly json: T };
}

interface RouteDeclaration<S extends Schemas, A extends Auth, T> {
  readonly method: Route["method"];
  readonly path: string;
  readonly summary: string;
  readonly auth: A;
  readonly rate: RateName;
  readonly raw?: boolean;
  readonly handle: (request: RouteRequest<S, A>, deps: EdgeDeps) => Promise<Reply<T> | Problem>;
}

/** Ties a handler's types to its schemas. Sound, because the front desk parses with these very schemas before it calls. */
export function route<A extends Auth, T, const S extends Schemas = Record<never, never>>(
  { raw = false, ...declaration }: RouteDeclaration<S, A, T>,
  schemas?: S,
): TypedRoute<S, T> {
  const { handle } = declaration;
  return {
    ...declaration,
    raw,
    schemas: schemas ?? {},
    handle: (request, deps) => handle(request as unknown as RouteRequest<S, A>, deps),
  };
}

export const ok = <T>(json: T, headers?: Readonly<Record<string, string>>): Reply<T> => ({
  status: 200,
  json,
  ...(headers ? { headers } : {}),
});

export const created = <T>(json: T): Reply<T> => ({ status: 201, json });
