import type { UserId } from "../domain/ids.ts";
import type { Node } from "../main.ts";
import type { UserRole } from "../stores/catalog/port.ts";
import { ApiClient, type Send } from "./api-client.ts";

/** What actors act on: a node, or several behind one address. */
export interface Stage extends Pick<Node, "url" | "clock" | "tokens" | "catalog" | "sandboxUrl"> {
  readonly sockets: Pick<Node["sockets"], "openCount">;
  /** How requests are sent; absent: by `fetch`. */
  readonly send?: Send;
}

/** A user of the demo, and the API as that user. */
export interface Actor {
  readonly id: UserId;
  readonly role: UserRole;
  readonly api: ApiClient;
}

/** Without a password: the demo signs its own tokens. */
export async function openActor(node: Stage, name: string, role: UserRole): Promise<Actor> {
  const created = await node.catalog.createUser({ name, role, passwordHash: null, createdAtMs: node.clock.nowMs() });
  if (!created.ok) throw new Error(`the demo starts from an empty disk, yet there is a user "${name}"`);
  return signedIn(node, created.user);
}

/** With a new token: one lasts an hour, and a demo may run for days. */
export async function signedIn(node: Stage, { id, role }: Pick<Actor, "id" | "role">): Promise<Actor> {
  const { accessToken } = await node.tokens.issue({ id, role });
  return { id, role, api: new ApiClient(node.url, accessToken, node.send) };
}
