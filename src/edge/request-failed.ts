import type { Route } from "./route.ts";

/** A bug met while a route was answered. The caller was given the request's id, and the log finds it by that. */
export class RequestFailed extends Error {
  override name = "RequestFailed";
  readonly fields: { readonly route: string; readonly requestId: string };

  constructor({ method, path }: Pick<Route, "method" | "path">, requestId: string, cause: unknown) {
    super(`${method} ${path} failed`, { cause });
    this.fields = { route: `${method} ${path}`, requestId };
  }
}
