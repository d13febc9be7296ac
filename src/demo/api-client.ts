/** Calls the HTTP API as an app would. */
export interface ApiAnswer {
  readonly status: number;
  // The shape is the server's; demo and tests read single fields of it.
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly body: any;
}

/** As `fetch`; another one may be more patient. */
export type Send = (url: string, request: RequestInit) => Promise<Response>;

export class ApiClient {
  readonly #baseUrl: string;
  readonly #token: string | null;
  readonly #fetch: Send;

  constructor(baseUrl: string, token: string | null = null, send: Send = fetch) {
    this.#baseUrl = baseUrl.replace(/\/$/, "");
    this.#token = token;
    this.#fetch = send;
  }

  as(token: string): ApiClient {
    return new ApiClient(this.#baseUrl, token, this.#fetch);
  }

  get(path: string): Promise<ApiAnswer> {
    return this.#send("GET", path, null, {});
  }

  post(path: string, body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<ApiAnswer> {
    return this.#send("POST", path, JSON.stringify(body), headers);
  }

  put(path: string, body: unknown): Promise<ApiAnswer> {
    return this.#send("PUT", path, JSON.stringify(body), {});
  }

  async #send(
    method: string,
    path: string,
    body: string | null,
    headers: Readonly<Record<string, string>>,
  ): Promise<ApiAnswer> {
    const response = await this.#fetch(this.#baseUrl + path, {
      method,
      body,
      headers: {
        ...(body === null ? {} : { "content-type": "application/json" }),
        ...(this.#token === null ? {} : { authorization: `Bearer ${this.#token}` }),
        ...headers,
      },
    });
    const text = await response.text();
    return { status: response.status, body: text === "" ? null : JSON.parse(text) };
  }
}

/** An answer that the caller has no plan B for. */
export function expectStatus(answer: ApiAnswer, status: number, what: string): ApiAnswer {
  if (answer.status !== status) {
    throw new Error(`${what}: expected ${status}, got ${answer.status} ${JSON.stringify(answer.body)}`);
  }
  return answer;
}
