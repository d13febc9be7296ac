import { fieldFaults } from "../domain/field-fault.ts";
import type { UserId } from "../domain/ids.ts";
import type { HotStore } from "../stores/hot-store/port.ts";
import { StoreUnavailable } from "../stores/unavailable.ts";
import type { Caller, TokenFault } from "./auth.ts";
import { Problem, refused } from "./problem.ts";
import { RateLimiter } from "./rate-limit.ts";
import { RequestFailed } from "./request-failed.ts";
import type { RequestTimes } from "./request-times.ts";
import type { Auth, EdgeDeps, Reply, Route } from "./route.ts";

/** What a route is asked, as it came in: its schemas have not seen it yet. */
export interface Letter {
  readonly params?: unknown;
  readonly query?: unknown;
  readonly body?: unknown;
  readonly headers: Pick<Headers, "get">;
  /** The bytes as they came; signatures cover them. */
  readonly rawBody: Uint8Array;
}

export interface Sender {
  /** null: none, or not one token. */
  readonly token: string | null;
  /** Whose rate a call counts against: the user who is known to be there, else the address. */
  readonly userId: UserId | null;
  readonly address: string;
}

export interface FrontDeskOptions extends EdgeDeps {
  readonly hotStore: Pick<HotStore, "take">;
  readonly times: RequestTimes;
  readonly onTrouble: (error: unknown) => void;
}

/**
 * The one way to a route's handler, whatever the letter was written in: who may ask, how often, what a request must look
 * like, and what becomes of a failure. Every refusal is a `Problem`; nothing is thrown.
 */
export class FrontDesk {
  readonly #deps: FrontDeskOptions;
  readonly #limiter: RateLimiter;

  constructor(deps: FrontDeskOptions) {
    this.#deps = deps;
    this.#limiter = new RateLimiter(deps.hotStore, deps.clock);
  }

  /** `open` is called once the sender is known and within its rate. */
  async ask(
    route: Route,
    sender: Sender,
    open: () => Letter | Problem | Promise<Letter | Problem>,
  ): Promise<Reply | Problem> {
    const beganMs = performance.now();
    const answer = await this.#answer(route, sender, open);
    this.#deps.times.answered(route, answer.status, performance.now() - beganMs);
    return answer;
  }

  async #answer(
    route: Route,
    sender: Sender,
    open: () => Letter | Problem | Promise<Letter | Problem>,
  ): Promise<Reply | Problem> {
    try {
      const found = this.#callerOf(route.auth, sender.token);
      const caller = found instanceof Promise ? await found : found;
      if (caller instanceof Problem) return caller;
      const kind = route.method === "GET" ? "read" : "write";
      const bucket = this.#deps.limits.rates[route.rate];
      const who = caller?.userId ?? sender.userId ?? sender.address;
      const taken = await this.#limiter.take(`rate:${route.rate}:${who}`, bucket, kind);
      if (!taken.allowed) {
        const { retryAfterMs } = taken;
        return new Problem("rate_limited", `Ask again in ${retryAfterMs} ms.`, { retryAfterMs });
      }
      const opened = open();
      const letter = opened instanceof Promise ? await opened : opened;
      if (letter instanceof Problem) return letter;
      const read = readLetter(route, letter);
      if (read instanceof Problem) return read;
      const { headers, rawBody } = letter;
      return await route.handle({ ...read, caller, headers, rawBody } as never, this.#deps);
    } catch (error) {
      if (error instanceof StoreUnavailable) return new Problem("store_unavailable", `${error.message}.`);
      const instance = `urn:uuid:${crypto.randomUUID()}`;
      this.#deps.onTrouble(new RequestFailed(route, instance, error));
      return new Problem("internal", "The log of the node tells more.", { instance });
    }
  }

  caller(token: string): Caller | TokenFault | Promise<Caller | TokenFault> {
    return this.#deps.tokens.caller(token);
  }

  #callerOf(auth: Auth, token: string | null): Caller | null | Problem | Promise<Caller | Problem> {
    if (auth === "none") return null;
    if (token === null) return refused("token_missing");
    const found = this.caller(token);
    return found instanceof Promise ? found.then((caller) => admitted(auth, caller)) : admitted(auth, found);
  }
}

function admitted(auth: Auth, caller: Caller | TokenFault): Caller | Problem {
  if (typeof caller === "string") return refused(caller);
  return auth === "admin" && caller.role !== "admin" ? refused("admin_only") : caller;
}

type Read = Record<"params" | "query" | "body", unknown>;

function readLetter({ schemas }: Route, letter: Letter): Read | Problem {
  const read: Read = { params: undefined, query: undefined, body: undefined };
  for (const part of ["params", "query", "body"] as const) {
    const schema = schemas[part];
    if (schema === undefined) continue;
    const checked = schema.safeParse(letter[part]);
    if (!checked.success) {
      const errors = fieldFaults(checked.error);
      const detail = errors.map(({ field, message }) => (field === "" ? message : `${field}: ${message}`)).join("; ");
      return new Problem("invalid_request", detail, { errors });
    }
    read[part] = checked.data;
  }
  return read;
}
