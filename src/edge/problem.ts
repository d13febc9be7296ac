/**
 * Every refusal of the edge; over HTTP as RFC 9457 `application/problem+json`, over the socket as `Refused`. The code is the stable name that programs read;
 * status and title follow from it, so one code can't be answered in two ways.
 */
export const PROBLEMS = {
  malformed_json: [400, "The body is not JSON"],
  invalid_utf8: [400, "The body is not UTF-8"],
  invalid_request: [400, "The request is not valid"],
  roster_rules: [400, "The team breaks the roster rules"],
  invalid_feed_event: [400, "The event is not a valid feed event"],
  unknown_call: [400, "This node does not know the call"],
  subprotocol_unknown: [400, "The socket speaks powerplay.1"],
  unknown_player: [400, "A player is not in the squad of the match"],
  amount_out_of_range: [400, "The amount is out of range"],
  malformed_webhook: [400, "The webhook's body is not what the provider documents"],
  invalid: [400, "The request is not valid"],
  token_missing: [401, "A bearer token is needed"],
  token_invalid: [401, "The bearer token is not valid"],
  token_expired: [401, "The bearer token has expired"],
  bad_credentials: [401, "No such name and password"],
  signature_missing: [401, "The signature headers are missing or malformed"],
  signature_invalid: [401, "The signature does not match"],
  timestamp_outside_window: [401, "The signed timestamp is too far from the server's time"],
  insufficient_funds: [402, "The wallet does not hold enough"],
  origin_refused: [403, "Pages of this origin may not open a socket"],
  admin_only: [403, "Only an administrator may do this"],
  invite_code: [403, "The invite code is missing or wrong"],
  route_not_found: [404, "There is nothing at this path"],
  match_not_found: [404, "There is no such match"],
  squad_not_found: [404, "The match has no squad yet"],
  contest_not_found: [404, "There is no such contest"],
  no_sandbox: [404, "This node has no sandbox"],
  not_entered: [404, "There is no such entry"],
  not_found: [404, "There is no such thing"],
  method_not_allowed: [405, "This path does not know the method"],
  name_taken: [409, "The name is taken"],
  squad_not_ready: [409, "The squad of the match is not there yet"],
  contest_not_open: [409, "The contest is no longer open"],
  already_joined: [409, "The team is in the contest already"],
  entry_limit: [409, "The user has as many entries as the contest allows"],
  contest_full: [409, "The contest is full"],
  team_missing: [409, "There is no such team to join with"],
  not_locked: [409, "Nobody sees ranks or teams before the deadline"],
  match_not_locked: [409, "The match has not begun"],
  match_over: [409, "The result of the match is final"],
  abandoned: [409, "The match was abandoned and has no result"],
  wrong_state: [409, "The state does not allow this"],
  body_too_large: [413, "The body is too large"],
  unsupported_media_type: [415, "The body must be application/json"],
  idempotency_key_reused: [422, "The idempotency key was used for another request"],
  match_started: [423, "The deadline has passed"],
  squad_locked: [423, "The squad can no longer change"],
  upgrade_required: [426, "This path is a WebSocket"],
  rate_limited: [429, "Too many requests"],
  too_many_sockets: [429, "This address has too many sockets open"],
  too_many_follows: [429, "This socket follows too much already"],
  internal: [500, "Something is broken on our side"],
  provider_unavailable: [503, "The payment provider does not answer"],
  provider_refused: [502, "The payment provider refused"],
  store_unavailable: [503, "A store is unavailable"],
  loading: [503, "The board is being rebuilt"],
  not_ready: [503, "The node is not ready"],
} as const satisfies Readonly<Record<string, readonly [status: number, title: string]>>;

export type ProblemCode = keyof typeof PROBLEMS;

/** One thing wrong with one field: `players[3]`, `captain`, `Idempotency-Key`. "" is the body as a whole. */
export interface FieldError {
  readonly field: string;
  readonly code?: string;
  readonly message: string;
}

interface ProblemOptions {
  readonly errors?: readonly FieldError[];
  readonly retryAfterMs?: number;
  /** Names this one occurrence, for the log to be searched by. */
  readonly instance?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A client that comes back at once after "unavailable" makes it worse; this is the least it is asked to wait. */
const RETRY_AFTER_DEFAULT_MS = 1000;
/** What a body of nothing but mistakes may make us answer. */
const ERRORS_MAX = 100;

/** A refusal on its way out. Handlers return it; nothing throws it. */
export class Problem {
  readonly status: number;

  constructor(
    readonly code: ProblemCode,
    readonly detail: string,
    readonly options: ProblemOptions = {},
  ) {
    this.status = PROBLEMS[code][0];
  }

  /** null: the same request will be refused again, however long one waits. */
  get retryAfterMs(): number | null {
    return this.status === 429 || this.status === 503 ? (this.options.retryAfterMs ?? RETRY_AFTER_DEFAULT_MS) : null;
  }

  get errors(): readonly FieldError[] {
    return (this.options.errors ?? []).slice(0, ERRORS_MAX);
  }

  response(): Response {
    const { instance, headers } = this.options;
    const body = {
      type: `urn:powerplay:problem:${this.code}`,
      title: PROBLEMS[this.code][1],
      status: this.status,
      detail: this.detail,
      ...(instance === undefined ? {} : { instance }),
      code: this.code,
      ...(this.options.errors === undefined ? {} : { errors: this.errors }),
    };
    return new Response(JSON.stringify(body), {
      status: this.status,
      headers: { "content-type": "application/problem+json", ...this.#standardHeaders(), ...headers },
    });
  }

  #standardHeaders(): Record<string, string> {
    const headers: Record<string, string> = {};
    if (this.status === 401 && this.code.startsWith("token_")) {
      headers["www-authenticate"] = this.code === "token_missing" ? "Bearer" : 'Bearer error="invalid_token"';
    }
    if (this.retryAfterMs !== null) headers["retry-after"] = String(Math.ceil(this.retryAfterMs / 1000));
    return headers;
  }
}

/** A refusal whose title says all there is to say. */
export const refused = (code: ProblemCode): Problem => new Problem(code, `${PROBLEMS[code][1]}.`);
