import { z } from "zod";
import type { IssuedTokens } from "../auth.ts";
import type { User } from "../../stores/catalog/port.ts";
import { refused } from "../problem.ts";
import { created, ok, route } from "../route.ts";

const credentials = z.strictObject({
  name: z
    .string()
    .min(3)
    .max(40)
    .regex(/^[\p{L}\p{N}._-]+$/u, "may have letters, digits, dot, hyphen and underscore"),
  password: z.string().min(8).max(200),
});

export const session = ({ id, name, role }: Pick<User, "id" | "name" | "role">, tokens: IssuedTokens) => ({
  userId: id,
  userName: name,
  role,
  tokenType: "Bearer",
  ...tokens,
});

export const sessionRoutes = {
  register: route(
    {
      method: "POST",
      path: "/v1/users",
      summary: "Register",
      auth: "none",
      rate: "registrations",
      handle: async ({ body: { name, password } }, { accounts, tokens }) => {
        const registered = await accounts.register(name, password);
        if (!registered.ok) return refused(registered.refusal);
        return created(session(registered.user, await tokens.issue(registered.user)));
      },
    },
    { body: credentials },
  ),
  logIn: route(
    {
      method: "POST",
      path: "/v1/sessions",
      summary: "Log in",
      auth: "none",
      rate: "logins",
      handle: async ({ body: { name, password } }, { accounts, tokens }) => {
        const user = await accounts.authenticate(name, password);
        return user === null ? refused("bad_credentials") : ok(session(user, await tokens.issue(user)));
      },
    },
    { body: credentials },
  ),
  refresh: route(
    {
      method: "POST",
      path: "/v1/sessions/refresh",
      summary: "New tokens for a refresh token",
      auth: "none",
      rate: "logins",
      handle: async ({ body }, { accounts, tokens }) => {
        const id = await tokens.refreshing(body.refreshToken);
        if (typeof id === "string") return refused(id);
        // The role is read anew: a token outlives a demotion by its own hour, not by a refresh.
        const user = await accounts.user(id);
        return user === null ? refused("token_invalid") : ok(session(user, await tokens.issue(user)));
      },
    },
    { body: z.strictObject({ refreshToken: z.string().min(1).max(2_000) }) },
  ),
};
